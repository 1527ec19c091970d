"""Program -> Lava processes: source, connections, populations, recorders.

Which process stands for what does not depend on whose models run them (`worker` chooses),
save for two things that Lava's own need: a `Recorder` for each `LIFReset`, and `Sparse` in the
place of a `Conv` that would take far longer.

Every number reaches Lava unchanged; what it does with them on the way is undone here:

- `Dense` and `Sparse` keep even weights only where signs are mixed (Loihi's format), so
  they get twice the weight and one exponent less.
- `Conv` ignores its exponent, convolves where ONNX correlates, pads both ends alike and
  wraps its sums to 24 bit: exponent and flip go into the weights, and a convolution that
  still does not fit becomes `Sparse` (`limits.suits_conv`).
- A connection takes one step of time; further delay is a process before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from neurodeploy.lava.compat import import_lava
from neurodeploy.lava.layout import lava_order, lava_shape, triplets, unique_layers
from neurodeploy.lava.limits import check_range, suits_conv
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Dense,
    Program,
    Synapses,
)
from neurodeploy.program.neurons.graded_relu import is_whole

__all__ = ["Begin", "Lowered", "lower"]

#: Lava reads a variable a number at a time: no more than so many.
_READABLE = 200_000
#: Any number above 0 makes a connection of Lava read payloads instead of spikes.
_GRADED_BITS = 24


@dataclass(frozen=True)
class Begin:
    """When a process has to be set to its beginning, and to what.

    Attributes
    ----------
    phase, clock
        Before each step with ``step % clock == phase % clock``.
    values
        In Lava's order, by name of the variable.
    """

    phase: int
    clock: int
    values: dict[str, np.ndarray]

    def at(self, step: int) -> bool:
        """Whether it is set before this step."""
        return (step - self.phase) % self.clock == 0


@dataclass(frozen=True)
class Lowered:
    """A program as connected Lava processes, not yet compiled by Lava.

    Attributes
    ----------
    source
        The input; running it runs all.
    populations
        By population name.
    recorders
        By population name, of those that do not write their own recording.
    connections
        By ``source->target``; several processes where Lava needs them.
    sinks
        By population name, of programs of nothing but Lava's own processes: Lava's ring buffers,
        which are read when the run is over.
    begins
        By population name, of processes of Lava's that the host sets to their beginning.
    """

    source: Any
    populations: dict[str, Any]
    recorders: dict[str, Any]
    connections: dict[str, list[Any]]
    sinks: dict[str, Any] = field(default_factory=dict)
    begins: dict[str, Begin] = field(default_factory=dict)


def lower(
    program: Program,
    folder: Path,
    *,
    largest: int,
    membranes: tuple[str, ...] = (),
    stock: bool = False,
) -> Lowered:
    """Build the Lava processes of a program. Imports Lava.

    Parameters
    ----------
    folder
        Holds ``messages.npy`` (steps, inputs), each row in Lava's order; ``spikes-K.bin``,
        ``membrane-K.bin`` and ``messages-K.bin`` are written there, K the population's number.
    largest
        Largest magnitude among the messages.
    membranes
        Populations whose membrane is recorded, too.
    stock
        For Lava's own models; otherwise for those of `neurodeploy.lava.fast`.

    Raises
    ------
    DeploymentError
        Lava cannot be imported or cannot compute the program exactly.
    """
    check_range(program, largest)
    import_lava()
    from neurodeploy.lava.neurons import Window, process_of, variables_of
    from neurodeploy.lava.processes.kinds import Delay

    recordings = {
        p.name: {
            "spikes": str(folder / f"spikes-{k}.bin"),
            "membranes": str(folder / f"membrane-{k}.bin") if p.name in membranes else "",
            "messages": str(folder / f"messages-{k}.bin") if p.neuron.is_graded else "",
        }
        for k, p in enumerate(program.populations)
    }
    windows = {
        p.name: Window(p, program.clock, p.phase, recordings[p.name], program.is_stock(p.name))
        for p in program.populations
    }
    populations = {p.name: process_of(p.neuron, windows[p.name]) for p in program.populations}
    variables = {p.name: variables_of(p.neuron, windows[p.name]) for p in program.populations}
    shipped = _is_shipped(program, populations)
    source = _source(program, folder, shipped)
    ports = {INPUT: source.s_out} | {name: p.s_out for name, p in populations.items()}
    delays: dict[tuple[str, int], Any] = {}
    connections: dict[str, list[Any]] = {}
    for connection in program.connections:
        port = ports[connection.source]
        extra = connection.delay - 1
        if extra and not shipped:
            key = (connection.source, extra)
            if key not in delays:
                delays[key] = Delay(shape=port.shape, steps=extra, name=f"{key[0]}+{extra}")
                port.connect(delays[key].s_in)
            port = delays[key].s_out
        parts = _connection(program, connection, largest, stock, extra if shipped else 0)
        target = populations[connection.target].a_in
        for part in parts:
            (port if part.s_in.shape == port.shape else port.flatten()).connect(part.s_in)
            out = part.a_out
            (out if out.shape == target.shape else out.reshape(target.shape)).connect(target)
        connections.setdefault(connection.name, []).extend(parts)
    _tie_loose_ends(program, source, populations)
    seen = any("v" in program.population(name).neuron.start(1) for name in membranes)
    sinks = _sinks(source, populations) if shipped and stock and not seen else {}
    kept = {name: of.membrane for name, of in variables.items()}
    recorders = {} if sinks else _recorders(program, populations, recordings, stock, kept)
    begins = {
        name: Begin(program.population(name).phase, program.clock, dict(of.begin))
        for name, of in variables.items()
        if of.begin
    }
    return Lowered(source, populations, recorders, connections, sinks, begins)


def _is_shipped(program: Program, populations: dict[str, Any]) -> bool:
    """Whether all is made of what Lava ships: integers through its own neurons."""
    return all(
        p.neuron.is_graded and type(populations[p.name]).__module__.startswith("lava.")
        for p in program.populations
    )


def _source(program: Program, folder: Path, shipped: bool) -> Any:
    """The input: a file, or Lava's ring buffer, which every process of Lava gets a copy of."""
    from lava.proc.io.source import RingBuffer

    from neurodeploy.lava.processes.kinds import Source

    shape = lava_shape(program.encoder.shape)
    path = folder / "messages.npy"
    if not shipped:
        return Source(shape=shape, path=str(path), name=INPUT)
    rows = np.load(path, allow_pickle=False).astype(np.int32)
    return RingBuffer(data=np.moveaxis(rows.reshape(-1, *shape), 0, -1))


