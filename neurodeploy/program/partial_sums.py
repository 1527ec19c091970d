"""Sums of more sources than a core holds, in parts: helper neurons, one step later, exact.

Helpers send at each step what arrived in it as one signed message (`Neuron.passes_sums`), and a
neuron adds up those of its helpers. What reaches it at a step is what reached it a step before
without helpers, so all that it does is the same, a step later (`docs/semantics.md`, section 19).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.divided_synapses import Divided, divide, put_together
from neurodeploy.program.intervals import interval, message_range
from neurodeploy.program.neurons import GradedRelu
from neurodeploy.program.program import INPUT, Connection, Population, Program

__all__ = ["Helped", "helped", "joined", "sum_in_parts", "sum_range"]

#: Steps that a message may be under way.
_LONGEST_DELAY = 62


@dataclass(frozen=True)
class Helped:
    """A connection that leads over helpers: to them, and on from them."""

    helpers: Population
    arriving: Connection
    leaving: Connection


def sum_range(program: Program, connection: Connection, made: Divided) -> tuple[int, int]:
    """Lowest and highest sum of a part, over all helpers, whatever the sources send at a step."""
    plain = replace(connection, synapses=made.parts, exponent=0)
    low, high = interval(made.shape, [(plain, message_range(program, connection))])
    return int(low.min(initial=0)), int(high.max(initial=0))


def sum_in_parts(program: Program, numbers: Mapping[int, int]) -> Program:
    """The program with helpers in some of its connections; what it computes stays the same.

    Parameters
    ----------
    numbers
        By position among the connections, into how many parts its sources are divided
        (`divided_synapses.divisors`).

    Raises
    ------
    ProgramError
        The program has cycles or mixes samples; a sum may be larger than a message; a message
        would have to wait for longer than synapses can.
    """
    if not numbers:
        return program
    if program.recurrent or not program.windows_meet:
        raise ProgramError("its windows depend on one another: sums in parts would shift them")
    place = {id(c): k for k, c in enumerate(program.connections)}
    later = {INPUT: 0}
    for p in program.order:
        later[p.name] = max(
            (later[c.source] + (place[id(c)] in numbers) for c in program.incoming(p.name)),
            default=0,
        )
    names = {p.name for p in program.populations}
    connections: list[Connection] = []
    helpers: dict[str, list[Population]] = {}
    for k, c in enumerate(program.connections):
        wait = later[c.target] - later[c.source]
        if k not in numbers:
            connections.append(_delayed(c, c.delay + wait))
            continue
        target = program.population(c.target)
        name = _fresh(f"{c.target}.sums", names)
        made = divide(c.synapses, program.shape_of(c.source), target.shape, numbers[k])
        # one more than the largest: so the kind proves that nothing is cut
        bits = (1 + max(map(abs, sum_range(program, c, made)))).bit_length()
        if bits > GradedRelu.widest:
            raise ProgramError(
                f"a sum of a part may take {bits} bits and a sign, a message holds "
                f"{GradedRelu.widest}",
                place=c.name,
            )
        helper = Population(
            name,
            made.shape,
            GradedRelu(np.zeros(prod(made.shape), np.int32), 0, bits, signed=True),
            target.phase + later[c.source],
            spike_value=target.membrane_unit,
            membrane_unit=target.membrane_unit,
        )
        helpers.setdefault(c.target, []).append(helper)
        connections.append(replace(c, target=name, synapses=made.parts, exponent=0))
        connections.append(
            _delayed(replace(c, source=name, synapses=made.gather, graded=True), wait)
        )
    populations = [
        each
        for p in program.populations
        for each in (*helpers.get(p.name, ()), replace(p, phase=p.phase + later[p.name]))
    ]
    return replace(program, populations=tuple(populations), connections=tuple(connections))


def _delayed(connection: Connection, delay: int) -> Connection:
    if delay > _LONGEST_DELAY:
        raise ProgramError(
            f"messages would wait {delay} steps, the limit is {_LONGEST_DELAY}",
            place=connection.name,
        )
    return replace(connection, delay=delay)


def _fresh(name: str, names: set[str]) -> str:
    """A name that is not taken, which it then is."""
    found, number = name, 2
    while found in names or found == INPUT:
        found, number = f"{name}{number}", number + 1
    names.add(found)
    return found


def helped(program: Program) -> tuple[Helped, ...]:
    """The connections over helpers whose sums are proved to fit their messages.

    By what they are, whoever made them.
    """
    if not any(p.neuron.passes_sums for p in program.populations):
        return ()
    if program.recurrent or not program.windows_meet:
        return ()
    found = []
    for p in program.populations:
        if not p.neuron.passes_sums or p.name == program.decoder.population:
            continue
        arriving = program.incoming(p.name)
        leaving = [c for c in program.connections if c.source == p.name]
        if len(arriving) != 1 or len(leaving) != 1 or arriving[0].exponent:
            continue
        low, high = interval(p.shape, [(arriving[0], message_range(program, arriving[0]))])
        least, most = p.neuron.sends
        waits = arriving[0].delay + leaving[0].delay
        if least <= low.min() and high.max() <= most and waits <= _LONGEST_DELAY:
            found.append(Helped(p, arriving[0], leaving[0]))
    # helpers of helpers: those nearest to the sources only
    names = {way.helpers.name for way in found}
    return tuple(way for way in found if way.arriving.source not in names)


def joined(program: Program) -> Program:
    """The program without helpers that are proved to add nothing but a step; itself without any.

    All others keep their phases, integers and messages. Kept with the program.
    """
    kept: Program | None = program.__dict__.get("_joined")
    if kept is None:
        kept = program.__dict__["_joined"] = _joined(program)
    return kept


def _joined(program: Program) -> Program:
    instead: dict[int, Connection] = {}
    gone: set[str] = set()
    for way in helped(program):
        synapses = put_together(
            way.arriving.synapses,
            way.leaving.synapses,
            program.shape_of(way.arriving.source),
            way.helpers.shape,
            program.shape_of(way.leaving.target),
        )
        if synapses is None:
            continue
        gone.add(way.helpers.name)
        instead[id(way.arriving)] = replace(
            way.arriving,
            target=way.leaving.target,
            synapses=synapses,
            exponent=way.leaving.exponent,
            delay=way.arriving.delay + way.leaving.delay,
        )
    if not gone:
        return program
    return replace(
        program,
        populations=tuple(p for p in program.populations if p.name not in gone),
        connections=tuple(
            instead.get(id(c), c) for c in program.connections if c.source not in gone
        ),
    )
