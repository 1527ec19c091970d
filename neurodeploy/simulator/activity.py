"""What every single neuron of a program says of a sample, as the engine runs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.program import Population, Program
from neurodeploy.simulator.closed_form import is_closed_form, is_time_coded
from neurodeploy.simulator.engine import Engine, Run
from neurodeploy.simulator.preparing import best_sweep, check_by_sample, prepared

__all__ = ["Activity", "activity", "sent_by_input"]


@dataclass(frozen=True)
class Activity:
    """Integers of n samples.

    Attributes
    ----------
    fired
        int32 (n, neurons) by population, C order: the number of spikes, or, where all messages of
        the program are times (`is_time_coded`), the integer that the time of the spike stands for.
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
        The phases mix samples.
    """
    check_by_sample(program)
    names = [p.name for p in program.populations]
    if is_closed_form(program):
        swept = prepared(program, best_sweep).run(level, every=True)
        none = dict.fromkeys(names, 0)
        return Activity(swept.fired, swept.membrane, none, dict(none))
    engine = prepared(program, Engine)
    decoder, timed = program.decoder.population, is_time_coded(program)
    parts = [
        engine.run_samples(
            row[None], first_index + k, keep=(program.period - 1,), fired=not timed, rasters=timed
        )
        for k, row in enumerate(level)
    ]

    def said(run: Run, p: Population) -> np.ndarray:
        if not timed:
            return run.fired[p.name]
        x = np.zeros((1, p.size), np.int32)
        for step, neuron in run.rasters[p.name]:
            x[0, neuron] = program.period - step
        return x

    return Activity(
        {
            p.name: np.concatenate([said(run, p) for run in parts]).astype(np.int32)
            for p in program.populations
        },
        np.concatenate([run.membranes[decoder][:, 0] for run in parts]).astype(np.int64),
        {name: sum(run.wrapped[name] for run in parts) for name in names},
        {name: sum(run.clipped[name] for run in parts) for name in names},
    )


def sent_by_input(program: Program, level: np.ndarray, first_index: int = 0) -> np.ndarray:
    """Messages of the input over a sample's steps, added up: int64 (n, inputs).

    A constant current counts once: its integer is the same at every step.
    """
    return program.encoder.code.summed(program.encoder, level, program.period, first_index)
