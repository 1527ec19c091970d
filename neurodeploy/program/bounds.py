"""Worst cases of every accumulator, proved from the integer weights (interval arithmetic).

A bound holds for every input the encoder can send and every spike pattern, so a program
whose bounds stay inside the registers can neither wrap nor clip. What follows from the input of
a neuron for its states is told by its kind (`Neuron.bounds`).
"""

from __future__ import annotations

import numpy as np

from neurodeploy.program.intervals import input_interval, interval, message_range
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.program.neurons.base import Neuron
from neurodeploy.program.neurons.worst_case import Bounds, Drive, Interval
from neurodeploy.program.partial_sums import joined
from neurodeploy.program.program import INPUT, Connection, Population, Program
from neurodeploy.program.weight_sums import weight_sums
from neurodeploy.program.window_codes import OneMessage

__all__ = [
    "Bounds",
    "Interval",
    "bounds",
    "end_limits",
    "input_interval",
    "message_range",
    "neuron_bounds",
    "overflow_findings",
    "synaptic_range",
    "weight_sums",
]


def synaptic_range(program: Program, name: str) -> Interval:
    """`input_interval` of a population of a program."""
    return input_interval(program.population(name).shape, _arriving(program, name))


def _arriving(program: Program, name: str) -> list[tuple[Connection, tuple[int, int]]]:
    return [(c, message_range(program, c)) for c in program.incoming(name)]


def neuron_bounds(neuron: Neuron, synaptic: Interval, steps: int) -> Bounds:
    """Worst cases of a population whose input range is known.

    Parameters
    ----------
    synaptic
        Of one step; for a kind that reads times, every source sends once a window.
    """
    return neuron.bounds(Drive(*synaptic, once=True), steps)


def bounds(program: Program) -> dict[str, Bounds]:
    """Worst cases of every population of a program over one period, by name.

    What sums that were divided (`partial_sums`) cause is told of the program in which they are not:
    it is the same, and more is known there. Kept with the program, which does not change.
    """
    kept: dict[str, Bounds] | None = program.__dict__.get("_bounds")
    if kept is None:
        kept = program.__dict__["_bounds"] = _bounds(program)
    return dict(kept)


def _bounds(program: Program) -> dict[str, Bounds]:
    whole = joined(program)
    found = {} if whole is program else bounds(whole)
    for p in program.populations:
        if p.name in found:  # its sums are those of the program without helpers
            continue
        low, high = interval(p.shape, _arriving(program, p.name))
        if p.neuron.size is not None:  # it has biases, so the file is as large as the population
            low, high = (np.broadcast_to(d, p.shape).reshape(-1) for d in (low, high))
        drive = Drive(low, high, _sends_once(program, p.name), _whole(program, p))
        found[p.name] = p.neuron.bounds(drive, program.period)
    return found


def _whole(program: Program, p: Population) -> Interval | None:
    """Lowest and highest sum of weight times integer over a window (`Drive.whole`)."""
    if not program.is_aligned:
        return None
    arriving = []
    for c in program.incoming(p.name):
        code = program.window_code(c.source)
        if code is None or not p.neuron.reads(code, program.period):
            return None
        arriving.append((c, _integers(program, c.source)))
    low, high = interval(p.shape, arriving)
    if p.neuron.size is not None:
        low, high = (np.broadcast_to(d, p.shape).reshape(-1) for d in (low, high))
    return Drive(low, high).limited()


def end_limits(program: Program) -> dict[str, int]:
    """By population that is not proved to stay in 24 bit: `Neuron.end_limit`, where it is known.

    Of an aligned program whose codes are read by their targets.
    """
    found = {}
    for name, proof in bounds(program).items():
        if proof.cannot_clip and proof.cannot_wrap:
            continue
        p = program.population(name)
        over: list[tuple[Connection, tuple[int, int]]] = []
        late: list[tuple[Connection, tuple[int, int]]] = []
        for c in program.incoming(name):
            one = isinstance(program.window_code(c.source), OneMessage)
            (late if one else over).append((c, _integers(program, c.source) if one else (0, 1)))
        weights, last = (
            max(int(-low.min(initial=0)), int(high.max(initial=0)))
            for low, high in (interval(p.shape, over), interval(p.shape, late))
        )
        limit = p.neuron.end_limit(weights, last)
        if limit is not None and limit >= 0 and proof.membrane is not None:
            found[name] = limit
    return found


def _integers(program: Program, name: str) -> tuple[int, int]:
    """Lowest and highest integer that a window says, and any of its digits' beginnings."""
    if name == INPUT:
        return min(program.encoder.low, 0), max(program.encoder.high, 0)
    neuron, code = program.population(name).neuron, program.window_code(name)
    if not neuron.fires or code is None:
        return 0, 0
    return code.lowest(program.period), code.largest(program.period)


def _sends_once(program: Program, name: str) -> bool:
    """Whether everything that reaches a population sends at most one message a window."""
    sources = {c.source for c in program.incoming(name)}
    return program.is_aligned and all(
        program.encoder.sends_once if s == INPUT else program.population(s).neuron.sends_once
        for s in sources
    )


def overflow_findings(program: Program) -> tuple[str, ...]:
    """Accumulators that are not proved to stay in their registers: layer, rule, value, limit.

    Messages that are not proved to fit their bits are named together.
    """
    found, cut = [], []
    for name, proof in bounds(program).items():
        for rule, cannot, extremes in (
            ("current in 24 bit", proof.cannot_wrap, proof.current),
            ("membrane in 24 bit", proof.cannot_clip, proof.membrane),
        ):
            if cannot or extremes is None:
                continue
            worst = max(-extremes[0], extremes[1])
            if worst <= MEMBRANE_LIMIT:
                cut.append(name)
                continue
            found.append(
                f"{name}: {rule}: worst case {worst} is {worst / 2**23:.1f} times the "
                f"limit {MEMBRANE_LIMIT} (range {extremes[0]}..{extremes[1]})"
            )
    if cut:
        more = f" and {len(cut) - 1} more" if len(cut) > 1 else ""
        found.append(
            f"{cut[0]}{more}: messages have room for several times what the samples showed, not "
            "for any input; one that has none is cut, and counted when it happens"
        )
    return tuple(found)
