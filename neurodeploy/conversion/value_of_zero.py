"""What the integer 0 of each population stands for, where that is not 0.

A time code says numbers from 0 up, so the lowest input is its integer 0: an offset. Whoever repeats
the input's integers (a maximum of them, a relay) hands the offset on; whoever computes takes it in
with the bias.
"""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.network.stages import Path, Shape, Stage, apply_operator
from neurodeploy.program import INPUT

__all__ = ["response_to_zeros", "zeros"]


def zeros(stages: tuple[Stage, ...], offset: float) -> dict[str, float]:
    """Real value of the integer 0 of the input and of each stage.

    1. The input: its offset.
    2. A max pooling: that of what it pools, be it a max pooling itself. Its padding never wins, for
       silence is the lowest integer there is.
    3. Every other stage: 0, a ReLU's lowest value.

    Parameters
    ----------
    offset
        Real value of the input's integer 0.
    """
    found = {INPUT: offset}
    for stage in stages:
        found[stage.name] = found[stage.paths[0].source] if stage.kind == "max" else 0.0
    return found


def response_to_zeros(
    paths: tuple[Path, ...], zero: dict[str, float], shapes: dict[str, Shape]
) -> np.ndarray | float:
    """What a stage computes, without its bias, when all its sources are silent.

    Stanojevic et al. (2024) fold the input range [p, q] into weights and bias, with nine
    thresholds a filter where zero padding is in the way. Here every neuron has its own bias: the
    response to p everywhere, padding left out, is exact at every border.

    Returns
    -------
    float64 (targets,), or 0 where silence stands for 0.
    """
    total: np.ndarray | float = 0.0
    for path in paths:
        if zero[path.source]:
            shape = shapes[path.source]
            constant = np.full(prod(shape), zero[path.source]).reshape(shape)
            total = total + apply_operator(path.operator, constant)
    return total
