"""How many messages every neuron sent: the simulator's own spikes, added up over samples."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.closed_form import is_in_step
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.input_messages import messages_by_input
from neurodeploy.simulator.preparing import prepared
from neurodeploy.simulator.streaming import run_frames
from neurodeploy.simulator.threads import default_threads

__all__ = ["Firing", "firing"]

Progress = Callable[[int], None]
#: Neurons times samples that a thread holds at once.
_BATCH_VALUES = 2_000_000


@dataclass(frozen=True, eq=False)
class Firing:
    """Messages over some samples.

    Attributes
    ----------
    samples
        Number of samples.
    sent
        int64 (neurons,) by population, ``"input"`` among them: messages of all samples together,
        C order. A graded message counts once, whatever it carries.
    """

    samples: int
    sent: dict[str, np.ndarray]


def firing(
    program: Program,
    x: np.ndarray,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Firing:
    """Run samples and count what every neuron sends.

    Parameters
    ----------
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    progress
        Called with the number of samples just finished.

    Raises
    ------
    NeuroDeployError
        DataError: samples that do not fit. ProgramError: a program whose samples mix.
    """
    x = encoding.check_samples(x, program.encoder.sample_shape)
    inputs = int(np.prod(program.encoder.shape))
    threads = threads or default_threads()
    if program.is_stream:
        return _of_frames(program, x, progress)
    room = max(1, _BATCH_VALUES // max(1, program.neurons + inputs))
    batch = max(1, min(64, room, -(-len(x) // threads)))

    def work(first: int) -> tuple[int, dict[str, np.ndarray]]:
        level = encoding.levels(program.encoder, x[first : first + batch])
        found = activity(program, level, first)
        sent = {name: count.sum(0, dtype=np.int64) for name, count in found.sent.items()}
        sent[INPUT] = messages_by_input(program, level, first)
        return len(level), sent

    total = {p.name: np.zeros(p.size, np.int64) for p in program.populations}
    total[INPUT] = np.zeros(inputs, np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for done, sent in pool.map(work, range(0, len(x), batch)):
            for name, count in sent.items():
                total[name] += count
            if progress is not None:
                progress(done)
    return Firing(len(x), total)


def _of_frames(program: Program, x: np.ndarray, progress: Progress | None) -> Firing:
    """Of a stream: one frame after the other."""
    if not is_in_step(program):
        raise ProgramError("its windows do not meet, so messages are of no frame")
    sent = {p.name: np.zeros(p.size, np.int64) for p in program.populations}
    room = _BATCH_VALUES // max(1, program.neurons)
    run_frames(prepared(program, Engine), x, range(len(x)), max(1, min(64, room)), sent)
    sent[INPUT] = np.zeros(int(np.prod(program.encoder.shape)), np.int64)
    for first in range(0, len(x), 64):
        level = encoding.levels(program.encoder, x[first : first + 64])
        sent[INPUT] += messages_by_input(program, level, first)
    if progress is not None:
        progress(len(x))
    return Firing(len(x), sent)
