"""A Program laid out for the engine: internal numbering, weight tables, accumulator widths."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Dense,
    Population,
    Program,
    Sparse,
    Synapses,
)
from neurodeploy.program.bounds import Bounds, bounds
from neurodeploy.program.one_to_one import one_to_one_weights
from neurodeploy.simulator import kernels
from neurodeploy.simulator.choice import Choice, Way
from neurodeploy.simulator.estimates import Estimate
from neurodeploy.simulator.events import Events
from neurodeploy.simulator.gathering import Gathered, gathered
from neurodeploy.simulator.layout import (
    channels_of,
    convolution_grouped,
    convolution_rows,
    internal_order,
    words_of,
)
from neurodeploy.simulator.product import Product, can_multiply
from neurodeploy.simulator.receptive import Receptive, receptive
from neurodeploy.simulator.stamping import Stamped, can_stamp, estimated, stamped
from neurodeploy.simulator.units import SPIKES, Range, can_spread

__all__ = ["BLOCK_BYTES", "Arrival", "Layer", "Plan", "Scatter"]

#: Bytes of currents worked on at once: stays in a core's second-level cache with the weights.
BLOCK_BYTES = 1_000_000
#: Spikes a source and step, where none was seen.
_USUAL_ACTIVITY = 0.05


@dataclass(frozen=True)
class Scatter:
    """``kernel(block, first, index, start, value, *arguments)``."""

    kernel: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Arrival:
    """One connection, with the tables of each way to compute it, made when first asked for.

    Attributes
    ----------
    number
        Of the connection in program order.
    source, target
        Shapes of the populations at its ends.
    dtype
        Of the currents.
    payloads
        Whether its messages carry integers rather than "a spike".
    sends
        Least and most that its messages carry; `SPIKES` where they are spikes.
    fan_out
        int64, synapses that leave each source neuron, internal order.
    by_position
        Where all channels of a position share their fan-out: arguments of
        `kernels.count_by_position`, else None.
    """

    connection: Connection
    number: int
    source: tuple[int, ...]
    target: tuple[int, ...]
    dtype: type
    payloads: bool
    sends: Range
    fan_out: np.ndarray
    by_position: tuple[np.ndarray, np.ndarray] | None
    _made: dict[str, Any] = field(default_factory=dict, repr=False)
    _making: Any = field(default_factory=threading.RLock, repr=False)

    @property
    def can_gather(self) -> bool:
        """Whether `gather` exists."""
        synapses = self.connection.synapses
        return (
            self.dtype is not np.int64
            and not isinstance(synapses, Sparse)
            and can_spread(self.sends, synapses.weights)
            and (isinstance(synapses, Dense) or synapses.groups == 1)
        )

    @property
    def signed(self) -> bool:
        """Whether its messages may be negative."""
        return self.sends[0] < 0

    @property
    def diagonal(self) -> np.ndarray | None:
        """int32: the weight of each neuron's only synapse, to its counterpart; else None."""
        return self._once("diagonal", self._diagonal)

    @property
    def scatter(self) -> Scatter:
        """Spike by spike; for any connection."""
        return self._once("scatter", self._scatter)

    @property
    def field(self) -> Receptive:
        """What each output reads, where `can_gather`."""
        synapses = self.connection.synapses
        assert not isinstance(synapses, Sparse)
        return self._once("field", lambda: receptive(synapses, self.source, self.target))

    @property
    def gather(self) -> Gathered:
        """Output by output."""
        activity = self._made.get("activity", _USUAL_ACTIVITY)
        return self._once("gather", lambda: gathered(self.field, self.dtype, activity, self.signed))

    @property
    def stamp(self) -> Stamped:
        """Spike by spike onto a map, where `can_stamp`."""
        exponent = self.connection.exponent
        return self._once("stamp", lambda: stamped(self.field, self.dtype, exponent, self.signed))

    def expect(self, events: Events) -> None:
        """Make the tables for the activity of these events, unless they are made."""
        if "activity" not in self._made and events.start[-1] > 0:
            sources = events.steps * prod(self.field.source)
            self._made["activity"] = float(events.start[-1]) / sources
            if self.payloads:
                self._made["units"] = float(np.abs(events.value).mean())

    @property
    def units(self) -> float:
        """Spikes that a message stands for on the mean, as far as is seen."""
        return self._made.get("units", 1.0)

    @property
    def product(self) -> Product:
        """As a matrix product, where `can_multiply`."""
        return self._once("product", lambda: Product(self.field, self.source, self.sends))

    @property
    def choice(self) -> Choice:
        """Between `gather`, `stamp` and `product`, those that there are."""
        return self._once("choice", self._choice)

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            with self._making:
                if name not in self._made:
                    self._made[name] = make()
        return self._made[name]

    def _diagonal(self) -> np.ndarray | None:
        if self.can_gather:  # then it may have to be put in the place of what was there
            return None
        # spikes, or counts that fit a byte
        wide = message_type(self.sends) is not np.int8
        if wide or self.connection.source == INPUT or self.dtype is np.int64:
            return None
        size = prod(self.target)
        each = one_to_one_weights(self.connection.synapses, self.source, self.target)
        if each is None:
            return None
        weights = np.zeros(words_of(size) * kernels.WORD, np.int32)
        weights[:size] = each[internal_order(self.source)]
        return weights << self.connection.exponent

    def _choice(self) -> Choice:
        field = self.field
        sparse: dict[Way, Estimate] = {"gather": self.gather.estimate}
        if can_stamp(field, self.dtype, self.signed):
            sparse["stamp"] = estimated(field, self.dtype)
        return Choice(sparse, field.multiplications if can_multiply(field, self.sends) else None)

    def _scatter(self) -> Scatter:
        connection = self.connection
        synapses = connection.synapses
        weights = synapses.weights
        if connection.exponent:
            weights = weights.astype(np.int32) << connection.exponent
            if self.dtype is np.int16:
                weights = weights.astype(np.int16)
        order, target_order = internal_order(self.source), internal_order(self.target)
        if isinstance(synapses, Dense):
            rows = convolution_rows(
                Convolution(np.zeros((weights.shape[0], weights.shape[1], 1, 1), np.int8)),
                np.ascontiguousarray(weights[target_order][:, order])[:, :, None, None],
                (weights.shape[1], 1, 1),
            )
            return Scatter(kernels.scatter_rows, _fields(rows))
        if isinstance(synapses, Convolution):
            if synapses.groups == 1:
                tables = convolution_rows(synapses, weights, self.source)
                return Scatter(kernels.scatter_rows, _fields(tables))
            grouped = convolution_grouped(synapses, weights, self.source)
            return Scatter(kernels.scatter_grouped, _fields(grouped))
        place = np.empty_like(target_order)
        place[target_order] = np.arange(target_order.size)
        rows_of = place[np.repeat(np.arange(place.size), np.diff(synapses.row_starts))]
        inverse = np.empty_like(order)
        inverse[order] = np.arange(order.size)
        columns = inverse[synapses.columns]
        by_column = np.lexsort((rows_of, columns))
        starts = np.zeros(order.size + 1, np.int64)
        np.cumsum(np.bincount(columns, minlength=order.size), out=starts[1:])
        if np.diff(starts).max() <= 1:
            # most skip connections: no list to walk through
            single = np.zeros(order.size, weights.dtype)
            to = np.zeros(order.size, np.int32)
            single[columns], to[columns] = weights, rows_of
            return Scatter(kernels.scatter_single, (single, to))
        arguments = (weights[by_column], rows_of[by_column].astype(np.int32), starts)
        return Scatter(kernels.scatter_sparse, arguments)


