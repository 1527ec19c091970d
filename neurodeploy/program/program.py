"""The Program: populations, connections, codec, scales, provenance. Immutable once built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite, prod
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodeploy.display import Displayed
from neurodeploy.errors import ProgramError, UsageError, shown
from neurodeploy.program.channels import by_neuron, check_channels
from neurodeploy.program.codec import MAX_NEURONS, Decoder, Encoder
from neurodeploy.program.limits import MAX_PARTS, MAX_PERIOD
from neurodeploy.program.neurons import Neuron
from neurodeploy.program.plain import population_row, whole
from neurodeploy.program.silence import silent_steps
from neurodeploy.program.synapse import Convolution, Synapses
from neurodeploy.program.window_codes import WindowCode

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["INPUT", "Connection", "Population", "Program"]

#: Name of the input population in every program.
INPUT = "input"
#: Steps that no run has.
_ENDLESS = 2**48


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one kind and one set of parameters.

    Attributes
    ----------
    name
        Unique in its program.
    shape
        (C, H, W) or (N,), C order.
    neuron
        Kind and integer parameters.
    phase
        Step (counted from 1) at which its window of the first sample begins; it resets
        whenever ``step % period == phase % period``.
    spike_value
        Real activation that firing at every step stands for (lambda of the layer).
    membrane_unit
        Real pre-activation (per step) of one membrane integer.
    channel_values, channel_units
        `spike_value` and `membrane_unit` of each channel (first axis), where they differ; else
        empty.
    """

    name: str
    shape: tuple[int, ...]
    neuron: Neuron
    phase: int
    spike_value: float = 1.0
    membrane_unit: float = 1.0
    channel_values: tuple[float, ...] = ()
    channel_units: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or self.name == INPUT or not self.name.isprintable():
            raise ProgramError(f"{shown(self.name)} is no name for a population")
        if not self.shape or any(type(n) is not int or n < 1 for n in self.shape):
            raise ProgramError(f"shape {shown(self.shape)} is not positive", place=self.name)
        if self.size > MAX_NEURONS:
            raise ProgramError(
                f"shape {shown(self.shape)} has {shown(self.size)} neurons; "
                f"the limit is {MAX_NEURONS}",
                place=self.name,
            )
        if self.neuron.size not in (None, self.size):
            raise ProgramError(
                f"{self.neuron.size} biases for {self.size} neurons", place=self.name
            )
        for unit in (self.spike_value, self.membrane_unit):
            if not isfinite(unit) or unit <= 0:
                raise ProgramError(f"unit {unit} is not a positive number", place=self.name)
        for units in (self.channel_values, self.channel_units):
            try:
                check_channels("units", units, self.shape)
            except ProgramError as error:
                raise ProgramError(error.message, place=self.name) from None
        if type(self.phase) is not int or not 0 <= self.phase < 2**31:
            raise ProgramError(f"phase {shown(self.phase)} is not a step", place=self.name)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def spike_values(self) -> np.ndarray:
        """`spike_value` of each neuron: float64, one number, or (neurons,)."""
        return by_neuron(self.spike_value, self.channel_values, self.shape)

    @property
    def membrane_units(self) -> np.ndarray:
        """`membrane_unit` of each neuron: float64, one number, or (neurons,)."""
        return by_neuron(self.membrane_unit, self.channel_units, self.shape)

    def fire_phase(self, period: int) -> int:
        """Step at which its firing window of the first sample begins."""
        return self.phase + self.neuron.lag * period + self.neuron.answers_after


@dataclass(frozen=True, eq=False)
class Connection:
    """Synapses from one population (or the input) to another.

    Attributes
    ----------
    source, target
        Names; the source may be ``"input"``.
    synapses
        The integer linear map.
    exponent
        Left shift of the summed weights, 0..7.
    delay
        Steps from spike to arrival, 1..62.
    graded
        Whether messages carry an integer (payload) or only "a spike". Follows from the source:
        a program sets it where the source sends integers.
    """

    source: str
    target: str
    synapses: Synapses
    exponent: int = 0
    delay: int = 1
    graded: bool = False

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("exponent", self.exponent, 0, 7),
            ("delay", self.delay, 1, 62),
        ):
            if type(value) is not int or not low <= value <= high:
                raise ProgramError(
                    f"{name} is {shown(value)}, outside {low}..{high}", place=self.name
                )

    @property
    def name(self) -> str:
        """``source->target``."""
        return f"{self.source}->{self.target}"


