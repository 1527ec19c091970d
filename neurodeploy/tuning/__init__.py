"""`tune`: the scheme and its options that a goal asks for, found on calibration samples."""

from neurodeploy.tuning.candidate import Candidate
from neurodeploy.tuning.goal import Goal
from neurodeploy.tuning.result import Tuning
from neurodeploy.tuning.tuning import tune

__all__ = ["Candidate", "Goal", "Tuning", "tune"]
