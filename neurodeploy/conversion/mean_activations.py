"""Mean activations of the stages, for bias correction."""

from __future__ import annotations

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.network.stages import Stage
from neurodeploy.program import INPUT

__all__ = ["means"]


def means(
    stages: tuple[Stage, ...], input_shape: tuple[int, ...], calibration: Calibration
) -> dict[str, np.ndarray]:
    """Mean real activation of the input and of each stage that fires, in its population's shape.

    Empty without samples.
    """
    if not calibration.samples:
        return {}
    found = {INPUT: calibration.input_mean.reshape(input_shape)}
    for stage in stages:
        if not stage.is_readout:
            found[stage.name] = calibration.layers[stage.activation].mean.reshape(stage.shape)
    return found
