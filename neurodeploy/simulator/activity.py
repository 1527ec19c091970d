"""What every single neuron of a program says of a sample, as the engine runs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.program import Program
from neurodeploy.program.window_codes import WindowCode
from neurodeploy.simulator.closed_form import is_closed_form, is_window_coded
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import best_sweep, check_by_sample, prepared

__all__ = ["Activity", "activity", "sent_by_input"]


@dataclass(frozen=True)
class Activity:
    """Integers of n samples.

    Attributes
    ----------
    fired
        int32 (n, neurons) by population, C order: what the messages of a window add up to (spikes,
        less those taken back), or, where they say an integer (`is_window_coded`), that integer.
    membrane
        int64 (n, outputs): the decoder's population at the last step of its window.
    wrapped, clipped
        Overflows that really happened, by population (sums over the samples).
    sent
        int32 (n, neurons) by population: the number of messages.
    unsettled
        By population, neurons times samples whose integer is not that of the closed form
        (`Neuron.unsettled`), of those that it may happen to.
    """

    fired: dict[str, np.ndarray]
    membrane: np.ndarray
    wrapped: dict[str, int]
    clipped: dict[str, int]
    sent: dict[str, np.ndarray]
    unsettled: dict[str, int]


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
        sent = {
            name: _code(program, name).sent(x, program.period) for name, x in swept.fired.items()
        }
        return Activity(swept.fired, swept.membrane, none, none | swept.clipped, sent, {})
    parts = [_stepped(program, row, first_index + k) for k, row in enumerate(level)]

    def total(part: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for run in parts:
            for name, count in getattr(run, part).items():
                found[name] = found.get(name, 0) + count
        return found

    return Activity(
        {name: np.concatenate([run.fired[name] for run in parts]) for name in names},
        np.concatenate([run.membrane for run in parts]),
        total("wrapped"),
        total("clipped"),
        {name: np.concatenate([run.sent[name] for run in parts]) for name in names},
        total("unsettled"),
    )


def _stepped(program: Program, level: np.ndarray, index: int) -> Activity:
    """One sample, by the engine."""
    coded, decoder = is_window_coded(program), program.decoder.population
    names = [p.name for p in program.populations]
    # binary spikes are counted by the engine; integers are added up here
    summed = () if coded else tuple(name for name in names if program.is_graded(name))
    run = prepared(program, Engine).run_samples(
        level[None],
        index,
        keep=(program.period - 1,),
        record=names if coded else (),
        fired=True,
        messages=names if coded else summed,
    )
    fired = dict(run.fired) | {name: run.messages[name].sum(1) for name in summed}
    unsettled = {}
    for p in program.populations if coded else ():
        x = _code(program, p.name).integers(run.messages[p.name], program.period)
        fired[p.name] = x
        wrong = p.neuron.unsettled(run.membranes[p.name][:, 0], x)
        if wrong is not None:
            unsettled[p.name] = int(np.count_nonzero(wrong))
    membrane = run.membranes[decoder][:, 0].astype(np.int64)
    if coded and program.decoder.code.adds_up:
        membrane = fired[decoder]
    return Activity(
        {name: values.astype(np.int32) for name, values in fired.items()},
        membrane,
        run.wrapped,
        run.clipped,
        {name: count.astype(np.int32) for name, count in run.fired.items()},
        unsettled,
    )


def _code(program: Program, name: str) -> WindowCode:
    code = program.window_code(name)
    assert code is not None  # asked of programs of window codes only
    return code


def sent_by_input(program: Program, level: np.ndarray, first_index: int = 0) -> np.ndarray:
    """Messages of the input over a sample's steps, added up: int64 (n, inputs).

    A constant current counts once: its integer is the same at every step.
    """
    return program.encoder.code.summed(program.encoder, level, program.period, first_index)
