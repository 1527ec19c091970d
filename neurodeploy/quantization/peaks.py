"""Largest weight of each row and each channel, of float operators and of synapses."""

from __future__ import annotations

import numpy as np

from neurodeploy.network import Conv, Dense
from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.stages import Operator
from neurodeploy.program import Sparse, Synapses

__all__ = ["by_channel", "float_columns", "float_rows", "integer_rows"]


def by_channel(rows: np.ndarray, channels: int) -> np.ndarray:
    """Of each channel (of a map) or neuron, from one number a row."""
    return rows.reshape(channels, -1).max(1)


def _largest(values: np.ndarray) -> np.ndarray:
    """Largest magnitude of each row."""
    flat = values.reshape(len(values), -1)
    return by_rows(lambda v: np.abs(v.astype(np.float64)).max(1, initial=0.0), flat)


def float_rows(operator: Operator) -> np.ndarray:
    """Of each output channel, or target, of an operator."""
    if isinstance(operator, Conv | Dense):
        return _largest(operator.weight)
    return np.asarray(abs(operator).max(1).todense()).reshape(-1)


def float_columns(operator: Operator) -> np.ndarray:
    """Of each input channel, or source, of an operator."""
    if isinstance(operator, Conv):
        out, per_group = operator.weight.shape[:2]
        split = operator.weight.reshape(operator.groups, out // operator.groups, per_group, -1)
        return _largest(split.swapaxes(1, 2).reshape(operator.groups * per_group, -1))
    if isinstance(operator, Dense):
        return _largest(operator.weight.T)
    return np.asarray(abs(operator).max(0).todense()).reshape(-1)


def integer_rows(synapses: Synapses) -> np.ndarray:
    """Of each output channel, or target, of synapses: int8 magnitudes as float64."""
    if not isinstance(synapses, Sparse):
        return _largest(synapses.weights)
    rows = np.zeros(synapses.row_starts.size - 1)
    index = np.repeat(np.arange(rows.size), np.diff(synapses.row_starts))
    np.maximum.at(rows, index, np.abs(synapses.weights.astype(np.float64)))
    return rows
