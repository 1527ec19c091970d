"""Neurons that can never fire, found before a layer's scale is chosen.

A bias of -1000 that no input overcomes would take all bits of the bias register, and the weights
of a neuron that is silent whatever comes would take those of the synapses.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurodeploy.network import Conv, Dense
from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.quantization.layer import Arrival
from neurodeploy.quantization.operators import peak

__all__ = ["SPIKES_READ", "Silenced"]

#: Decodings that read spikes, and no membranes.
SPIKES_READ = ("spike_count", "first_spike")


class Silenced:
    """Stages of a program one by one, sources first, without what only silent neurons need."""

    def __init__(self) -> None:
        self._silent: dict[str, np.ndarray] = {}

    def of(self, name: str) -> np.ndarray | None:
        """Which neurons of a stage can never fire, bool (neurons,); None if all can."""
        return self._silent.get(name)

    def __call__(
        self, stage: Stage, bias: np.ndarray, arrivals: tuple[Arrival, ...], most: int = 1
    ) -> tuple[np.ndarray, tuple[Arrival, ...]]:
        """Bias and arrivals of a stage.

        1. Synapses from silent neurons are void.
        2. A ReLU whose bias cannot be overcome by the largest input that its messages can cause
           is silent: no bias, no synapses.
        3. Where only some neurons of a convolution's channel are, the bias of these ends just
           below what could be overcome.

        Parameters
        ----------
        bias
            float64 (neurons,), real.
        most
            Messages of the largest payload that a neuron's decision adds up: 1 where each step
            decides, W in a window code.
        """
        arrivals = tuple(_unread(a, self._silent.get(a.source)) for a in arrivals)
        if stage.kind != "relu":
            return bias, arrivals
        limit = np.zeros(stage.shape)
        margin = 0.0
        for a in arrivals:
            high, low = (end * most * a.message_unit for end in (a.high, a.low))
            limit = limit + _largest(a.operator, high, low, stage.shape)
            margin += _fan_in(a.operator) * peak(a.operator) * max(high, -low) / 254
        limit = limit.reshape(-1)
        silent = bias + limit <= 0
        if not silent.any():
            return bias, arrivals
        whole = silent
        if any(isinstance(a.operator, Conv) for a in arrivals):
            by_channel = silent.reshape(stage.shape[0], -1).all(1)
            whole = np.repeat(by_channel, silent.size // by_channel.size)
        self._silent[stage.name] = silent
        # rounding may add half an integer a synapse: stay below that as well
        bias = np.where(silent, np.maximum(bias, -(limit + margin)), bias)
        bias = np.where(whole, 0.0, bias)
        return bias, tuple(
            replace(a, operator=_rows_kept(a.operator, ~whole, stage.shape)) for a in arrivals
        )

    def stated(
        self, stage: Stage, arrivals: tuple[Arrival, ...], is_read: bool = False
    ) -> tuple[Stage, tuple[Arrival, ...]]:
        """The same for a stage whose neuron the network states: `convert` of networks that spike.

        A neuron is silent if the largest drive of a step, current memory and bias included, never
        lifts its membrane above its lowest threshold: not at once, and not in the long run against
        its leak. Of a convolution's, whole channels.

        Parameters
        ----------
        is_read
            Whether somebody reads its membranes; then only what it reads may be void.
        """
        arrivals = tuple(_unread(a, self._silent.get(a.source)) for a in arrivals)
        neuron = stage.neuron
        if neuron is None or neuron.reset == "none" or is_read:
            return stage, arrivals
        size = stage.bias.size

        def each(value: float | np.ndarray) -> np.ndarray:
            return np.broadcast_to(np.asarray(value, np.float64), stage.shape).reshape(size)

        drive = np.zeros(stage.shape)
        for a in arrivals:
            low, high = (end * a.message_unit for end in (a.low, a.high))
            drive = drive + _largest(a.operator, high, low, stage.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            bias = stage.bias + each(neuron.bias)
            drive = drive.reshape(size) / each(neuron.current_leak) + bias
            most = np.where(drive > 0, drive / each(neuron.membrane_leak), 0.0)
        silent = np.maximum(most, neuron.initial) < neuron.thresholds[0]
        if any(isinstance(a.operator, Conv) for a in arrivals):
            by_channel = silent.reshape(stage.shape[0], -1).all(1)
            silent = np.repeat(by_channel, size // by_channel.size)
        if not silent.any():
            return stage, arrivals
        self._silent[stage.name] = silent
        bias = np.where(silent, 0.0, bias)
        return (
            replace(stage, bias=bias, neuron=replace(neuron, bias=0.0)),
            tuple(
                replace(a, operator=_rows_kept(a.operator, ~silent, stage.shape)) for a in arrivals
            ),
        )


def _largest(operator: Operator, high: float, low: float, shape: tuple[int, ...]) -> np.ndarray:
    """Largest input of each neuron; of a convolution that of its channel's middle."""

    def most(weight: np.ndarray) -> np.ndarray:
        w = weight.astype(np.float64)
        return np.maximum(w * high, w * low).sum(tuple(range(1, w.ndim)))

    if isinstance(operator, Conv):
        return by_rows(most, operator.weight).reshape((-1,) + (1,) * (len(shape) - 1))
    if isinstance(operator, Dense):
        return by_rows(most, operator.weight).reshape(shape)
    largest = operator.copy()
    largest.data = np.maximum(operator.data * high, operator.data * low)
    return np.asarray(largest.sum(1)).reshape(shape)


def _fan_in(operator: Operator) -> int:
    if isinstance(operator, Conv | Dense):
        return int(np.prod(operator.weight.shape[1:]))
    return int(np.diff(operator.indptr).max(initial=0))


def _rows_kept(operator: Operator, kept: np.ndarray, shape: tuple[int, ...]) -> Operator:
    """The operator with zeros for the neurons that are not kept."""
    if isinstance(operator, Dense):
        return replace(operator, weight=operator.weight * kept[:, None])
    if isinstance(operator, Conv):
        channel = kept.reshape(shape[0], -1)[:, 0]
        axes = (-1,) + (1,) * (operator.weight.ndim - 1)
        return replace(operator, weight=operator.weight * channel.reshape(axes))
    changed = operator.copy()
    changed.data = operator.data * np.repeat(kept, np.diff(operator.indptr))
    return changed


def _unread(arrival: Arrival, silent: np.ndarray | None) -> Arrival:
    """The arrival with zeros where it reads silent neurons."""
    if silent is None:
        return arrival
    operator = arrival.operator
    if isinstance(operator, Dense):
        return replace(arrival, operator=replace(operator, weight=operator.weight * ~silent))
    if isinstance(operator, Conv):
        out, inputs = operator.weight.shape[:2]
        spoken = ~silent.reshape(inputs * operator.groups, -1).all(1)
        spoken = np.repeat(spoken.reshape(operator.groups, inputs), out // operator.groups, axis=0)
        spoken = spoken.reshape((out, inputs) + (1,) * (operator.weight.ndim - 2))
        return replace(arrival, operator=replace(operator, weight=operator.weight * spoken))
    changed = operator.copy()
    changed.data = operator.data * ~silent[operator.indices]
    return replace(arrival, operator=changed)
