"""A program as torch modules: the same integers in float32, around any framework's neuron.

Weights, biases and thresholds are whole numbers, and a program's states stay within 24 bits, so
float32 holds them exactly and a sum does not depend on its order. Half a unit is put on or taken
off the initial membrane, which makes "at or above" and "above" the same for whole numbers: `lif`
fires above its threshold, `integrate_fire` from it on, and the frameworks do one or the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import nn

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Dense,
    IntegrateFire,
    Lif,
    Population,
    Program,
)

__all__ = ["Neuron", "NeuronFactory", "TorchProgram"]

NO_CURRENT_MEMORY = 4095


class Neuron(Protocol):
    """Integrate-and-fire neurons of a framework; the form decides which method is called."""

    def sequence(self, current: torch.Tensor) -> torch.Tensor:
        """Spikes of a whole window, from reset; time is the axis that the framework wants."""

    def start(self, like: torch.Tensor) -> None:
        """Set the state for the first step of a window; `like` (samples, ...) is a current."""

    def step(self, current: torch.Tensor) -> torch.Tensor:
        """Spikes of one step (samples, ...)."""


#: One for a layer, or one for each neuron, of the population's shape.
Value = float | torch.Tensor

#: (threshold, initial membrane) -> neurons, in the units of the weights.
NeuronFactory = Callable[[Value, Value], Neuron]


class _Gather(nn.Module):
    """At most one synapse a target (shortcuts): pick, weigh, leave the others at zero."""

    def __init__(self, rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, size: int):
        super().__init__()
        self.rows, self.columns = torch.from_numpy(rows), torch.from_numpy(columns)
        self.weights, self.size = torch.from_numpy(weights), size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = x.flatten(1).index_select(1, self.columns) * self.weights
        return x.new_zeros(len(x), self.size).index_copy_(1, self.rows, found)


class _Sparse(nn.Module):
    """Any other list of synapses."""

    def __init__(self, weights: np.ndarray, columns: np.ndarray, starts: np.ndarray, sources: int):
        super().__init__()
        self.matrix = torch.sparse_csr_tensor(
            torch.from_numpy(starts.copy()),
            torch.from_numpy(columns.astype(np.int64)),
            torch.from_numpy(weights),
            (starts.size - 1, sources),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.matrix @ x.flatten(1).T).T


class _Scale(nn.Module):
    """One synapse from each source to its target, all of one weight."""

    def __init__(self, weight: float):
        super().__init__()
        self.weight = weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


class _Layer(nn.Module):
    """One population: what reaches it, and its neurons."""

    def __init__(
        self, program: Program, population: Population, neuron: Neuron | None, unit: float
    ):
        super().__init__()
        self.shape, self.neuron = population.shape, neuron
        incoming = program.incoming(population.name)
        shift = population.neuron.input_shift
        parts = {c: _linear(c, population, unit * 2.0 ** (c.exponent + shift)) for c in incoming}
        # shortcuts last: they are added in place
        moving = [c for c in incoming if c.source != INPUT]
        moving.sort(key=lambda c: isinstance(parts[c], _Scale))
        bias = population.neuron.bias.astype(np.float32).reshape(population.shape) * unit
        # a readout's linear part is applied once, to the sum over the steps; its bias is not
        folded = neuron is not None and _fold_bias([parts[c] for c in moving or incoming], bias)
        self.register_buffer("bias", torch.from_numpy(bias) if bias.any() and not folded else None)
        self.moving = [c.source for c in moving]
        self.linear = nn.ModuleList(parts[c] for c in moving)
        self.steady = nn.ModuleList(parts[c] for c in incoming if c.source == INPUT)

    def constant(self, x: torch.Tensor) -> torch.Tensor | None:
        """What the constant input and a bias of its own add at every step, (samples, ...)."""
        total = None
        for module in self.steady:
            part = self._shaped(module(x))
            total = part if total is None else total.add_(part)
        if self.bias is not None:
            total = self.bias.expand(1, *self.shape) if total is None else total + self.bias
        return total

    def currents(self, sent: dict[str, torch.Tensor]) -> torch.Tensor | None:
        """What spikes (rows, ...) of the sources add, (rows, ...)."""
        total: torch.Tensor | None = None
        for name, module in zip(self.moving, self.linear, strict=True):
            if total is not None and isinstance(module, _Scale):
                total.add_(sent[name], alpha=module.weight)
                continue
            part = self._shaped(module(sent[name]))
            total = part if total is None else total.add_(part)
        return total

    def _shaped(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.shape[1:] == self.shape else x.reshape(len(x), *self.shape)


class TorchProgram(nn.Module):
    """A rate program with constant input in torch; gives the readout's membranes.

    Parameters
    ----------
    program
        Integrate-and-fire neurons that subtract, and one readout that only integrates.
    neuron
        Makes the framework's neurons.
    layered
        Layer by layer, a layer's linear part on all steps at once; else step by step.
    channels_last
        Memory format of maps.
    time_axis
        Where the framework has time in ``sequence``: 0 or 1 (samples take the other).
    unit
        Factor on currents that the framework's neuron takes off again.
    """

    def __init__(
        self,
        program: Program,
        neuron: NeuronFactory,
        layered: bool,
        channels_last: bool = False,
        time_axis: int = 0,
        unit: float = 1.0,
    ) -> None:
        super().__init__()
        _check(program)
        self.steps, self.time_axis = program.period, time_axis
        self.layered, self.channels_last = layered, channels_last
        self.names = [p.name for p in program.order]
        self.readout = program.decoder.population
        layers = []
        for p in program.order:
            threshold, initial, half = _numbers(p)
            hidden = p.name != self.readout
            made = neuron(threshold, initial + half) if hidden else None
            layers.append(_Layer(program, p, made, unit if hidden else 1.0))
            if not hidden:
                self.initial = initial if isinstance(initial, float) else initial.flatten()
        self.layers = nn.ModuleList(layers)
        self.last_use = {
            name: max(i for i, layer in enumerate(layers) if name in layer.moving)
            for name in self.names
            if any(name in layer.moving for layer in layers)
        }
        if channels_last:
            self.to(memory_format=torch.channels_last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Integer levels float32 (samples, *shape) to membranes (samples, outputs)."""
        if self.channels_last and x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        counts = self._layered(x) if self.layered else self._stepped(x)
        readout = self.layers[self.names.index(self.readout)]
        steady, total = readout.constant(x), readout.currents(counts)
        if steady is not None:
            total = total + steady * self.steps
        return total.flatten(1) + self.initial

    def _layered(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Spikes of a layer at all steps, then the next layer; (time x samples) is one axis."""
        axes = (len(x), self.steps) if self.time_axis else (self.steps, len(x))
        sent: dict[str, torch.Tensor] = {}
        counts: dict[str, torch.Tensor] = {}
        wanted = self.layers[self.names.index(self.readout)].moving
        for position, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            if name == self.readout:
                continue
            steady, current = layer.constant(x), layer.currents(sent)
            if current is not None:
                current = current.unflatten(0, axes)
                if steady is not None:
                    current.add_(steady.unsqueeze(self.time_axis))
            else:
                current = steady.unsqueeze(self.time_axis).expand(*axes, *layer.shape)
            spikes = layer.neuron.sequence(current)
            if name in wanted:
                counts[name] = spikes.sum(self.time_axis)
            sent[name] = spikes.flatten(0, 1)
            for done in [n for n in sent if self.last_use.get(n, -1) <= position]:
                del sent[done]
        return counts

    def _stepped(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """All layers at one step, then the next step."""
        hidden = [(n, la) for n, la in zip(self.names, self.layers, strict=True)]
        hidden = [(n, la) for n, la in hidden if la.neuron is not None]
        wanted = self.layers[self.names.index(self.readout)].moving
        constant = {name: layer.constant(x) for name, layer in hidden}
        counts: dict[str, torch.Tensor] = {}
        for step in range(self.steps):
            sent: dict[str, torch.Tensor] = {}
            for name, layer in hidden:
                current = layer.currents(sent)
                steady = constant[name]
                if current is None:
                    current = steady
                elif steady is not None:
                    current.add_(steady)
                if step == 0:
                    layer.neuron.start(current)
                sent[name] = layer.neuron.step(current)
            for name in wanted:
                counts[name] = sent[name].clone() if step == 0 else counts[name].add_(sent[name])
        return counts


def _check(program: Program) -> None:
    if program.encoder.encoding != "current" or not program.is_aligned:
        raise ValueError("the peers run aligned programs with constant input")
    for p in program.populations:
        if not _is_plain(p.neuron, readout=p.name == program.decoder.population):
            raise ValueError(f"{p.name} is no integrate-and-fire neuron with reset by subtraction")


def _is_plain(neuron: object, readout: bool) -> bool:
    """Whether a neuron subtracts its threshold and sends spikes; a readout only integrates."""
    if isinstance(neuron, IntegrateFire):
        return not neuron.fires if readout else neuron.fires and not neuron.signed
    return (
        isinstance(neuron, Lif)
        and neuron.du == NO_CURRENT_MEMORY
        and neuron.dv == 0
        and neuron.reset == ("none" if readout else "subtract")
    )


def _numbers(population: Population) -> tuple[Value, Value, float]:
    """Threshold, initial membrane, and what makes "above" and "at or above" the same."""
    neuron = population.neuron
    if isinstance(neuron, Lif):
        return float(neuron.threshold << neuron.shift), float(neuron.v_initial), -0.5
    return (*(_value(v, population.shape) for v in (neuron.threshold, neuron.initial)), 0.5)


def _value(values: np.ndarray, shape: tuple[int, ...]) -> Value:
    """One number where all are the same: some frameworks have faster code for it."""
    if values.size and (values == values[0]).all():
        return float(values[0])
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def _linear(connection: Connection, population: Population, factor: float) -> nn.Module:
    """A connection's linear map without bias."""
    synapses = connection.synapses
    weights = synapses.weights.astype(np.float32) * np.float32(factor)
    if isinstance(synapses, Convolution):
        top, left, bottom, right = synapses.padding
        even = (top, left) == (bottom, right)
        outputs, inputs = weights.shape[:2]
        conv = nn.Conv2d(
            inputs * synapses.groups,
            outputs,
            weights.shape[2:],
            synapses.stride,
            (top, left) if even else 0,
            synapses.dilation,
            synapses.groups,
        )
        _assign(conv, weights, outputs)
        return conv if even else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), conv)
    if isinstance(synapses, Dense):
        linear = nn.Linear(weights.shape[1], weights.shape[0])
        _assign(linear, weights, weights.shape[0])
        return nn.Sequential(nn.Flatten(), linear)
    count = np.diff(synapses.row_starts)
    if count.max() > 1:
        return _Sparse(weights, synapses.columns, synapses.row_starts, synapses.sources)
    rows = np.flatnonzero(count)
    columns = synapses.columns.astype(np.int64)
    every = np.arange(synapses.sources)
    if count.size == synapses.sources and np.array_equal(columns, every) and np.ptp(weights) == 0:
        return _Scale(float(weights[0]))
    return _Gather(rows, columns, weights, population.size)


def _assign(module: nn.Conv2d | nn.Linear, weights: np.ndarray, outputs: int) -> None:
    module.weight = nn.Parameter(torch.from_numpy(weights), requires_grad=False)
    module.bias = nn.Parameter(torch.zeros(outputs), requires_grad=False)


def _with_bias(module: nn.Module) -> nn.Conv2d | nn.Linear | None:
    """The module within that has a bias."""
    found = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return found[0] if found else None


def _fold_bias(modules: list[nn.Module], bias: np.ndarray) -> bool:
    """Put the bias into a linear part, where it is one number an output of it, or say no."""
    for module in filter(None, map(_with_bias, modules)):
        rows = bias.reshape(module.bias.numel(), -1)
        if (isinstance(module, nn.Linear) and rows.shape[1] == 1) or (
            isinstance(module, nn.Conv2d) and (rows == rows[:, :1]).all()
        ):
            module.bias.data = torch.from_numpy(rows[:, 0].copy())
            return True
    return False