@dataclass(frozen=True)
class Layer:
    """One population with what arrives at it, in internal numbering.

    Attributes
    ----------
    order
        C-order index of each internal neuron.
    proof
        Worst cases.
    checked
        Whether the membrane could clip, so far as is proved.
    block_steps
        Steps worked on at once.
    """

    population: Population
    arrivals: tuple[Arrival, ...]
    order: np.ndarray
    dtype: type
    proof: Bounds
    checked: bool
    block_steps: int

    @cached_property
    def bias(self) -> np.ndarray:
        """Of each neuron, internal order; zeros where the kind has none."""
        bias = self.population.neuron.membrane_bias
        if bias is None:
            return np.zeros(self.order.size, np.int32)
        return np.ascontiguousarray(bias[self.order])

    @property
    def graded(self) -> bool:
        """Whether it sends integers."""
        return self.population.neuron.is_graded

    @property
    def message_type(self) -> type:
        """dtype of the integers that it sends."""
        return message_type(self.population.neuron.sends)

    @cached_property
    def words(self) -> int:
        """Words of spikes, a bit a neuron."""
        return words_of(self.population.size)

    @property
    def filled(self) -> int:
        """Neurons filled up to whole words."""
        return self.words * kernels.WORD

    @cached_property
    def channels(self) -> int:
        """Neurons of one position."""
        return channels_of(self.population.shape)


