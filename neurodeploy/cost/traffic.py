"""What a mapped program sends through the mesh, and what each core has to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.cost.fan_out import fan_out_into
from neurodeploy.cost.firing import Firing
from neurodeploy.errors import UsageError
from neurodeploy.mapping.mapping import Core, Mapping, Part
from neurodeploy.program import INPUT, Program

__all__ = ["Traffic", "traffic"]


@dataclass(frozen=True)
class Traffic:
    """Totals over all samples.

    A message is a spike (or graded spike) on its way to one core: a spike that three cores listen
    to makes three, however many synapses it meets there.

    Attributes
    ----------
    messages
        On one chip, source and target known.
    hops_east_west, hops_north_south
        Of those messages: distances between the cores' places in the mesh, first along one axis,
        then along the other. None between cores that share a place.
    off_chip
        Messages to a core of another chip.
    from_outside
        Messages of input that the mapping gives no core: their way is not known.
    operations, neurons
        Synaptic operations and (not a total) neurons of each core, in the order of
        `Mapping.cores`.
    """

    messages: int
    hops_east_west: int
    hops_north_south: int
    off_chip: int
    from_outside: int
    operations: tuple[int, ...]
    neurons: tuple[int, ...]


def traffic(program: Program, mapping: Mapping, firing: Firing) -> Traffic:
    """Count messages and hops from what every neuron sent.

    Raises
    ------
    UsageError
        The mapping is not of this program.
    """
    _check(program, mapping)
    cores = {core.index: core for core in mapping.cores}
    parts: dict[str, list[Part]] = {name: [] for name in (INPUT, *_names(program))}
    for part in mapping.parts:
        parts[part.population].append(part)
    load = dict.fromkeys(cores, 0)
    messages = east_west = north_south = off_chip = outside = 0
    for source, sources in parts.items():
        sent = firing.sent[source]
        shape = program.shape_of(source)
        for target, fan_out in _listeners(program, source, parts):
            load[target] += int(sent @ fan_out)
            arriving = np.where(fan_out > 0, sent, 0).reshape(shape)
            if not sources:
                outside += int(arriving.sum())
            for part in sources:
                count = int(arriving[tuple(slice(*ends) for ends in part.box)].sum())
                origin, goal = cores[part.core], cores[target]
                if origin.chip != goal.chip:
                    off_chip += count
                    continue
                messages += count
                east_west += count * abs(origin.x - goal.x)
                north_south += count * abs(origin.y - goal.y)
    held = dict.fromkeys(cores, 0)
    for part in mapping.parts:
        # the input's are encoded elsewhere: its cores pass them on
        held[part.core] += part.neurons if part.population != INPUT else 0
    return Traffic(
        messages,
        east_west,
        north_south,
        off_chip,
        outside,
        tuple(load.values()),
        tuple(held.values()),
    )


def _names(program: Program) -> tuple[str, ...]:
    return tuple(p.name for p in program.populations)


def _listeners(
    program: Program, source: str, parts: dict[str, list[Part]]
) -> Iterator[tuple[int, np.ndarray]]:
    """Each core that listens to a population, and each source neuron's synapses there."""
    by_core: dict[int, list[tuple[int, Part]]] = {}
    outgoing = [c for c in program.connections if c.source == source]
    for number, connection in enumerate(outgoing):
        for part in parts[connection.target]:
            by_core.setdefault(part.core, []).append((number, part))
    shape = program.shape_of(source)
    for core, met in by_core.items():
        total = np.zeros(prod(shape), np.int64)
        for number, part in met:
            connection = outgoing[number]
            to = program.shape_of(connection.target)
            total += fan_out_into(connection.synapses, shape, to, part.box)
        yield core, total


def _check(program: Program, mapping: Mapping) -> None:
    """Every neuron of the program lies on a core of the mapping, exactly once."""

    def refuse(what: str) -> UsageError:
        return UsageError(
            f"the mapping is not of this program: {what}",
            place="mapping",
            remedy="map the program that is costed",
        )

    cores: dict[int, Core] = {core.index: core for core in mapping.cores}
    placed = {name: np.zeros(program.shape_of(name), np.int32) for name in _names(program)}
    placed[INPUT] = np.zeros(program.encoder.shape, np.int32)
    for part in mapping.parts:
        grid = placed.get(part.population)
        if grid is None:
            raise refuse(f"it has a population {part.population!r}")
        if len(part.box) != grid.ndim or any(
            not 0 <= begin < end <= size
            for (begin, end), size in zip(part.box, grid.shape, strict=False)
        ):
            raise refuse(f"a part of {part.population!r} is {part.box} of {grid.shape}")
        if part.core not in cores:
            raise refuse(f"a part of {part.population!r} is on core {part.core}, which is missing")
        grid[tuple(slice(*ends) for ends in part.box)] += 1
    for name, grid in placed.items():
        if not (grid == 1).all() and not (name == INPUT and not grid.any()):
            raise refuse(f"neurons of {name!r} are on no core or on several")
