"""Neurons that read more sources than a core holds: which of their sums are divided, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.mapping.resources import lone
from neurodeploy.mapping.splitting import Splitter
from neurodeploy.program import Connection, GradedRelu, Program, Synapses
from neurodeploy.program.divided_synapses import Divided, divide, divisors
from neurodeploy.program.limits import MAX_NEURONS_AT_WORK
from neurodeploy.program.partial_sums import sum_in_parts, sum_range
from neurodeploy.targets import Target

__all__ = ["FittedSums", "SumInParts", "fit_sums"]

#: Numbers of parts that are compared: of maps, and where synapses become lists.
_OF_MAPS, _OF_LISTS = 4, 2
#: Most numbers of parts that are looked at to find them.
_LOOKED_AT = 48

Shape = tuple[int, ...]


@dataclass(frozen=True)
class SumInParts:
    """A connection whose sources are divided over helpers.

    Attributes
    ----------
    connection
        Its place in the program.
    layer
        The population whose neurons read too much.
    reads, limit
        What one of its neurons takes of the resource that it exceeds, and what a core has.
    parts, helpers
        Into how many parts the sources are divided, and neurons that add them up.
    cores
        That helpers and layer take.
    """

    connection: int
    layer: str
    resource: str
    reads: int
    limit: int
    parts: int
    helpers: int
    cores: int

    def __str__(self) -> str:
        return (
            f"{self.layer}: sums in {self.parts} parts by {self.helpers:,} helper neurons, a step "
            f"later: {self.resource} a neuron: {self.reads}, limit {self.limit}"
        )


@dataclass(frozen=True)
class FittedSums:
    """A program whose neurons fit a core as far as sums in parts do that.

    Attributes
    ----------
    refused
        Lines on layers whose sums stay whole though they do not fit, and why.
    """

    program: Program
    chosen: tuple[SumInParts, ...] = ()
    refused: tuple[str, ...] = ()


def fit_sums(program: Program, target: Target) -> FittedSums:
    """Divide the sums of neurons that alone exceed a core of the target, where that is exact.

    1. Every neuron fits, or the target's messages carry no integers: the program as it is.
    2. Else the largest connections of such a layer, until it fits; of the numbers of parts whose
       sums provably fit a message, the one that takes the fewest cores.
    3. No such number, cycles, or a message that would wait too long: as it is, and why.
    """
    limits = {
        name: limit
        for name in ("input_axons", "synaptic_words")
        if (limit := getattr(target.core, name)) is not None
    }
    if not limits or target.graded_bits < 2:
        return FittedSums(program)
    place = {id(c): k for k, c in enumerate(program.connections)}
    chosen: list[SumInParts] = []
    refused: list[str] = []
    for p in program.populations:
        incoming = program.incoming(p.name)
        if p.size > MAX_NEURONS_AT_WORK:
            continue
        reads = _reads(program, incoming, target)
        if not _excess(reads, limits):
            continue
        try:
            chosen += _divided(program, p.name, reads, target, limits, place)
        except ProgramError as error:
            refused.append(f"{p.name}: its sums are not divided: {error.message}")
    if not chosen:
        return FittedSums(program, (), tuple(refused))
    try:
        made = sum_in_parts(program, {found.connection: found.parts for found in chosen})
    except ProgramError as error:
        names = ", ".join(dict.fromkeys(found.layer for found in chosen))
        where = f" ({error.place})" if error.place else ""
        line = f"{names}: sums are not divided: {error.message}{where}"
        return FittedSums(program, (), (*refused, line))
    return FittedSums(made, tuple(chosen), tuple(refused))


#: By connection, axons and words that each neuron takes.
Reads = list[dict[str, np.ndarray]]


def _reads(program: Program, incoming: tuple[Connection, ...], target: Target) -> Reads:
    """What every single neuron of a population takes, a connection at a time."""
    return [
        _taken(c.synapses, program.shape_of(c.source), program.population(c.target).shape, target)
        for c in incoming
    ]


def _taken(
    synapses: Synapses, source: Shape, shape: Shape, target: Target
) -> dict[str, np.ndarray]:
    """What each neuron of a population takes for a connection."""
    axons, words = lone(synapses, source, shape, target.memory)
    return {"input_axons": axons, "synaptic_words": words}


def _excess(reads: Reads, limits: dict[str, int]) -> dict[str, int]:
    """Resources of which a neuron takes more than there is, and how much."""
    found = {}
    for name, limit in limits.items():
        worst = int(np.sum([each[name] for each in reads], axis=0).max(initial=0)) if reads else 0
        if worst > limit:
            found[name] = worst
    return found


def _divided(
    program: Program,
    name: str,
    reads: Reads,
    target: Target,
    limits: dict[str, int],
    place: dict[int, int],
) -> list[SumInParts]:
    """The connections of a population that are divided; `reads` is what they take whole.

    Raises
    ------
    ProgramError
        There is no way.
    """
    p = program.population(name)
    incoming = list(program.incoming(name))
    reads = list(reads)
    resource, worst = next(iter(_excess(reads, limits).items()))
    ranked = sorted(
        range(len(incoming)), key=lambda k: -int(reads[k]["synaptic_words"].max(initial=0))
    )
    arriving = [(c.synapses, program.shape_of(c.source)) for c in incoming]
    found: list[SumInParts] = []
    for k in ranked:
        best: tuple[int, int] | None = None
        for number, made in _ways(program, incoming[k], target, limits):
            there = [*arriving[:k], (made.gather, made.shape), *arriving[k + 1 :]]
            cores = _parts(p.shape, there, target)
            cores += _parts(made.shape, [(made.parts, arriving[k][1])], target)
            if best is None or (cores, number) < best[:2]:
                best, kept = (cores, number), made
        if best is None and not divisors(incoming[k].synapses, arriving[k][1]):
            raise ProgramError(
                f"the sources of {incoming[k].name} are no maps with channels, and a list of its "
                f"{incoming[k].synapses.weights.size:,} synapses would be too long"
            )
        if best is None:
            raise ProgramError(
                f"no division of {incoming[k].name} fits a core and, by proof, "
                f"messages of {target.graded_bits} bits"
            )
        arriving[k] = (kept.gather, kept.shape)
        reads[k] = _taken(kept.gather, kept.shape, p.shape, target)
        found.append(
            SumInParts(
                place[id(incoming[k])], name, resource.replace("_", " "), worst,
                limits[resource], best[1], prod(kept.shape), best[0],
            )
        )  # fmt: skip
        if not _excess(reads, limits):
            return found
    raise ProgramError("it reads too many sources even in parts")


def _ways(
    program: Program, connection: Connection, target: Target, limits: dict[str, int]
) -> Iterator[tuple[int, Divided]]:
    """Divisions of a connection whose helpers fit a core, and whose sums fit a message."""
    source = program.shape_of(connection.source)
    shape = program.population(connection.target).shape
    most = min(target.graded_bits - 1, GradedRelu.widest)
    numbers = divisors(connection.synapses, source)
    if not numbers:
        return
    whole = _taken(connection.synapses, source, shape, target)
    least = max(
        -(-int(each.max(initial=0)) // limits.get(name, 2**62)) for name, each in whole.items()
    )
    found = 0
    for number in islice((n for n in numbers if n >= least), _LOOKED_AT):
        made = divide(connection.synapses, source, shape, number)
        low, high = sum_range(program, connection, made)
        if (1 + max(-low, high)).bit_length() > most:
            continue
        if _excess([_taken(made.parts, source, made.shape, target)], limits):
            continue
        yield number, made
        found += 1
        if found == (_OF_LISTS if len(made.shape) == 1 else _OF_MAPS):
            return


def _parts(shape: Shape, arriving: list[tuple[Synapses, Shape]], target: Target) -> int:
    """Cores that a population takes, whatever it sends to."""
    core = replace(target.core, output_axons=None)
    reached = np.zeros(shape, np.int64)
    return Splitter(shape, arriving, reached, core, target.memory).cut().grid.parts
