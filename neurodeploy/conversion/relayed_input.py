"""A constant current that skips layers, carried by spikes from the second layer on.

A current's integer is worth 1/255 of the input's range, a spike a whole lambda: synapses of both in
one layer would leave the current's weights no bits at all. So whatever reads the input beside
other populations reads it through relays: ``x = relu(x) - relu(-x)``, each a population that
fires at the rate of its input.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from neurodeploy.network import Shape
from neurodeploy.network.operators import identity_operator, times
from neurodeploy.network.stages import RELAY, Path, Stage
from neurodeploy.program import INPUT

__all__ = ["relay_input"]

#: Populations that repeat the input, by the sign of what they carry.
RELAYS = {1.0: f"{INPUT}{RELAY}", -1.0: f"{INPUT}.negative{RELAY}"}


def relay_input(
    stages: tuple[Stage, ...], shape: Shape, low: float, high: float
) -> tuple[tuple[Stage, ...], dict[str, float]]:
    """The stages with relays where the input meets spikes, and the level of each relay.

    1. A stage that reads the input alone: as it was.
    2. A stage that reads it and others: two relays, or one where the input has one sign.

    Parameters
    ----------
    shape
        Of the input's population.
    low, high
        Its range.
    """
    if not any(_mixes(stage) for stage in stages):
        return stages, {}
    signs = [sign for sign, end in ((1.0, high), (-1.0, -low)) if end > 0] or [1.0]
    levels = {RELAYS[sign]: max(high if sign > 0 else -low, 0.0) or 1.0 for sign in signs}
    relays = [_relay(sign, shape) for sign in signs]
    others = [_rewired(stage, signs) if _mixes(stage) else stage for stage in stages]
    return (*relays, *others), levels


def _mixes(stage: Stage) -> bool:
    sources = {path.source for path in stage.paths}
    return INPUT in sources and len(sources) > 1


def _relay(sign: float, shape: Shape) -> Stage:
    size = prod(shape)
    operator = times(identity_operator(shape), sign)
    return Stage(
        RELAYS[sign], "relu", "", shape, (Path(INPUT, operator),), np.zeros(size), None, depth=1
    )


def _rewired(stage: Stage, signs: list[float]) -> Stage:
    paths = [path for path in stage.paths if path.source != INPUT]
    for path in stage.paths:
        if path.source == INPUT:
            paths += [Path(RELAYS[sign], times(path.operator, sign)) for sign in signs]
    return replace(stage, paths=tuple(paths))
