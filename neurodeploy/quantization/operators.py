"""Float operators to int8 synapses at a given scale."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from neurodeploy.network import Conv, Dense
from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.stages import Operator
from neurodeploy.program import Convolution, Synapses
from neurodeploy.program import Dense as DenseSynapses
from neurodeploy.program import Sparse as SparseSynapses

__all__ = ["peak", "quantize", "quantize_rows"]


def _values(operator: Operator) -> np.ndarray:
    return operator.weight if isinstance(operator, Dense | Conv) else operator.data


def peak(operator: Operator) -> float:
    """Largest magnitude among the weights."""
    values = _values(operator)
    return float(max(values.max(initial=0.0), -values.min(initial=0.0)))


def quantize(operator: Operator, factor: float, limit: int) -> Synapses:
    """``clip(round_half_even(weight * factor), -limit, limit)`` as synapses.

    A sparse operator loses the synapses that round to zero.
    """
    return _synapses(
        operator, by_rows(lambda w: _whole(w.astype(np.float64) * factor, limit), _values(operator))
    )


def quantize_rows(operator: Dense | Conv, scale: np.ndarray, limit: int) -> Synapses:
    """``clip(round_half_even(weight / scale), -limit, limit)``, a scale a row."""
    scale = scale.reshape((-1,) + (1,) * (operator.weight.ndim - 1))
    return _synapses(operator, by_rows(lambda w, s: _whole(w / s, limit), operator.weight, scale))


def _whole(scaled: np.ndarray, limit: int) -> np.ndarray:
    return np.clip(np.rint(scaled), -limit, limit).astype(np.int8)


def _synapses(operator: Operator, weights: np.ndarray) -> Synapses:
    """The operator with integers for its values."""
    if isinstance(operator, Dense):
        return DenseSynapses(weights)
    if isinstance(operator, Conv):
        top, left, bottom, right = operator.padding
        return Convolution(
            weights,
            (operator.stride[0], operator.stride[1]),
            (top, left, bottom, right),
            (operator.dilation[0], operator.dilation[1]),
            operator.groups,
        )
    # a copy: dropping zeros would rearrange the index arrays of the operator as well
    indices = (operator.indices, operator.indptr)
    matrix = sparse.csr_matrix((weights, *indices), shape=operator.shape, copy=True)
    matrix.eliminate_zeros()
    return SparseSynapses(
        matrix.data,
        matrix.indices.astype(np.int32),
        matrix.indptr.astype(np.int64),
        int(matrix.shape[1]),
    )
