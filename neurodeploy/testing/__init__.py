"""Random programs for property tests; part of the package so that tools can use them, too."""

from neurodeploy.testing.programs import random_program, random_ttfs_program
from neurodeploy.testing.recurrent import random_recurrent_program

__all__ = ["random_program", "random_recurrent_program", "random_ttfs_program"]
