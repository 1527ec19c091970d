"""Where a line that the user should read goes: to a callback, or to Python's `warnings`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from neurodeploy.errors import NeuroDeployWarning

__all__ = ["Warn", "quiet", "warner"]

#: Called with one line the user should read.
Warn = Callable[[str], None]
_PACKAGE = str(Path(__file__).resolve().parent)


def quiet(_: str) -> None:
    """Say nothing: for steps of a work that has said it already."""


def warner(warn: Warn | None, category: type[NeuroDeployWarning]) -> Warn:
    """`warn` itself, or `warnings.warn` of `category` where there is none.

    Python's warning names the line outside neurodeploy that called, so that its filters work by
    the user's own modules and a line is said once where it is caused.
    """
    if warn is not None:
        return warn

    def say(line: str) -> None:
        warnings.warn(line, category, stacklevel=_outside())

    return say


def _outside() -> int:
    """The `stacklevel`, seen from `say`, of the first caller that is not this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame, level = frame.f_back, level + 1
    return level


def _is_ours(file: str) -> bool:
    return str(Path(file)).startswith(_PACKAGE)
