"""What neurons sent and held, step by step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.plot.axes import PALETTE, axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurodeploy.recording import Rasters

__all__ = ["membranes", "raster"]

#: Neurons of a population that are drawn, evenly spaced, where there are more.
_MOST = 200


def raster(
    rasters: Rasters,
    populations: Iterable[str] | None = None,
    sample: int = 0,
    axes: Axes | None = None,
) -> Axes:
    """Every message as a dot: steps to the right, neurons upwards, populations one above another.

    Parameters
    ----------
    rasters
        Of `neurodeploy.record`.
    populations
        Names, the lowest first; default: all that were recorded.
    sample
        Index of the sample drawn.
    axes
        To draw on; default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Steps (1 is the first of each population's own window) and neurons; of a population of more
        than 200 neurons 200 are drawn, evenly spaced, and its label says so.

    Raises
    ------
    UsageError
        A population or a sample that was not recorded; matplotlib is not installed.
    """
    names = list(rasters.spikes) if populations is None else list(populations)
    plot = axes_for(axes)
    base, ticks, labels = 0, [], []
    for index, name in enumerate(names):
        sent = _of(rasters.spikes, name, sample)
        shown = _spaced(sent.shape[1])
        step, neuron = np.nonzero(sent[:, shown])
        plot.scatter(
            step + 1, base + neuron, s=4, marker="|", linewidths=0.8,
            color=PALETTE[index % len(PALETTE)],
        )  # fmt: skip
        ticks.append(base + len(shown) / 2)
        part = f"\n{len(shown)} of {sent.shape[1]:,}" if len(shown) < sent.shape[1] else ""
        labels.append(f"{name}{part}")
        base += len(shown) + max(2, _MOST // 25)
    plot.set_yticks(ticks, labels)
    plot.set_xlabel("step of the population's window")
    plot.set_title(f"messages of sample {sample}")
    return plot


def membranes(rasters: Rasters, population: str, sample: int = 0, axes: Axes | None = None) -> Axes:
    """Membranes of one population over the steps of its window, in the network's own units.

    Parameters
    ----------
    rasters
        Of `neurodeploy.record`, with ``membranes=[population]``.
    population
        Its name.
    sample
        Index of the sample drawn.
    axes
        To draw on; default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        Membranes or a sample that were not recorded; matplotlib is not installed.
    """
    held = _of(rasters.membranes, population, sample) * rasters.units[population].reshape(1, -1)
    plot = axes_for(axes)
    steps = np.arange(1, len(held) + 1)
    for line, neuron in enumerate(_spaced(held.shape[1], 10)):
        colour = PALETTE[line % len(PALETTE)]
        plot.plot(steps, held[:, neuron], drawstyle="steps-post", color=colour, label=str(neuron))
    plot.set_xlabel("step of the population's window")
    plot.set_ylabel("membrane")
    plot.set_title(f"{population}, sample {sample}")
    plot.legend(title="neuron", fontsize="small", ncols=2)
    return plot


def _of(recorded: dict[str, np.ndarray], name: str, sample: int) -> np.ndarray:
    """(steps, neurons) of a population and a sample."""
    if name not in recorded:
        there = ", ".join(recorded) or "none"
        raise UsageError(f"{name!r} was not recorded; there are: {there}", place="plot")
    rows = recorded[name]
    if not 0 <= sample < len(rows):
        raise UsageError(f"sample {sample} of {len(rows)} was not recorded", place="plot")
    return rows[sample].reshape(rows.shape[1], -1)


def _spaced(n: int, most: int = _MOST) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))
