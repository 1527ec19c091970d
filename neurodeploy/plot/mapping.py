"""A program on the cores of a chip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.plot.axes import axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurodeploy.mapping import Mapping

__all__ = ["cores"]


def cores(mapping: Mapping, chip: int = 0, axes: Axes | None = None) -> Axes:
    """The mesh of one chip: a square a core in use, as dark as its fullest resource is full.

    Parameters
    ----------
    mapping
        Of `neurodeploy.map`.
    chip
        Index of the chip, from 0.
    axes
        To draw on; default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        No core of that chip is in use; matplotlib is not installed.
    """
    used = [core for core in mapping.cores if core.chip == chip]
    if not used:
        raise UsageError(f"no core of chip {chip} is in use", place="plot")
    mesh = np.full((1 + max(c.y for c in used), 1 + max(c.x for c in used)), np.nan)
    for core in used:
        mesh[core.y, core.x] = 100 * core.binding.share
    plot = axes_for(axes)
    shown = plot.imshow(mesh, cmap="viridis_r", vmin=0, vmax=max(100.0, float(np.nanmax(mesh))))
    plot.figure.colorbar(shown, ax=plot, label="fullest resource (%)")
    plot.set_xlabel("x")
    plot.set_ylabel("y")
    plot.set_title(f"{mapping.target}, chip {chip}: {len(used)} cores")
    return plot
