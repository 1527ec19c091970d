"""Runs in shards that a journal keeps: interrupted, they go on where they were."""

from __future__ import annotations

import time

import numpy as np

from neurodeploy.program import Program
from neurodeploy.simulator.journal import Journal
from neurodeploy.simulator.preparing import check_by_sample
from neurodeploy.simulator.result import Result
from neurodeploy.simulator.sharding import simulate_on
from neurodeploy.simulator.simulation import Progress, simulate
from neurodeploy.simulator.threads import default_threads

__all__ = ["simulate_noted", "simulate_on_noted"]

#: Seconds that a shard should take: what an interruption costs, at most a few times.
_SECONDS = 2.0
#: Samples of the first shard for each thread.
_FIRST = 4


def simulate_noted(
    journal: Journal,
    program: Program,
    x: np.ndarray,
    *,
    threads: int | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """`simulation.simulate` of what a journal lacks, shard by shard; the result of all.

    Raises
    ------
    ProgramError
        Phases that mix samples: a sample needs all before it. Else as `simulation.simulate`.
    """
    began = time.perf_counter()
    check_by_sample(program)
    _tell_done(journal, len(x), progress)
    size = _FIRST * (threads or default_threads())
    for gap in journal.gaps():
        first = gap.start
        while first < gap.stop:
            part = x[first : min(first + size, gap.stop)]
            started = time.perf_counter()
            found, _ = simulate(
                program, part, threads=threads, memory=memory, progress=progress, first_index=first
            )
            journal.add(first, found)
            first += len(part)
            if time.perf_counter() - started < _SECONDS:
                size *= 2
    return journal.result(time.perf_counter() - began)


def simulate_on_noted(
    journal: Journal,
    workers: str,
    program: Program,
    x: np.ndarray,
    *,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """`sharding.simulate_on` for what a journal lacks; the result of all."""
    began = time.perf_counter()
    check_by_sample(program)
    _tell_done(journal, len(x), progress)
    gaps = journal.gaps()
    if gaps:
        simulate_on(
            workers, program, x, memory=memory, progress=progress, gaps=gaps, keep=journal.add
        )
    return journal.result(time.perf_counter() - began)


def _tell_done(journal: Journal, samples: int, progress: Progress | None) -> None:
    done = samples - sum(len(gap) for gap in journal.gaps())
    if progress is not None and done:
        progress(done)
