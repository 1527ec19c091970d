"""How far the channels of a layer lie apart: one scale has to serve them all."""

from __future__ import annotations

import numpy as np

from neurodeploy.ledger.layer import Layer
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator
from neurodeploy.program import Sparse, Synapses

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
        unit = max(
            float(np.max(a.unit)) for a in layer.arriving if a.connection.source == way.source
        )
        exact = np.maximum(exact, unit * _by_channel(_float_rows(path.operator), channels))
    for a in layer.arriving:
        rows = _integer_rows(a.connection.synapses)
        whole = np.maximum(whole, _by_channel(rows, channels))
    return exact, whole


def _by_channel(rows: np.ndarray, channels: int) -> np.ndarray:
    return rows.reshape(channels, -1).max(1)


def _largest(values: np.ndarray) -> np.ndarray:
    """Largest magnitude of each row."""
    return np.abs(values.reshape(len(values), -1).astype(np.float64)).max(1, initial=0.0)


def _float_rows(operator: Operator) -> np.ndarray:
    if isinstance(operator, Conv | Dense):
        return _largest(operator.weight)
    return np.asarray(abs(operator).max(1).todense()).reshape(-1)


def _integer_rows(synapses: Synapses) -> np.ndarray:
    if not isinstance(synapses, Sparse):
        return _largest(synapses.weights)
    rows = np.zeros(synapses.row_starts.size - 1)
    index = np.repeat(np.arange(rows.size), np.diff(synapses.row_starts))
    np.maximum.at(rows, index, np.abs(synapses.weights.astype(np.float64)))
    return rows
