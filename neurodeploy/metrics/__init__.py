"""How outputs are judged: by what they are, against labels and against the ANN."""

from __future__ import annotations

from neurodeploy.metrics.confidence_interval import wilson
from neurodeploy.metrics.labels import Labels
from neurodeploy.metrics.scores import Scores, against, judge
from neurodeploy.metrics.sums import Sums, compared, counted
from neurodeploy.metrics.task import KINDS, Kind, Task
from neurodeploy.metrics.task_from_labels import read_labels, refined

__all__ = [
    "KINDS",
    "Kind",
    "Labels",
    "Scores",
    "Sums",
    "Task",
    "against",
    "compared",
    "counted",
    "judge",
    "read_labels",
    "refined",
    "wilson",
]