def _sinks(source: Any, populations: dict[str, Any]) -> dict[str, Any]:
    """Lava's ring buffers for all that is sent; none where they would take too long to read."""
    from lava.proc.io.sink import RingBuffer

    steps = source.data.shape[-1]
    if steps * sum(int(np.prod(p.s_out.shape)) for p in populations.values()) > _READABLE:
        return {}
    sinks = {}
    for name, population in populations.items():
        sinks[name] = RingBuffer(shape=population.s_out.shape, buffer=steps)
        population.s_out.connect(sinks[name].a_in)
    return sinks


def _recorders(
    program: Program,
    populations: dict[str, Any],
    recordings: dict[str, dict[str, str]],
    stock: bool,
    kept: dict[str, str],
) -> dict[str, Any]:
    """A `Recorder` for each of Lava's own neurons that our models do not record for."""
    from lava.proc.lif.process import LIFReset

    from neurodeploy.lava.neurons.process import WindowProcess
    from neurodeploy.lava.processes.kinds import Recorder

    recorders = {}
    for name, population in populations.items():
        recorded = WindowProcess if stock else (WindowProcess, LIFReset)
        if not isinstance(population, recorded):
            files = recordings[name]
            recorder = recorders[name] = Recorder(
                shape=population.s_out.shape, name=f"record {name}", **files
            )
            population.s_out.connect(recorder.s_in)
            if files["membranes"]:
                recorder.state.connect_var(getattr(population, kept[name]))
    return recorders


