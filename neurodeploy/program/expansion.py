"""Populations of multi-level firing written out as integrate-and-fire populations.

For targets without microcode or without messages that carry integers: a population of K levels
becomes K stock ones, each with every connection, and what it sends is the sum of what they send.
Equal spike by spike and membrane by membrane, at K times the neurons and, between two of them, K^2
connections.
"""

from __future__ import annotations

from dataclasses import replace

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons import Levels
from neurodeploy.program.program import Connection, Population, Program

__all__ = ["expand_levels", "level_name"]


def level_name(population: str, level: int) -> str:
    """Name of a level's population; levels count from 1."""
    return f"{population}.level{level}"


def expand_levels(program: Program) -> Program:
    """The program with a population for each level; itself where no neuron has levels.

    Raises
    ------
    ProgramError
        The decoder reads a population of several levels, or a name is taken.
    """
    parts: dict[str, tuple[str, ...]] = {}
    populations: list[Population] = []
    for p in program.populations:
        if not isinstance(p.neuron, Levels):
            populations.append(p)
            continue
        count = len(p.neuron.thresholds)
        parts[p.name] = tuple(level_name(p.name, k + 1) for k in range(count))
        populations += [
            replace(p, name=name, neuron=p.neuron.level(k)) for k, name in enumerate(parts[p.name])
        ]
    if not parts:
        return program
    if program.decoder.population in parts:
        raise ProgramError(
            "the output is read from a population of several levels, which cannot be split",
            place=program.decoder.population,
            remedy="let a layer without neurons read it, whose membrane is the output",
        )
    connections: list[Connection] = [
        replace(c, source=source, target=target, graded=c.graded and c.source not in parts)
        for c in program.connections
        for target in parts.get(c.target, (c.target,))
        for source in parts.get(c.source, (c.source,))
    ]
    return replace(program, populations=tuple(populations), connections=tuple(connections))
