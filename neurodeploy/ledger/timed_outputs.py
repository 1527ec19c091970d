"""Outputs of a program and of its ANN on as many samples as some seconds allow."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from neurodeploy.network.evaluate import Evaluator
from neurodeploy.program import Convolution, Dense, Program, Sparse
from neurodeploy.simulator.closed_form import is_closed_form
from neurodeploy.simulator.simulation import simulate

__all__ = ["Outputs", "is_large", "run_for"]

#: Synapses times steps above which not one sample is run: it might take many seconds.
_MOST_WORK = 5e10
#: Samples run at once, at most: memory stays bounded.
_MOST = 64


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs (n, *shape) of the program and, where it was run, of the ANN."""

    program: np.ndarray
    ann: np.ndarray | None


def is_large(program: Program) -> bool:
    """Whether one sample may take so long that nobody should wait for it unasked."""
    work = sum(_synapses(program, c.synapses, c.target) for c in program.connections)
    return work * (1 if is_closed_form(program) else program.period) > _MOST_WORK


def run_for(
    seconds: float,
    program: Program,
    x: np.ndarray,
    ann: Evaluator | None = None,
    threads: int | None = None,
) -> Outputs:
    """Run samples until all are done or the time is over; at least one is run.

    What the simulator prepares before its first sample is not counted.

    Parameters
    ----------
    x
        Samples (n, *shape), as for `simulate`.
    ann
        The network, run on the same samples; they are preprocessed as the program says.
    """
    program = program.alone  # samples that are tried are no stream
    found, exact = [], []
    done, size, began = 0, 1, 0.0
    while done < len(x):
        part, start = x[done : done + size], time.perf_counter()
        found.append(simulate(program, part, threads=threads, first_index=done)[0].outputs)
        if ann is not None:
            values = ann.run(program.encoder.preprocessing.apply(part))
            exact.append(values[ann.network.output.name])
        now = time.perf_counter()
        if done == 0:  # mostly preparation: the next single sample says what a sample takes
            began = now
        else:
            left = began + seconds - now
            size = min(_MOST, int(left / max((now - start) / len(part), 1e-9)))
        done += len(part)
        if size < 1:
            break
    return Outputs(np.concatenate(found), np.concatenate(exact) if exact else None)


def _synapses(program: Program, synapses: Dense | Convolution | Sparse, target: str) -> int:
    if isinstance(synapses, Convolution):
        channels = synapses.weights.shape[0]
        return synapses.weights.size * (program.population(target).size // channels)
    return synapses.weights.size