def _connection(
    program: Program, connection: Connection, largest: int, stock: bool, wait: int
) -> list[Any]:
    """The Lava connection processes whose sum is one connection of the program.

    `wait`: steps that messages wait in the synapses.
    """
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import Dense as LavaDense
    from lava.utils.weightutils import SignMode

    synapses = connection.synapses
    source_shape = program.shape_of(connection.source)
    target_shape = program.shape_of(connection.target)
    bits = _GRADED_BITS if connection.graded else 0
    synapses, exponent = _shifted(program, connection)
    plain = not wait and (synapses, exponent) == (connection.synapses, connection.exponent)
    if (
        plain
        and isinstance(synapses, Convolution)
        and suits_conv(program, connection, largest, stock)
    ):
        flipped = synapses.weights.transpose(0, 3, 2, 1)[:, ::-1, ::-1, :]
        top, left, _, _ = synapses.padding
        return [
            Conv(
                weight=flipped.astype(np.int32) << connection.exponent,
                input_shape=lava_shape(source_shape),
                padding=(left, top),
                stride=synapses.stride[::-1],
                dilation=synapses.dilation[::-1],
                groups=synapses.groups,
                num_message_bits=bits,
                name=connection.name,
            )
        ]
    if isinstance(synapses, Dense) and not wait:
        rows, columns = lava_order(target_shape), lava_order(source_shape)
        return [
            LavaDense(
                weights=2 * synapses.weights[np.ix_(rows, columns)].astype(np.int32),
                weight_exp=exponent - 1,
                sign_mode=SignMode.MIXED,
                num_message_bits=bits,
                name=connection.name,
            )
        ]
    rows, columns, weights = triplets(synapses, source_shape)
    to_row = np.argsort(lava_order(target_shape))
    to_column = np.argsort(lava_order(source_shape))
    size = (to_row.size, to_column.size)
    return [
        _sparse((to_row[r], to_column[c], w), size, exponent, bits, connection.name, wait)
        for r, c, w in unique_layers((rows, columns, weights))
    ]


def _shifted(program: Program, connection: Connection) -> tuple[Synapses, int]:
    """Synapses and exponent, those of a neuron that leaves its shift to them among them.

    What is whole behind the shift needs none.
    """
    synapses, exponent = connection.synapses, connection.exponent
    down = program.population(connection.target).neuron.synapse_shift
    if not down or not program.is_stock(connection.target):
        return synapses, exponent
    if down <= exponent or not is_whole(connection, down):
        return synapses, exponent - down
    weights = synapses.weights >> (down - exponent)
    return replace(synapses, weights=weights.astype(np.int8)), 0


def _sparse(
    synapses: tuple[np.ndarray, np.ndarray, np.ndarray],
    size: tuple[int, int],
    exponent: int,
    bits: int,
    name: str,
    wait: int = 0,
) -> Any:
    """Lava's `Sparse`, or `DelaySparse`, for a list of synapses in Lava's order."""
    from lava.proc.sparse.process import DelaySparse, Sparse
    from lava.utils.weightutils import SignMode
    from scipy.sparse import csr_matrix

    rows, columns, weights = synapses
    matrix = csr_matrix((2 * weights.astype(np.int32), (rows, columns)), shape=size, dtype=np.int32)
    if wait:
        delays = csr_matrix((np.full(rows.size, wait), (rows, columns)), shape=size, dtype=int)
        return DelaySparse(
            weights=matrix,
            delays=delays,
            weight_exp=exponent - 1,
            sign_mode=SignMode.MIXED,
            num_message_bits=bits,
            name=name,
        )
    return Sparse(
        weights=matrix,
        weight_exp=exponent - 1,
        sign_mode=SignMode.MIXED,
        num_message_bits=bits,
        name=name,
    )


def _tie_loose_ends(program: Program, source: Any, populations: dict[str, Any]) -> None:
    """Connect what does not hang together with the input to it, by a matrix without weights.

    Lava runs what it can reach from one process. Populations without synapses are tied, too, and
    one of each part of the network that no input reaches: a cycle may live on its biases.
    """
    empty = np.zeros(0, np.int64)
    sources = int(np.prod(source.s_out.shape))
    loose = {p.name for p in program.populations if not program.incoming(p.name)}
    for part in nx.weakly_connected_components(program.graph):
        if INPUT not in part and not part & loose:
            loose.add(min(part))
    for population in program.populations:
        if population.name in loose:
            none = (empty, empty, empty.astype(np.int8))
            tie = _sparse(none, (population.size, sources), 0, 0, f"{INPUT}->{population.name}")
            flat = source.s_out if len(source.s_out.shape) == 1 else source.s_out.flatten()
            flat.connect(tie.s_in)
            target = populations[population.name].a_in
            out = tie.a_out
            (out if out.shape == target.shape else out.reshape(target.shape)).connect(target)
