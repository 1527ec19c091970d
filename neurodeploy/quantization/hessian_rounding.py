"""Rounding of weights that looks at what they are multiplied with (Frantar et al. 2023, GPTQ).

To round each weight to the nearest integer makes the weights' error least. What counts is the
error of the sums, ``(Q - W) x``, whose expected square is a quadratic form in the error of a row,
with the second moments ``H = E[x x^T]`` of the inputs as its matrix. Weights are rounded one after
the other, and what rounding one of them adds to the sums is taken back as far as possible by those
that are not rounded yet (Hassibi & Stork 1993; Frantar et al. 2023, equations 2 and 3).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg

from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator, Shape

__all__ = ["Moments", "least_squares_peaks", "moments", "rounded"]

#: Rows of inputs that moments are taken of, evenly spaced, and inputs of a neuron, at most.
_ROWS, _INPUTS = 32768, 4096
#: Added to the diagonal, of its mean: H of few samples is singular.
_DAMPING = 0.01
#: Shares of the largest weight that are tried as the largest one kept.
_SHARES = np.linspace(1.0, 0.4, 25)

#: Second moments of the inputs of a neuron, float64 (groups, inputs, inputs).
Moments = np.ndarray


def moments(operator: Operator, shape: Shape, values: np.ndarray) -> Moments | None:
    """Second moments of what the neurons of an operator read.

    Parameters
    ----------
    shape
        Of the source: (C, H, W), or (N,).
    values
        float32 (samples, neurons): what the source sends.

    Returns
    -------
    None for lists of synapses, whose neurons have inputs of their own each, and for neurons of more
    than 4,096 inputs.
    """
    if isinstance(operator, Dense):
        if operator.weight.shape[1] > _INPUTS:
            return None
        rows = values[:, None, :]
    elif isinstance(operator, Conv):
        if int(np.prod(operator.weight.shape[1:])) > _INPUTS:
            return None
        rows = _patches(operator, values.reshape(-1, *shape))
    else:
        return None
    rows = rows.astype(np.float64)
    return np.einsum("rgi,rgj->gij", rows, rows, optimize=True) / max(len(rows), 1)


def _patches(operator: Conv, maps: np.ndarray) -> np.ndarray:
    """What each of at most `_ROWS` positions reads: (rows, groups, inputs of a neuron)."""
    top, left, bottom, right = operator.padding
    padded = np.pad(maps, ((0, 0), (0, 0), (top, bottom), (left, right)))
    kernel = operator.weight.shape[2:]
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, operator.dilation, strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(padded, spans, axis=(2, 3))
    (down, across), (tall, wide) = operator.stride, operator.dilation
    windows = windows[:, :, ::down, ::across, ::tall, ::wide]
    n, _, height, width = windows.shape[:4]
    chosen = np.unique(np.linspace(0, n * height * width - 1, _ROWS).astype(np.int64))
    sample, y, x = np.unravel_index(chosen, (n, height, width))
    return windows[sample, :, y, x].reshape(len(chosen), operator.groups, -1)


def least_squares_peaks(
    operator: Operator, moment: Moments | None, limit: int
) -> np.ndarray | None:
    """The largest weight of each row that its integers should reach: larger ones are cut.

    With few integers a coarser grid costs the many small weights more than a cut costs the largest.
    The error of each weight counts as its input's mean square.

    Returns
    -------
    float64 (rows,); None for lists of synapses.
    """
    if not isinstance(operator, Conv | Dense):
        return None
    weight = operator.weight.reshape(len(operator.weight), -1).astype(np.float64)
    importance = np.ones_like(weight)
    if moment is not None:
        diagonal = np.diagonal(moment, axis1=1, axis2=2)
        importance = np.repeat(diagonal, len(weight) // len(diagonal), axis=0)
    largest = np.abs(weight).max(1, initial=0)
    best, least = largest.copy(), np.full(len(weight), np.inf)
    for share in _SHARES:
        scale = np.where(largest > 0, largest * share / limit, 1.0)[:, None]
        error = np.clip(np.rint(weight / scale), -limit, limit) * scale - weight
        loss = (importance * error**2).sum(1)
        better = loss < least
        best[better], least[better] = (largest * share)[better], loss[better]
    return best


def rounded(operator: Operator, moment: Moments, limit: int) -> Operator:
    """The operator with whole weights of -limit..limit, for the least error of the sums.

    Parameters
    ----------
    operator
        Weights over the scale of their row: what would be rounded to the nearest.
    """
    assert isinstance(operator, Conv | Dense)
    weight = operator.weight.reshape(len(moment), -1, moment.shape[1]).astype(np.float64)
    found = [_rows_rounded(w, h, limit) for w, h in zip(weight, moment, strict=True)]
    return replace(operator, weight=np.stack(found).reshape(operator.weight.shape))


def _rows_rounded(weight: np.ndarray, moment: np.ndarray, limit: int) -> np.ndarray:
    """Of one group: float64 (rows, inputs), the inputs of the largest moments first."""
    size = np.diagonal(moment)
    if not size.any():
        return np.clip(np.rint(weight), -limit, limit)
    order = np.argsort(-size, kind="stable")
    h = moment[np.ix_(order, order)] + np.eye(len(order)) * (_DAMPING * size.mean())
    # upper triangular, of the inverse: row j tells how the later weights answer an error of j
    answer = linalg.cholesky(linalg.inv(h), lower=False)
    left = weight[:, order].copy()
    whole = np.empty_like(left)
    for j in range(len(order)):
        whole[:, j] = np.clip(np.rint(left[:, j]), -limit, limit)
        error = (left[:, j] - whole[:, j]) / answer[j, j]
        left[:, j + 1 :] -= np.outer(error, answer[j, j + 1 :])
    found = np.empty_like(whole)
    found[:, order] = whole
    return found
