"""Ranges without samples: interval arithmetic from the input range through the layers.

What Diehl et al. (2015) call model-based normalisation: safe, and far too careful for deep
networks. Used when the user gives no calibration data, with a warning.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurodeploy.calibration.statistics import Calibration, LayerStatistics
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator, Stage, apply_operator, population_shape
from neurodeploy.program import INPUT

__all__ = ["data_free"]


def data_free(
    stages: tuple[Stage, ...], input_shape: tuple[int, ...], low: float, high: float
) -> Calibration:
    """Bounds of every stage.

    Parameters
    ----------
    low, high
        Range of the network's input.
    """
    size = int(np.prod(input_shape))
    shapes = {INPUT: population_shape(input_shape)} | {stage.name: stage.shape for stage in stages}
    intervals: dict[str, tuple[np.ndarray, np.ndarray]]
    intervals = {INPUT: (np.full(size, low), np.full(size, high))}
    layers = {}
    output = (0.0, 0.0)
    for stage in stages:
        if stage.kind == "max":  # no more and no less than what it pools
            below, above = intervals[stage.paths[0].source]
            size = stage.bias.size
            intervals[stage.name] = np.full(size, below.min()), np.full(size, above.max())
            layers[stage.activation] = LayerStatistics(float(above.max()), np.zeros(0, np.int64))
            continue
        least, most = stage.bias.copy(), stage.bias.copy()
        for path in stage.paths:
            below, above = intervals[path.source]
            centre, radius = (above + below) / 2, (above - below) / 2
            middle, spread = _apply(path.operator, shapes[path.source], centre, radius)
            least += middle - spread
            most += middle + spread
        if stage.is_readout:
            output = float(least.min()), float(most.max())
            continue
        ceiling = np.inf if stage.maximum is None else stage.maximum
        intervals[stage.name] = np.clip(least, 0, ceiling), np.clip(most, 0, ceiling)
        largest = float(intervals[stage.name][1].max())
        layers[stage.activation] = LayerStatistics(largest, np.zeros(0, np.int64))
    return Calibration(layers, (low, high), output, 0)


def _apply(
    operator: Operator, shape: tuple[int, ...], centre: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``W @ centre`` and ``|W| @ radius``."""
    size: Operator = (
        replace(operator, weight=np.abs(operator.weight))
        if isinstance(operator, Conv | Dense)
        else abs(operator)
    )
    middle = apply_operator(operator, centre.reshape(shape))
    return middle, apply_operator(size, radius.reshape(shape))
