"""What a user passes as a program, refused by its type where it is none."""

from __future__ import annotations

import os

from neurodeploy.errors import UsageError
from neurodeploy.program.program import Program

__all__ = ["check_program"]


def check_program(given: object) -> None:
    """Refuse what is no Program.

    Raises
    ------
    UsageError
        Names its type, and what makes a program of it.
    """
    if isinstance(given, Program):
        return
    remedy = "give what nd.compile or nd.load returns"
    if isinstance(given, str | os.PathLike):
        remedy = "load the file: nd.load(path) of an .ndp, nd.compile(path) of a model"
    kind = type(given).__name__
    raise UsageError(f"{kind} is not the type of a program", place="program", remedy=remedy)