@dataclass(frozen=True, eq=False, repr=False)
class Program(Displayed):
    """A spiking network in integers, ready to be saved, inspected, mapped and run.

    Attributes
    ----------
    populations, connections
        The network. Populations are kept in the order given.
    encoder, decoder
        Entrance and exit.
    period
        Steps from one sample's beginning to the next one's.
    refresh
        Samples after which the populations begin anew, each in its own window. 1: each sample by
        itself; more: so many are frames of one stream; 0: all of them are.
    scheme, target
        Names of the conversion scheme and of the hardware target.
    provenance
        JSON-like: sha-256 of the ONNX file, versions, options, findings of the compiler.
    """

    populations: tuple[Population, ...]
    connections: tuple[Connection, ...]
    encoder: Encoder
    decoder: Decoder
    period: int
    scheme: str = "rate"
    target: str = "loihi2"
    provenance: Mapping[str, Any] = field(default_factory=dict)
    refresh: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "populations", tuple(self.populations))
        object.__setattr__(self, "connections", tuple(self.connections))
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))
        if type(self.period) is not int or not 1 <= self.period <= MAX_PERIOD:
            raise ProgramError(
                f"the period is {shown(self.period)}, not a number of steps of 1..{MAX_PERIOD}"
            )
        self._check_refresh()
        for what, parts in (("populations", self.populations), ("connections", self.connections)):
            if len(parts) > MAX_PARTS:
                raise ProgramError(f"{len(parts)} {what}; the limit is {MAX_PARTS}")
        if not self.populations:
            raise ProgramError("the program has no population")
        names = [p.name for p in self.populations]
        if len(set(names)) != len(names):
            raise ProgramError("two populations share a name")
        if self.decoder.population not in names:
            raise ProgramError(
                f"the decoder reads {shown(self.decoder.population)}, which is missing"
            )
        if self.decoder.tail >= self.period:
            raise ProgramError(
                f"the decoder leaves out {shown(self.decoder.tail)} of {self.period} steps"
            )
        for p in self.populations:
            try:
                p.neuron.check_period(self.period)
            except ProgramError as error:
                raise ProgramError(error.message, place=p.name) from None
        self.encoder.check_period(self.period)
        for connection in self.connections:
            self._check_connection(connection)
        graded = tuple(
            replace(c, graded=True) if not c.graded and self.is_graded(c.source) else c
            for c in self.connections
        )
        object.__setattr__(self, "connections", graded)

    def _check_refresh(self) -> None:
        """A number, and of 1 alone where neurons cannot go on from sample to sample."""
        if type(self.refresh) is not int or not 0 <= self.refresh < 2**31:
            raise ProgramError(f"refresh is {shown(self.refresh)}, not a number of samples")
        for p in self.populations:
            if self.refresh != 1 and not p.neuron.streams:
                raise ProgramError(
                    f"neurons of the kind {p.neuron.kind!r} begin anew at every sample, not after "
                    f"{self.refresh or 'all'}",
                    place=p.name,
                )

    @property
    def clock(self) -> int:
        """Steps after which a population begins anew; more than any run has where it never does."""
        return self.period * self.refresh if self.refresh else _ENDLESS

    @property
    def is_stream(self) -> bool:
        """Whether its samples are frames of a stream: what one leaves behind the next finds."""
        return self.refresh != 1

    @cached_property
    def alone(self) -> Program:
        """The same for samples that have nothing to do with each other."""
        return replace(self, refresh=1) if self.is_stream else self

    def _check_connection(self, connection: Connection) -> None:
        """Shapes and message kinds of one connection fit the populations at its ends."""
        by_name = self._by_name
        if connection.target not in by_name or not (
            connection.source == INPUT or connection.source in by_name
        ):
            raise ProgramError("an end of the connection is missing", place=connection.name)
        source_shape = self.shape_of(connection.source)
        target = by_name[connection.target]
        try:
            size = connection.synapses.output_size(source_shape)
            if isinstance(connection.synapses, Convolution):
                out = connection.synapses.output_shape(source_shape)
                if out != target.shape:
                    raise ProgramError(f"the convolution yields {out}, not {target.shape}")
        except ProgramError as error:
            raise ProgramError(error.message, place=connection.name) from None
        if size != target.size:
            raise ProgramError(f"{size} targets for {target.size} neurons", place=connection.name)

    def sends(self, name: str) -> tuple[int, int]:
        """Lowest and highest message of a population, or of the input.

        Parameters
        ----------
        name
            Of a population; ``"input"`` for the input.

        Returns
        -------
        tuple of int
            Two integers as messages carry them; ``(0, 1)`` of binary spikes.

        Raises
        ------
        UsageError
            There is no population of that name.
        """
        return self.encoder.message_range if name == INPUT else self.population(name).neuron.sends

    def is_graded(self, name: str) -> bool:
        """Whether the messages of a population, or of the input, carry more than "a spike".

        Parameters
        ----------
        name
            Of a population; ``"input"`` for the input.

        Returns
        -------
        bool

        Raises
        ------
        UsageError
            There is no population of that name.
        """
        if name == INPUT:
            return self.encoder.is_graded
        return self.population(name).neuron.is_graded

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Shape of a population, or of the input.

        Parameters
        ----------
        name
            Of a population; ``"input"`` for the input.

        Returns
        -------
        tuple of int
            Shape in neurons (or inputs), without samples and steps: (C, H, W) or (N,).

        Raises
        ------
        UsageError
            There is no population of that name.
        """
        return self.encoder.shape if name == INPUT else self.population(name).shape

    def population(self, name: str) -> Population:
        """The population of that name.

        Parameters
        ----------
        name
            Of a population.

        Returns
        -------
        Population

        Raises
        ------
        UsageError
            There is no population of that name.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UsageError(
                f"{shown(name)} is no population; there are: {', '.join([*self._by_name][:30])}",
                place="population",
            ) from None

    def incoming(self, name: str) -> tuple[Connection, ...]:
        """Connections that end at a population.

        Parameters
        ----------
        name
            Of a population.

        Returns
        -------
        tuple of Connection
            In program order; empty where none ends there.
        """
        return self._by_target.get(name, ())

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    @cached_property
    def _by_target(self) -> dict[str, tuple[Connection, ...]]:
        found: dict[str, list[Connection]] = {}
        for connection in self.connections:
            found.setdefault(connection.target, []).append(connection)
        return {name: tuple(ending) for name, ending in found.items()}

    @cached_property
    def graph(self) -> nx.MultiDiGraph:
        """Populations as nodes, connections as edges."""
        import networkx as nx

        graph = nx.MultiDiGraph()
        graph.add_node(INPUT)
        graph.add_nodes_from(p.name for p in self.populations)
        graph.add_edges_from((c.source, c.target) for c in self.connections)
        return graph

    @cached_property
    def components(self) -> tuple[tuple[Population, ...], ...]:
        """Populations in groups, sources before targets; ties in program order.

        A group is one population, or all populations that are on cycles with each other (a
        strongly connected component), or between the ends of a connection that holds messages
        back within their window: those have to be stepped together.
        """
        rank = {p.name: i for i, p in enumerate(self.populations)} | {INPUT: -1}
        held = [c for c in self.connections if self._is_held(c)]
        if not held and all(rank[c.source] < rank[c.target] for c in self.connections):
            return tuple((p,) for p in self.populations)
        # Only here: it takes longer to load than most programs to run.
        import networkx as nx

        graph = nx.DiGraph(self.graph)
        graph.add_edges_from((c.target, c.source) for c in held)
        condensed = nx.condensation(graph)
        members = {
            node: sorted(names, key=rank.__getitem__)
            for node, names in condensed.nodes(data="members")
        }
        first = {node: rank[names[0]] for node, names in members.items()}
        order = nx.lexicographical_topological_sort(condensed, key=first.__getitem__)
        return tuple(
            tuple(self.population(name) for name in members[node])
            for node in order
            if members[node] != [INPUT]
        )

    @cached_property
    def order(self) -> tuple[Population, ...]:
        """Populations, sources before targets as far as there are no cycles."""
        return tuple(p for component in self.components for p in component)

    @cached_property
    def recurrent(self) -> frozenset[str]:
        """Names of the connections within components: on a cycle, or held back."""
        together = {p.name: k for k, c in enumerate(self.components) for p in c}
        return frozenset(
            c.name
            for c in self.connections
            if c.source != INPUT and together[c.source] == together[c.target]
        )

    def _is_held(self, c: Connection) -> bool:
        """Whether messages arrive later in their window, and the source is silent for as long."""
        return (
            c.source != INPUT
            and self.lead(c) > 0
            and self.lead(c) <= silent_steps(self, c.source, self._clocks)
        )

    def lead(self, connection: Connection) -> int:
        """Steps from the window that a message is sent in to its arrival, less the target's phase.

        0: the message of step tau of the source's window arrives at step tau of the target's.

        Parameters
        ----------
        connection
            One of `connections`.

        Returns
        -------
        int
            Steps; negative where it arrives before the target's window begins.
        """
        if connection.source == INPUT:
            fires = 1
        else:
            fires = self.population(connection.source).fire_phase(self.period)
        return fires + connection.delay - self.population(connection.target).phase

    @property
    def is_aligned(self) -> bool:
        """Whether samples do not mix: windows meet, and each begins anew (`refresh`).

        Then each can be simulated alone.
        """
        return not self.is_stream and self.windows_meet

    @cached_property
    def windows_meet(self) -> bool:
        """Whether every message arrives in its target's window of the same sample.

        1. A connection between components: windows meet exactly.
        2. A connection within one: a message may arrive later in its window, if the source is
           quiet at the window's end for as long (`Neuron.quiet_steps`), or is inhibited for as
           long by what nothing else reaches (`silence`), and nobody fires before the first window.
        """
        inhibited = False
        for c in self.connections:
            late = self.lead(c)
            if c.name not in self.recurrent:
                if late != 0:
                    return False
                continue
            source = self.population(c.source).neuron
            inhibited |= late > source.quiet_steps
            if source.answers_after or not 0 <= late <= silent_steps(self, c.source, self._clocks):
                return False
        return not inhibited or all(p.neuron.rests(p.phase - 1) for p in self.populations)

    @cached_property
    def _clocks(self) -> tuple[Connection, ...]:
        """Connections from populations that nothing reaches, whose windows are their targets'."""
        return tuple(
            c
            for c in self.connections
            if c.source != INPUT
            and not self.incoming(c.source)
            and self.population(c.source).fire_phase(1) == self.population(c.source).phase
            and self.lead(c) == 0
        )

    def window_code(self, name: str) -> WindowCode | None:
        """How a population, or the input, says an integer in a window.

        Parameters
        ----------
        name
            Of a population; ``"input"`` for the input.

        Returns
        -------
        WindowCode or None
            None where a window's messages say no integer.

        Raises
        ------
        UsageError
            There is no population of that name.
        """
        if name == INPUT:
            return self.encoder.code.window_code(self.encoder, self.period)
        return self.population(name).neuron.window_code(self.period)

    @cached_property
    def is_window_coded(self) -> bool:
        """Whether all messages of a window, of each neuron and of each input, say one integer."""
        names = [INPUT, *(p.name for p in self.populations)]
        return all(self.window_code(name) is not None for name in names)

    @property
    def latency(self) -> int:
        """Steps from a sample's first input to the last step of its output window."""
        readout = self.population(self.decoder.population)
        settled = readout.neuron.settled_before if not readout.neuron.fires else 0
        return readout.phase + self.decoder.read_steps(self.period) - 1 - settled

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of a sample's outputs, as the decoder reads them."""
        shape = self.population(self.decoder.population).shape
        return self.decoder.output_shape(shape, self.period)

    @property
    def neurons(self) -> int:
        """Number of neurons, input excluded."""
        return sum(p.size for p in self.populations)

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return prod(self.encoder.shape)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights as they are stored, a shared weight once."""
        return sum(int(c.synapses.weights.nbytes) for c in self.connections)

    @property
    def synapses(self) -> int:
        """Number of synapses, a shared weight once for each use."""
        return sum(c.synapses.synapse_count(self.shape_of(c.source)) for c in self.connections)

    def recorded(self, part: str) -> Mapping[str, Any]:
        """What `provenance` says of a part, such as ``model``; empty where it says nothing.

        Whoever made the program wrote it: what is no mapping counts as nothing, and the values of
        a mapping may be anything.

        Parameters
        ----------
        part
            Name of the part.

        Returns
        -------
        Mapping
            JSON-like.
        """
        value = self.provenance.get(part)
        return value if isinstance(value, Mapping) else {}

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {
            "scheme": self.scheme,
            "target": self.target,
            "populations": len(self.populations),
            "neurons": self.neurons,
            "latency": self.latency,
            "period": self.period,
            **({"refresh": self.refresh} if self.is_stream else {}),
        }

    def records(self) -> list[dict[str, Any]]:
        """A row a population.

        Returns
        -------
        list of dict
            Name, shape, kind and parameters of each, in program order.
        """
        rows = [population_row(self, p) for p in self.populations]
        return [row | {"shape": "x".join(map(str, row["shape"]))} for row in rows]

    def to_dict(self) -> dict[str, Any]:
        """All of it but the weights, as `inspect --json` has it.

        Returns
        -------
        dict
            JSON-like; `docs/schemas/inspect.json` says its keys.
        """
        return whole(self, INPUT)

    def is_stock(self, name: str) -> bool:
        """Whether a chip (and Lava) has the neurons of a population without microcode of ours.

        Parameters
        ----------
        name
            Of a population.

        Returns
        -------
        bool

        Raises
        ------
        UsageError
            There is no population of that name.
        """
        neuron = self.population(name).neuron
        return neuron.is_stock and neuron.is_stock_with(self.incoming(name))

    @property
    def needs_microcode(self) -> bool:
        """Whether any neuron is not a stock one (Loihi 2 only)."""
        return any(not self.is_stock(p.name) for p in self.populations)

    def save(self, path: str | Path) -> None:
        """Write the program to one ``.ndp`` file; whole or not at all.

        Parameters
        ----------
        path
            Of the file; one that is there is replaced.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        from neurodeploy.program.storage_writing import save

        save(self, path)
