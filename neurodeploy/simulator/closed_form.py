"""Programs of window codes without stepping: each window's integers in closed form.

What a `ttfs` or `radix` population adds up to is ``bias + sum_j w_j x_j`` and what it sends is
``clip(floor((v + slope // 2) / slope), 0, top)`` (docs/semantics.md, sections 4 and 9), so a sample
is one sweep through the layers. Three ways, equal bit for bit:

- `DenseSweep`: ONNX Runtime in float32. Every product and partial sum is an integer below 2**24
  (proved from the weights), which float32 holds exactly in whatever order it is summed.
- `IntegerSweep`: products of bytes on maps that lie channels last, where integers are bytes and
  this machine multiplies them faster (`FasterSweep` tries both).
- `EventSweep`: each neuron adds its row of weights times its integer. For what ONNX Runtime cannot
  express, and where it is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import INPUT, Program
from neurodeploy.program.bounds import bounds, end_limits
from neurodeploy.program.neurons import Neuron
from neurodeploy.program.neurons.closed_form import ClosedForm, FieldMaximum, Maximum, Quotient
from neurodeploy.program.window_codes import OneMessage, WindowCode
from neurodeploy.simulator.plan import Layer, Plan

__all__ = [
    "EventSweep",
    "Sweep",
    "Swept",
    "is_by_sample",
    "is_closed_form",
    "is_in_step",
    "is_window_coded",
    "obstacle",
    "read_out",
]


#: Sums are added up in 32 bit.
_LARGEST_SUM = 2**30


@dataclass(frozen=True)
class Swept:
    """Integers of some samples.

    Attributes
    ----------
    membrane
        int64 (n, neurons): the decoder's population at the end of its window.
    spikes
        int64 (n,) by population: messages, whatever they carry.
    operations
        int64 (n,) for each connection, in program order.
    fired
        int32 (n, neurons) by population: the integer that each neuron's messages stand for, 0 for
        none. Empty unless asked for.
    exceeded
        bool (n,): samples with a membrane beyond what is sure not to have clipped; they have to be
        stepped. Empty: none.
    clipped
        By population, membranes that clipped in samples that were stepped.
    """

    membrane: np.ndarray
    spikes: dict[str, np.ndarray]
    operations: list[np.ndarray]
    fired: dict[str, np.ndarray] = field(default_factory=dict)
    exceeded: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    clipped: dict[str, int] = field(default_factory=dict)

    @classmethod
    def join(cls, parts: Sequence[Swept]) -> Swept:
        """Parts one after the other, none of them with samples that were stepped."""
        if len(parts) == 1:
            return parts[0]
        one = parts[0]
        return cls(
            np.concatenate([p.membrane for p in parts]),
            {name: np.concatenate([p.spikes[name] for p in parts]) for name in one.spikes},
            [np.concatenate(rows) for rows in zip(*(p.operations for p in parts), strict=True)],
            {name: np.concatenate([p.fired[name] for p in parts]) for name in one.fired},
            np.concatenate([p.exceeded for p in parts]),
        )


class Sweep(Protocol):
    """A way through the layers."""

    @property
    def is_guarded(self) -> bool:
        """Whether samples may exceed what it computes exactly (`Swept.exceeded`)."""

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """Sweep samples, int32 (n, inputs) of `encoding.levels`; `every`: fill `Swept.fired`."""


def is_in_step(program: Program) -> bool:
    """Whether each window sees what was sent for its sample, so that time may be local."""
    return program.windows_meet and all(p.phase >= 1 for p in program.populations)


def is_by_sample(program: Program) -> bool:
    """Whether each sample can be run alone: no window mixes samples or begins before step 1."""
    return program.is_aligned and is_in_step(program)


def is_window_coded(program: Program) -> bool:
    """Whether all messages of a window, of each neuron and of each input, say one integer."""
    return program.is_window_coded


def is_closed_form(program: Program) -> bool:
    """Whether the closed form equals the stepped neurons, by proof (see `obstacle`)."""
    kept = program.__dict__.setdefault("_obstacle", [])
    if not kept:
        kept.append(obstacle(program))
    return kept[0] is None


def obstacle(program: Program) -> tuple[str, str] | None:
    """What keeps the closed form from being exact: what and where; None where it is exact.

    The conditions, all of them needed:

    1. Messages say integers in a way that their targets read, and every kind has a closed form.
    2. Windows see one sample each (the program is aligned), and none begins before the first step.
    3. Nothing overflows: currents do not wrap and membranes do not clip, by proof, or because
       membranes at the end of their windows tell of each sample whether they did (`end_limits`).

    No condition: populations that never fire (they send 0), neurons that nothing reaches (they
    hold their bias), several connections and negative weights into `earliest` (it fires with the
    largest integer whose summed weights are positive), `earliest` as the decoder's (it holds 0).
    """
    if not is_window_coded(program):
        return "messages that say no integers", ""
    for p in program.populations:
        if p.neuron.closed_form(program.period) is None:
            return f"neurons of the kind {p.neuron.kind!r} that have to be stepped", p.name
    for c in program.connections:
        code = program.window_code(c.source)
        if code is None or not program.population(c.target).neuron.reads(code, program.period):
            return "messages of a code that their target does not read", c.name
    if not is_by_sample(program):
        return "the phases mix neighbouring samples", ""
    limits = end_limits(program)
    for name, proof in bounds(program).items():
        worst = 0 if proof.membrane is None else max(-proof.membrane[0], proof.membrane[1])
        told = name in limits and worst < _LARGEST_SUM
        if not (proof.cannot_wrap and proof.cannot_clip) and not told:
            return f"membrane in 24 bit: it may reach {proof.membrane}", name
    return None


def read_out(program: Program) -> Callable[[np.ndarray], np.ndarray] | None:
    """From `Swept.membrane` to the decoder's integers; None where it needs every step.

    1. It reads the last membrane: that is it.
    2. It adds up messages, and there is one in a window: what the closed form sends.
    """
    decoder = program.decoder
    if decoder.tail:
        return None
    if decoder.code.membranes == "last":
        return lambda v: v
    form = program.population(decoder.population).neuron.closed_form(program.period)
    one = isinstance(program.window_code(decoder.population), OneMessage)
    return form.send if decoder.code.adds_up and one and isinstance(form, Quotient) else None


def check(program: Program) -> None:
    """Refuse a program whose closed form is not exact.

    Raises
    ------
    ProgramError
        See `obstacle`.
    """
    found = obstacle(program)
    if found is not None:
        raise ProgramError(f"{found[0]}, so the closed form does not hold", place=found[1])


class EventSweep:
    """Spike by spike, in the engine's scatter kernels."""

    def __init__(self, program: Program) -> None:
        check(program)
        self.program = program
        self.plan = Plan(program)
        self._limits = end_limits(program)
        self._forms = {
            layer.population.name: _ordered(
                layer.population.neuron.closed_form(program.period), layer.order
            )
            for layer in self.plan.layers
        }

    @property
    def is_guarded(self) -> bool:
        """See `Sweep.is_guarded`."""
        return bool(self._limits)

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`."""
        program = self.program
        period = program.period
        codes = {name: _code(program, name) for name in (INPUT, *self._forms)}
        spikes = {p.name: np.zeros(len(level), np.int64) for p in program.populations}
        operations = [np.zeros(len(level), np.int64) for _ in program.connections]
        decoder = program.population(program.decoder.population)
        membrane = np.zeros((len(level), decoder.size), np.int64)
        kept = {
            p.name: np.zeros((len(level), p.size), np.int32) for p in program.populations if every
        }
        exceeded = np.zeros(len(level), bool)
        start = np.zeros(2, np.int64)
        for k, row in enumerate(level):
            fired = {INPUT: row[self.plan.input_order].astype(np.int32)}
            for layer in self.plan.layers:
                p = layer.population
                form = self._forms[p.name]
                if isinstance(form, Maximum):
                    fired[p.name] = self._maximum(layer, fired)
                if isinstance(form, FieldMaximum):
                    fired[p.name] = self._by_digits(layer, p.neuron, fired, codes)
                total = np.zeros((1, p.size), np.int32)
                for arrival in layer.arrivals:
                    x = fired[arrival.connection.source]
                    index = np.flatnonzero(x).astype(np.int32)
                    value = x[index]
                    sent = codes[arrival.connection.source].sent(value, period)
                    operations[arrival.number][k] = arrival.fan_out[index] @ sent
                    if not isinstance(form, Quotient):
                        continue
                    start[1] = index.size
                    way = arrival.scatter
                    way.kernel(total, 0, index, start, value, *way.arguments)
                if isinstance(form, Quotient):
                    v = total[0].astype(np.int64) + form.bias
                    if p.name in self._limits:
                        exceeded[k] |= np.abs(v).max(initial=0) > self._limits[p.name]
                    if p.name == decoder.name:
                        membrane[k, layer.order] = v
                    fired[p.name] = form.send(v).astype(np.int32)
                spikes[p.name][k] = codes[p.name].sent(fired[p.name], period).sum()
                if every:
                    kept[p.name][k, layer.order] = fired[p.name]
        return Swept(membrane, spikes, operations, kept, exceeded)

    def _by_digits(
        self,
        layer: Layer,
        neuron: Neuron,
        fired: dict[str, np.ndarray],
        codes: dict[str, WindowCode],
    ) -> np.ndarray:
        """What a maximum passes on, by its own steps on the digits that reach it."""
        period, size = self.program.period, layer.order.size
        state = neuron.start(size)
        sent = np.zeros((1, period, size), np.int64)
        for tau in range(period):
            arrived: np.ndarray = np.zeros((1, size), layer.dtype)
            for arrival in layer.arrivals:
                source = arrival.connection.source
                digits = codes[source].messages(fired[source], tau, period).astype(np.int32)
                index = np.flatnonzero(digits).astype(np.int32)
                value = digits[index] if arrival.payloads else np.zeros(0, np.int32)
                way = arrival.scatter
                start = np.array([0, index.size], np.int64)
                way.kernel(arrived, 0, index, start, value, *way.arguments)
            sent[0, tau] = neuron.step(state, arrived[0].astype(np.int64), tau, period).messages
        found = codes[layer.population.name].integers(sent, period)
        return found[0].astype(np.int32)

    @staticmethod
    def _maximum(layer: Layer, fired: dict[str, np.ndarray]) -> np.ndarray:
        """Largest integer at which the summed weights of an `earliest` neuron are positive.

        The messages of each integer, smallest first: they come together, from all connections.
        """
        found = np.zeros(layer.order.size, np.int32)
        sent = {a.connection.source: fired[a.connection.source] for a in layer.arrivals}
        for x in np.unique(np.concatenate([*sent.values(), np.zeros(1, np.int32)])):
            if x == 0:
                continue
            arrived: np.ndarray = np.zeros((1, found.size), layer.dtype)
            for arrival in layer.arrivals:
                chosen = np.flatnonzero(sent[arrival.connection.source] == x).astype(np.int32)
                start = np.array([0, chosen.size], np.int64)
                way = arrival.scatter
                way.kernel(arrived, 0, chosen, start, np.zeros(0, np.int32), *way.arguments)
            found[arrived[0] > 0] = x
        return found


def _code(program: Program, name: str) -> WindowCode:
    code = program.window_code(name)
    assert code is not None  # else there were an obstacle
    return code


def _ordered(form: ClosedForm | None, order: np.ndarray) -> ClosedForm | None:
    """With parameters in the engine's order of neurons."""
    if not isinstance(form, Quotient):
        return form
    slope = form.slope if isinstance(form.slope, int) else form.slope[order].astype(np.int64)
    return replace(form, bias=form.bias[order].astype(np.int64), slope=slope)
