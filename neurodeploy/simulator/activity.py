"""What every single neuron of a program says of a sample, as the engine runs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import Lif, Program
from neurodeploy.simulator import encoding
from neurodeploy.simulator.closed_form import is_closed_form
from neurodeploy.simulator.engine import Engine, best_sweep, prepared

__all__ = ["Activity", "activity", "sent_by_input"]


@dataclass(frozen=True)
class Activity:
    """Integers of n samples.

    Attributes
    ----------
    fired
        int32 (n, neurons) by population, C order: the number of spikes (rate), or the integer
        that the time of the one spike stands for (ttfs).
    membrane
        int64 (n, outputs): the decoder's population at the last step of its window.
    wrapped, clipped
        Overflows that really happened, by population (sums over the samples).
    """

    fired: dict[str, np.ndarray]
    membrane: np.ndarray
    wrapped: dict[str, int]
    clipped: dict[str, int]


def activity(program: Program, level: np.ndarray, first_index: int = 0) -> Activity:
    """Run samples and keep what each neuron sent; memory grows with samples times neurons.

    Parameters
    ----------
    level
        int32 (n, inputs), from `encoding.levels`.
    first_index
        Index of the first sample in its data set (seeds the Poisson encoder).

    Raises
    ------
    ProgramError
        The phases mix samples, or rate- and time-coded populations are mixed.
    """
    if not program.is_aligned:
        raise ProgramError("the phases mix neighbouring samples, so none can be looked at alone")
    names = [p.name for p in program.populations]
    if is_closed_form(program):
        swept = prepared(program, best_sweep).run(level, every=True)
        none = dict.fromkeys(names, 0)
        return Activity(swept.fired, swept.membrane, none, dict(none))
    if any(not isinstance(p.neuron, Lif) for p in program.populations):
        raise ProgramError("rate-coded and time-coded parts in one program are not run by sample")
    engine = prepared(program, Engine)
    fired = {p.name: np.zeros((len(level), p.size), np.int32) for p in program.populations}
    decoder = program.decoder.population
    membrane = np.zeros((len(level), program.population(decoder).size), np.int64)
    wrapped, clipped = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for k, row in enumerate(level):
        runs, _ = engine.run_sample(row, first_index + k)
        for layer in engine.plan.layers:
            p = layer.population
            run = runs[p.name]
            sent = run.events.index[: run.events.start[-1]]
            fired[p.name][k, layer.order] = np.bincount(sent, minlength=p.size)
            if p.name == decoder:
                membrane[k, layer.order] = run.membranes[-1]
            wrapped[p.name] += run.wrapped
            clipped[p.name] += run.clipped
    return Activity(fired, membrane, wrapped, clipped)


def sent_by_input(program: Program, level: np.ndarray, first_index: int = 0) -> np.ndarray:
    """Messages of the input over a sample's steps, added up: int64 (n, inputs).

    A constant current counts once: its integer is the same at every step.
    """
    if program.encoder.encoding in ("current", "ttfs"):
        return level.astype(np.int64)
    steps = program.period
    return np.stack(
        [
            encoding.encode(program.encoder, row, steps, first_index + k).sum(0, dtype=np.int64)
            for k, row in enumerate(level)
        ]
    )
