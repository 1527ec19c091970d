"""What a message of each layer costs in squared error, so that few are sent where few are needed.

Rounding does little harm in some layers and much in others, often the first. A coarser step saves
messages and adds error: with one price for a synaptic operation all over the network, the fewest
operations are had for an error of the outputs of `SLACK` times the least. This is the allocation of
bits by Lagrange multipliers (Shoham & Gersho 1988); what an error of a channel does to the outputs
is the mean square of their gradients (`output_gains`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np

from neurodeploy.conversion.window.output_gains import Activation, output_gains
from neurodeploy.conversion.window.steps import Sparing, StepCurves, step_curves
from neurodeploy.network.nodes import Conv, Dense
from neurodeploy.network.stages import Operator, Shape, Stage

__all__ = ["SLACK", "sparing"]

#: Error of the outputs that is given for fewer messages, over the least.
SLACK = 1.2
#: Samples that are looked at, so many as make no more than so many activations in all.
_SAMPLES, _FEW, _VALUES = 64, 2, 3e7
#: Multiplications from which fewer random signs of the outputs have to do.
_WORK, _DRAWS, _FEW_DRAWS = 5e10, 16, 4
_BISECTIONS = 60


def sparing(
    stages: tuple[Stage, ...],
    shape: Shape,
    x: np.ndarray,
    top: int,
    messages: np.ndarray,
    activation: Activation,
    by_channel: Callable[[Stage], bool],
) -> dict[str, Sparing]:
    """How each ReLU layer is to weigh errors and messages, by name.

    Parameters
    ----------
    stages, shape, x
        The network, the shape of its input's population and samples, float32 (samples, ...).
    top
        Number of levels above zero.
    messages
        int64 (top + 1,): how many each integer takes.
    activation
        What the float network makes of a stage's sums.
    by_channel
        Whether a stage's channels have a step each.

    Returns
    -------
    dict
        Without layers of which the outputs say nothing.
    """
    neurons = sum(prod(s.shape) for s in stages)
    wanted = int(min(len(x), _SAMPLES, max(_FEW, _VALUES // neurons)))
    x = x[np.linspace(0, len(x) - 1, wanted).astype(int)]
    fan_out = {stage.name: 0.0 for stage in stages}
    for stage in stages:
        for path in stage.paths:
            if path.source in fan_out:
                fan_out[path.source] += _fan_out(path.operator)
    work = wanted * sum(fan_out[stage.name] * prod(stage.shape) for stage in stages)
    draws = _DRAWS if work * _DRAWS <= _WORK else _FEW_DRAWS
    gains, values = output_gains(stages, shape, x, activation, draws)
    found, curves = {}, {}
    for stage in stages:
        if stage.kind == "relu" and not stage.like and gains[stage.name].any():
            found[stage.name] = Sparing(messages, gains[stage.name])
            curves[stage.name] = step_curves(
                values[stage.name], stage.shape, top, by_channel(stage), found[stage.name]
            )
    price = _operation_price(curves, fan_out)
    return {name: replace(one, price=price * fan_out[name]) for name, one in found.items()}


def _operation_price(curves: dict[str, StepCurves], fan_out: dict[str, float]) -> float:
    """Squared error of the outputs that one synaptic operation a sample may save: the largest."""
    allowed = SLACK * sum(curve.least for curve in curves.values())

    def error(price: float) -> float:
        return sum(curve.at(price * fan_out[name])[1] for name, curve in curves.items())

    low, high = 1e-15 * allowed, allowed
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if error(middle) <= allowed else (low, middle)
    return low


def _fan_out(operator: Operator) -> float:
    """Synapses that a message of a source meets on average."""
    if isinstance(operator, Conv):
        rows, _, *kernel = operator.weight.shape
        return float(rows / operator.groups * prod(kernel) / prod(operator.stride))
    if isinstance(operator, Dense):
        return float(len(operator.weight))
    return float(operator.nnz / max(operator.shape[1], 1))
