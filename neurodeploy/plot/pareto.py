"""The candidates of a search: how fast, and how near to the ANN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurodeploy.plot.axes import PALETTE, axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurodeploy.tuning.result import Tuning

__all__ = ["pareto"]


def pareto(tuning: Tuning, axes: Axes | None = None) -> Axes:
    """Agreement over latency, a colour a scheme; those that none beats are joined by a line.

    Parameters
    ----------
    tuning
        Of `neurodeploy.tune`.
    axes
        To draw on; default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Latency in steps (logarithmic), agreement in percent on the choosing samples.

    Raises
    ------
    UsageError
        matplotlib is not installed.
    """
    plot = axes_for(axes)
    tried = [candidate for candidate in tuning.candidates if candidate.samples]
    for index, scheme in enumerate(dict.fromkeys(candidate.scheme for candidate in tried)):
        mine = [candidate for candidate in tried if candidate.scheme == scheme]
        plot.scatter(
            [c.latency for c in mine], [c.agreement for c in mine], s=28, label=scheme,
            color=PALETTE[index % len(PALETTE)],
        )  # fmt: skip
    front = tuning.pareto
    plot.step(
        [c.latency for c in front], [c.agreement for c in front], where="post",
        color="0.4", linewidth=1, zorder=0, label="Pareto front",
    )  # fmt: skip
    best = tuning.best
    plot.scatter(
        [best.latency], [best.agreement], s=140, facecolors="none", edgecolors="black",
        label=f"taken: {best.name}",
    )  # fmt: skip
    plot.axhline(tuning.goal.agreement, color="0.6", linestyle=":", linewidth=1)
    plot.set_xscale("log", base=2)
    plot.xaxis.set_major_formatter("{x:g}")
    plot.set_xlabel("latency (steps)")
    plot.set_ylabel("agreement with the ANN (%)")
    plot.set_title(tuning.goal.sentence)
    plot.legend(fontsize="small")
    return plot
