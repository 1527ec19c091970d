"""How many samples each part of a report looks at, by the size of the program.

By the program alone, never by the clock: the same input gives the same report.
"""

from __future__ import annotations

from neurodeploy.program import Program

__all__ = ["checkpoints", "explained", "simulated", "traced"]

#: Neurons times steps times samples that are simulated: some ten seconds on two cores.
_SIMULATED = 1_200_000_000
#: Neurons times samples that the ledger compares and the histograms count.
_EXPLAINED = 6_000_000
#: Points of the early-exit curve, and outputs that are read for it, over all samples.
_POINTS, _READ = 64, 50_000_000
#: Integers of a population's membranes over a window, at most.
_TRACED = 50_000_000


def simulated(program: Program) -> int:
    """Samples for accuracy, spikes and operations."""
    return max(16, min(512, _SIMULATED // (program.neurons * program.period)))


def explained(program: Program) -> int:
    """Samples for the error ledger."""
    return max(8, min(64, _EXPLAINED // program.neurons))


def traced(program: Program, neurons: int) -> bool:
    """Whether a population's membranes are recorded."""
    return neurons * program.period <= _TRACED


def checkpoints(period: int, outputs: int) -> list[int]:
    """Steps at which the output is read early: all of them, or evenly spread.

    Parameters
    ----------
    outputs
        That are read at one step, over all samples.
    """
    every = -(-period // max(1, min(_POINTS, _READ // outputs)))
    return [*range(every, period, every), period]
