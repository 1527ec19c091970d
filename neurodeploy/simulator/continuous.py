"""Time to first spike in continuous time with float weights: the paper's own setting.

Stanojevic et al. 2024 (arXiv 2306.08744), the B1 model, event by event in float64: in the first
phase ``dV/dt = sum_j W_ij H(t - t_j)``, in the second ``dV/dt = 1`` and the neuron fires at
``t_i = t_min + theta_i - V(t_min)`` with ``theta_i = t_max - t_min - b_i``. An activation is
``x_i = t_max - t_i``. No hardware computes this; it ties the integer programs to the theorem.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from neurodeploy.conversion.value_of_zero import response_to_zeros, zeros
from neurodeploy.network.stages import Stage, operator_matrix, population_shape
from neurodeploy.program import INPUT

__all__ = ["activations"]


def activations(
    stages: tuple[Stage, ...], x: np.ndarray, input_shape: tuple[int, ...], window: float
) -> dict[str, np.ndarray]:
    """Activations that the spike times of every stage stand for.

    Parameters
    ----------
    stages
        Of `neurodeploy.network.stages.stages` (with max pooling).
    x
        Network input, one sample.
    window
        Length of every window; above the largest activation and input.

    Returns
    -------
    float64 (neurons,) by stage; for the readout the membrane at the end of its window.
    """
    lowest = float(min(x.min(), 0.0))
    # time of each spike before the end of the window it arrives in; what is relayed keeps it
    lead = {INPUT: x.reshape(-1).astype(np.float64) - lowest}
    shapes = {INPUT: population_shape(input_shape)}
    shapes |= {stage.name: stage.shape for stage in stages}
    zero = zeros(stages, lowest)
    for stage in stages:
        if stage.kind == "max":
            (path,) = stage.paths
            lead[stage.name] = _earliest(
                operator_matrix(path.operator, shapes[path.source]), lead[path.source]
            )
            continue
        membrane = stage.bias + response_to_zeros(stage.paths, zero, shapes)
        for path in stage.paths:
            matrix = operator_matrix(path.operator, shapes[path.source])
            membrane += _integrate(matrix, window - lead[path.source], window)
        if stage.is_readout:
            lead[stage.name] = membrane
            continue
        ceiling = window if stage.maximum is None else stage.maximum
        fires = window - membrane  # after the start of the firing window: theta - V
        lead[stage.name] = np.where(fires < window, np.minimum(window - fires, ceiling), 0.0)
    return {stage.name: lead[stage.name] for stage in stages}


def _integrate(matrix: sparse.csr_matrix, times: np.ndarray, end: float) -> np.ndarray:
    """V at `end`: the slope changes by a weight at each spike, and is followed in between."""
    columns = matrix.tocsc()
    slope = np.zeros(matrix.shape[0])
    membrane = np.zeros(matrix.shape[0])
    now = 0.0
    for j in np.argsort(times, kind="stable"):
        if times[j] >= end:
            break
        membrane += slope * (times[j] - now)
        now = times[j]
        rows = columns.indices[columns.indptr[j] : columns.indptr[j + 1]]
        slope[rows] += columns.data[columns.indptr[j] : columns.indptr[j + 1]]
    return membrane + slope * (end - now)


def _earliest(windows: sparse.csr_matrix, lead: np.ndarray) -> np.ndarray:
    """The largest lead in each window."""
    found = np.zeros(windows.shape[0])
    for row in range(windows.shape[0]):
        seen = windows.indices[windows.indptr[row] : windows.indptr[row + 1]]
        found[row] = lead[seen].max(initial=0.0)
    return found
