"""Statistics of the activations: from samples, or bounds where there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neurodeploy.calibration.bounds import data_free
from neurodeploy.calibration.collect import collect
from neurodeploy.calibration.statistics import Calibration

if TYPE_CHECKING:
    from neurodeploy.network import Network
    from neurodeploy.network.stages import Stage
    from neurodeploy.program import Preprocessing

__all__ = ["calibrate"]


def calibrate(
    network: Network,
    stages: tuple[Stage, ...],
    x: np.ndarray | None,
    preprocessing: Preprocessing,
    input_range: tuple[float, float] | None,
    progress: Callable[[str, int, int], None],
    warn: Callable[[str], None],
) -> Calibration:
    """Statistics for the conversion.

    Parameters
    ----------
    x
        Checked samples (n, *shape) before preprocessing; None for bounds.
    input_range
        Lowest and highest network input as stated; default: from the samples, else that of an
        ordinary image.
    progress
        Called with ``calibrate``, the work done and the work there is.
    warn
        Called with a line where there are no samples.
    """
    if x is None:
        low, high = input_range or _image_range(preprocessing)
        warn(
            "no calibration samples: thresholds come from worst-case bounds, which cost most of "
            f"the accuracy (input taken to lie in {low:g}..{high:g}); give --calibration"
        )
        return data_free(stages, network.shapes[network.input.name], low, high)
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("calibrate", done, 2 * len(x))

    known = collect(network, x, preprocessing.apply, report)
    return known if input_range is None else replace(known, input_range=input_range)


def _image_range(preprocessing: Preprocessing) -> tuple[float, float]:
    """What 0..255 becomes; the range of an ordinary image."""
    ends = np.array([[0.0], [255.0]]) * preprocessing.scale
    values = (ends - np.array(preprocessing.mean)[None]) / np.array(preprocessing.std)[None]
    return float(values.min()), float(values.max())