class Plan:
    """The layers of a program, sources first.

    Attributes
    ----------
    program : Program
    layers : tuple of Layer
    input_order : numpy.ndarray
        C-order index of each internal input number.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.input_order = internal_order(program.encoder.shape)
        proofs = bounds(program)
        number_of = {id(c): i for i, c in enumerate(program.connections)}
        layers = []
        for p in program.order:
            proof = proofs[p.name]
            # a partial sum, in whatever order messages come, lies within the bound of the whole
            dtype = _dtype(max(-proof.synaptic[0], proof.synaptic[1]))
            layers.append(
                Layer(
                    population=p,
                    arrivals=tuple(
                        _arrival(program, c, number_of[id(c)], dtype)
                        for c in program.incoming(p.name)
                    ),
                    order=internal_order(p.shape),
                    dtype=dtype,
                    proof=proof,
                    checked=not proof.cannot_clip,
                    block_steps=max(1, BLOCK_BYTES // (p.size * np.dtype(dtype).itemsize)),
                )
            )
        self.layers = tuple(layers)


def message_type(sends: Range) -> type:
    """The narrowest integers for messages: of 8 bits, or of 32."""
    return np.int8 if min(sends) >= -128 and max(sends) <= 127 else np.int32


def _dtype(largest: int) -> type:
    """Narrowest accumulator that provably holds every partial sum."""
    if largest < 2**15:
        return np.int16
    return np.int32 if largest < 2**31 else np.int64


def _arrival(program: Program, connection: Connection, number: int, dtype: type) -> Arrival:
    source = program.shape_of(connection.source)
    fan_out = connection.synapses.fan_out(source)[internal_order(source)]
    table = fan_out.reshape(-1, channels_of(source))
    shared = bool((table == table[:, :1]).all())
    synapses = _written_out(connection.synapses)
    payloads = connection.graded and program.is_graded(connection.source)
    return Arrival(
        connection=connection
        if synapses is connection.synapses
        else replace(connection, synapses=synapses),
        number=number,
        source=source,
        target=program.population(connection.target).shape,
        dtype=dtype,
        payloads=payloads,
        sends=_sends(program, connection.source) if payloads else SPIKES,
        fan_out=fan_out,
        by_position=_changes(table[:, 0]) if shared else None,
    )


def _written_out(synapses: Synapses) -> Synapses:
    """A list of most of all possible synapses as a matrix, which is faster; else what it was."""
    if not isinstance(synapses, Sparse):
        return synapses
    targets, count = synapses.row_starts.size - 1, synapses.weights.size
    if 2 * count < targets * synapses.sources or count <= max(targets, synapses.sources):
        return synapses
    rows = np.repeat(np.arange(targets), np.diff(synapses.row_starts))
    place = rows * synapses.sources + synapses.columns
    if np.unique(place).size < count:  # several between two neurons
        return synapses
    weights = np.zeros((targets, synapses.sources), np.int8)
    weights.reshape(-1)[place] = synapses.weights
    return Dense(weights)


def _sends(program: Program, source: str) -> Range:
    """Least and most that a source sends."""
    if source == INPUT:
        return program.encoder.message_range
    return program.population(source).neuron.sends


def _changes(fan_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boundaries between positions where the fan-out changes, and by how much (it falls: +)."""
    change = -np.diff(fan_out, prepend=0, append=0)
    position = np.flatnonzero(change)
    return position, change[position]


def _fields(tables: Any) -> tuple[Any, ...]:
    """Fields of a dataclass in order, without copying arrays."""
    return tuple(getattr(tables, name) for name in tables.__dataclass_fields__)
