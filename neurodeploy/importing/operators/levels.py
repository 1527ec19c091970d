"""An activation of a few levels as one ReLU with levels, between a scale and a scale back."""

from __future__ import annotations

import numpy as np

from neurodeploy.importing.building.affine import affine, merge_affine, per_sample
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.building.staircases import Staircase
from neurodeploy.network import Activation

__all__ = ["staircase"]

#: Of a level: what is left of float32 constants that cancel.
_NOTHING = 1e-6


def staircase(
    operation: Operation, net: Builder, stairs: Staircase, x: Signal, alone: bool
) -> Signal:
    """``scale * clip(floor(a x + b), low, high) + shift`` with L = high - low.

    The neuron rounds to the nearest level, so b - 1/2 becomes a bias. One positive scale: the
    activation ends at ``scale * L``, the clip's own lambda. One a channel, or negative: it ends at
    1, and the scales go into the layers before and behind.

    Parameters
    ----------
    alone
        Whether nothing else reads x: scale and bias may go into the layer before.
    """
    levels = stairs.levels
    assert levels is not None
    a, b, low, scale, shift = (
        per_sample(part, x.shape, net.batch)
        for part in (stairs.a, stairs.b, stairs.low, stairs.scale, stairs.shift)
    )
    one = scale.size == 1 and float(scale.reshape(())) > 0
    unit = scale if one else np.full((1,) * len(x.shape), 1 / levels)
    top = float(np.float32(float(unit.reshape(-1)[0]) * levels))
    name, behind = operation.name, scale / unit
    ones = np.ones((1,) * len(x.shape))
    before = _snapped(unit * a, 1.0, 1.0) * ones
    bias = _snapped(unit * (b - low - 0.5), 0.0, top / levels) * ones
    after = _snapped(scale * low + shift, 0.0, top / levels) * ones
    same = (before == 1).all() and (bias == 0).all()
    if not same and not (alone and merge_affine(net, x, before, bias)):
        x = affine(net, f"{name}/scaled", x, before, bias)
    plain = (behind == 1).all() and (after == 0).all()
    wish = name if plain else f"{name}/levels"
    fired = net.add(Activation(net.unique(wish), maximum=top, levels=levels), x)
    operation.note = f"a staircase of {levels} levels up to {top:.6g}: one population of neurons"
    return fired if plain else affine(net, name, fired, behind * ones, after)


def _snapped(values: np.ndarray, to: float, unit: float) -> np.ndarray:
    return np.where(np.abs(values - to) <= _NOTHING * unit, to, values)
