"""What a small error of a channel does to the outputs of the float network."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from neurodeploy.conversion.window.running import Side
from neurodeploy.network.batched import transposed_map
from neurodeploy.network.nodes import Conv, Dense
from neurodeploy.network.stages import Operator, Shape, Stage
from neurodeploy.program import INPUT

__all__ = ["Activation", "output_gains"]

Activation = Callable[[Stage, np.ndarray], np.ndarray]

#: A channel's gain is at least this share of its layer's: few samples do not prove that it is none.
_LEAST = 0.05
#: Floats of the largest layer's gradients at a time.
_FLOATS = 2**25


def output_gains(
    stages: tuple[Stage, ...], shape: Shape, x: np.ndarray, activation: Activation, draws: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The gain of each channel's error, and the float network's values.

    If neuron i of a channel is off by e_i, independently, the squares of the outputs' errors add up
    to ``gain * sum(e_i ** 2)``: the gain is the sum of the squares of the outputs' derivatives,
    averaged over samples and the channel's neurons. What a max pooling hands on is spread over its
    window.

    Parameters
    ----------
    stages, shape, x
        The network, the shape of its input's population and samples, float32 (samples, ...).
    activation
        What the float network makes of a stage's sums.
    draws
        With no more outputs than that each is looked at alone; else so many random signs of all,
        whose mean square estimates the sum over the outputs (Hutchinson 1990).

    Returns
    -------
    gains
        float64 (channels,) by stage, zeros where the outputs say nothing of it.
    values
        float32 (samples, neurons) by stage; the readout's are its sums.
    """
    side = Side.of(stages, shape, x)
    for stage in stages:
        z = side.floats(stage)
        linear = stage.is_readout or stage.kind == "max"
        side.values[stage.name] = z if linear else activation(stage, z)
    values, rng = side.values, np.random.default_rng(0)
    (readout,) = [stage.name for stage in stages if stage.is_readout]
    outputs = values[readout].shape[1]
    alone = outputs <= draws
    seeds = np.eye(outputs) if alone else rng.choice([-1.0, 1.0], (draws, outputs))
    largest = max(prod(stage.shape) for stage in stages)
    at_once = max(1, int(_FLOATS // (len(x) * largest)))
    squares = {stage.name: np.zeros(stage.shape[0]) for stage in stages}
    for start in range(0, len(seeds), at_once):
        part = seeds[start : start + at_once]
        for name, square in _squares(stages, side, readout, part).items():
            squares[name] += square / (1 if alone else draws)
    gains = {name: np.maximum(one, _LEAST * one.mean()) for name, one in squares.items()}
    return gains, values


def _squares(
    stages: tuple[Stage, ...], side: Side, readout: str, seeds: np.ndarray
) -> dict[str, np.ndarray]:
    """Of the gradients of combinations of outputs, float64 (channels,) by stage.

    The sum over the combinations, the mean over samples and a channel's neurons.
    """
    count = len(side.values[readout])
    gradient = {readout: np.repeat(seeds, count, 0).astype(np.float32)}
    found = {}
    for stage in reversed(stages):
        g = gradient.pop(stage.name, None)
        if g is None:
            continue
        square = np.square(g, dtype=np.float64).reshape(len(g), stage.shape[0], -1)
        found[stage.name] = square.mean((0, 2)) * len(seeds)
        g = g * np.tile(_slope(stage, side.values[stage.name]), (len(seeds), 1))
        for path in stage.paths:
            if path.source != INPUT:
                back = transposed_map(path.operator, side.shapes[path.source], stage.shape)(g)
                gradient[path.source] = gradient.get(path.source, 0) + back
    return found


def _slope(stage: Stage, values: np.ndarray) -> np.ndarray:
    """Derivative of a stage's activation, float32 (samples, neurons)."""
    if stage.is_readout:
        return np.ones_like(values)
    if stage.kind == "max":
        (path,) = stage.paths
        return np.full_like(values, _cells(path.operator) ** -0.5)
    open_ = values > 0
    if stage.maximum is not None:
        open_ &= values < stage.maximum
    return open_.astype(np.float32)


def _cells(windows: Operator) -> float:
    """Cells of a window of a max pooling's operator."""
    if isinstance(windows, Conv):
        return float(prod(windows.kernel))
    assert not isinstance(windows, Dense)
    return windows.nnz / windows.shape[0]
