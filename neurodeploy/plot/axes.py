"""Axes to draw on, and the formats that a figure can be written in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodeploy.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PALETTE", "axes_for", "check_format"]

#: Okabe & Ito 2008: told apart by who sees few colours.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_FORMATS = (".png", ".svg", ".pdf")


def axes_for(given: Axes | None, size: tuple[float, float] = (7.0, 4.0)) -> Any:
    """The axes given, or new ones on a figure of their own (inches).

    Raises
    ------
    UsageError
        matplotlib is not installed.
    """
    if given is not None:
        return given
    try:
        from matplotlib import pyplot
    except ImportError:
        raise _missing("plot") from None
    return pyplot.subplots(figsize=size, layout="constrained")[1]


def check_format(path: str | Path) -> None:
    """Refuse a figure's file name whose ending is no format, before the work and not after it.

    Parameters
    ----------
    path
        Of the figure to write.

    Raises
    ------
    UsageError
        Another ending than .png, .svg or .pdf; or matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in _FORMATS:
        raise UsageError(f"{str(path)!r} does not end in {', '.join(_FORMATS)}", place="--plot")
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise _missing("--plot")


def _missing(place: str) -> UsageError:
    return UsageError(
        "matplotlib is not installed",
        place=place,
        remedy="pip install 'neurodeploy-compiler[plot]'",
    )
