"""The error ledger: which layer loses what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurodeploy.plot.axes import PALETTE, axes_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurodeploy.ledger import Explanation

__all__ = ["errors"]


def errors(explanation: Explanation, axes: Axes | None = None) -> Axes:
    """A bar for each cause in each layer: the error that it alone makes, in percent.

    Parameters
    ----------
    explanation
        Of `neurodeploy.explain`, of a network that was trained without spikes.
    axes
        To draw on; default: a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    UsageError
        matplotlib is not installed.
    """
    rows = [row for row in explanation.rows if row.kind != "relay"]
    causes = [cause for cause in rows[0].alone if any(row.alone[cause] for row in rows)]
    plot = axes_for(axes, (7.0, max(2.5, 0.4 * len(rows) + 1)))
    places = np.arange(len(rows))
    height = 0.8 / max(1, len(causes))
    for index, cause in enumerate(causes):
        plot.barh(
            places + index * height, [100 * row.alone[cause] for row in rows], height,
            label=cause, color=PALETTE[index % len(PALETTE)],
        )  # fmt: skip
    plot.set_yticks(places + 0.4 - height / 2, [row.name for row in rows])
    plot.invert_yaxis()
    plot.set_xlabel("error against the ANN (%)")
    plot.legend(fontsize="small")
    return plot
