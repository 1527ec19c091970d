"""A network that spikes, step by step in float64: what its program is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.network.batched import Map, float_map
from neurodeploy.network.spiking_nodes import Spiking
from neurodeploy.network.stages import Stage
from neurodeploy.program import INPUT

__all__ = ["Steps", "step_through"]

#: A readout without a neuron adds up what arrives.
_SUM = Spiking("", reset="none")


@dataclass(frozen=True, eq=False)
class Steps:
    """What a stage did, (n, steps, neurons).

    Attributes
    ----------
    spikes
        bool: who sent something.
    membranes
        float64, after the reset; of several levels that of the first.
    messages
        float32: what was sent, spikes as 1.
    """

    spikes: np.ndarray
    membranes: np.ndarray
    messages: np.ndarray


def step_through(stages: Sequence[Stage], shape: Sequence[int], x: np.ndarray) -> dict[str, Steps]:
    """Every spike and membrane of a network.

    Parameters
    ----------
    shape
        Of the input at one step.
    x
        (n, steps, *shape): what the input sends.

    Returns
    -------
    dict
        By the name of the stage. Without skew: spikes of a step are read at the same step by the
        stages behind, and after its steps at the end of a delay.
    """
    n, steps = x.shape[:2]
    shapes = {INPUT: tuple(shape)} | {stage.name: stage.shape for stage in stages}
    sent = {INPUT: x.reshape(n, steps, -1).astype(np.float32)}
    membranes: dict[str, np.ndarray] = {}
    maps: dict[str, list[Map]] = {}
    current: dict[str, np.ndarray] = {}
    higher: dict[str, list[np.ndarray]] = {}
    for stage in stages:
        size = prod(stage.shape)
        sent[stage.name] = np.zeros((n, steps, size), np.float32)
        membranes[stage.name] = np.zeros((n, steps, size))
        maps[stage.name] = [float_map(path.operator, shapes[path.source]) for path in stage.paths]
        current[stage.name] = np.zeros((n, size))
        above = stage.neuron.higher if stage.neuron else ()
        higher[stage.name] = [np.zeros((n, size)) for _ in above]
    for t in range(steps):
        for stage in stages:
            neuron = stage.neuron or _SUM
            drive = np.tile(stage.bias, (n, 1)).astype(np.float64)
            for path, run in zip(stage.paths, maps[stage.name], strict=True):
                if t >= path.delay:
                    drive += run(np.ascontiguousarray(sent[path.source][:, t - path.delay]))
            u = current[stage.name]
            u *= 1 - _flat(neuron.current_leak)
            u += drive
            if t:
                before = membranes[stage.name][:, t - 1]
            else:
                before = np.full(u.shape, float(neuron.initial))
            v = before * (1 - _flat(neuron.membrane_leak)) + u + _flat(neuron.bias)
            if neuron.reset != "none":
                fired = v >= neuron.threshold if neuron.inclusive else v > neuron.threshold
                sent[stage.name][:, t] = fired
                v = np.where(fired, 0.0 if neuron.reset == "zero" else v - neuron.threshold, v)
            membranes[stage.name][:, t] = v
            for membrane, threshold in zip(higher[stage.name], neuron.higher, strict=True):
                membrane *= 1 - _flat(neuron.membrane_leak)
                membrane += u + _flat(neuron.bias)
                fired = membrane > threshold
                sent[stage.name][:, t] += fired
                membrane[fired] = 0
    return {s.name: Steps(sent[s.name] > 0, membranes[s.name], sent[s.name]) for s in stages}


def _flat(value: float | np.ndarray) -> np.ndarray:
    return np.asarray(value, np.float64).reshape(-1) if np.ndim(value) else np.asarray(value)
