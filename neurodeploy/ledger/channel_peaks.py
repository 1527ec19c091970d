"""How far the channels of a layer lie apart: one scale has to serve them all."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.layer import Layer
from neurodeploy.quantization.peaks import by_channel, float_rows, integer_rows

__all__ = ["channel_peaks"]


def channel_peaks(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Largest weight of each channel (of a map) or neuron.

    Returns
    -------
    float64 (channels,) twice: what one message brings by the float weights, real; and the
    largest int8 weight.
    """
    assert layer.stage is not None
    channels = layer.population.shape[0]
    exact: np.ndarray = np.zeros(channels)
    whole: np.ndarray = np.zeros(channels)
    for path, way in zip(layer.stage.paths, layer.ways, strict=True):
        unit = next(a.unit for a in layer.arriving if a.connection.source == way.source)
        exact = np.maximum(exact, unit * by_channel(float_rows(path.operator), channels))
    for a in layer.arriving:
        whole = np.maximum(whole, by_channel(integer_rows(a.connection.synapses), channels))
    return exact, whole
