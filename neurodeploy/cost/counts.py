"""What a program did on some samples, in numbers that a cost model can multiply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurodeploy.cost.firing import Firing, firing
from neurodeploy.cost.traffic import Traffic, traffic
from neurodeploy.mapping.mapping import Mapping
from neurodeploy.program import INPUT, Program
from neurodeploy.simulator.result import Result

__all__ = ["Counts", "count", "counted", "counts_of"]

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Counts:
    """Exact totals over all samples; divide by `samples` for a sample's mean.

    Attributes
    ----------
    steps
        Time steps between samples: each neuron is updated so often a sample.
    spikes
        By population.
    input_messages
        That the input sent; None where a `Result` does not say.
    synaptic_operations
        By connection: messages times the synapses they meet.
    updates
        By population: neurons times steps, the chip being driven by time. The input has none.
    surely_active
        Of those, by population: updates that any meaning of "active" covers, because the neuron
        adds a bias that is not zero, or fires.
    traffic
        Messages and hops; None without a mapping.
    cores, chips
        In use; None without a mapping.
    """

    samples: int
    steps: int
    spikes: dict[str, int]
    input_messages: int | None
    synaptic_operations: dict[str, int]
    updates: dict[str, int]
    surely_active: dict[str, int]
    traffic: Traffic | None = None
    cores: int | None = None
    chips: int | None = None


def count(
    program: Program,
    x: np.ndarray,
    mapping: Mapping | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Counts:
    """Run samples and count; with a mapping, messages and hops as well.

    Parameters
    ----------
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input.

    Raises
    ------
    NeuroDeployError
        DataError: samples that do not fit. ProgramError: a program whose samples mix.
        UsageError: a mapping of another program.
    """
    return counted(program, firing(program, x, threads=threads, progress=progress), mapping)


def counted(program: Program, found: Firing, mapping: Mapping | None = None) -> Counts:
    """The counts from what every neuron sent."""
    operations: dict[str, int] = {}
    for c in program.connections:
        fan_out = c.synapses.fan_out(program.shape_of(c.source))
        # connections of one name add up, as in `Result`
        operations[c.name] = operations.get(c.name, 0) + int(found.sent[c.source] @ fan_out)
    spikes = {p.name: int(found.sent[p.name].sum()) for p in program.populations}
    return Counts(
        samples=found.samples,
        steps=program.period,
        spikes=spikes,
        input_messages=int(found.sent[INPUT].sum()),
        synaptic_operations=operations,
        updates=_updates(program, found.samples),
        surely_active=_surely_active(program, found.samples, spikes),
        traffic=None if mapping is None else traffic(program, mapping, found),
        cores=None if mapping is None else len(mapping.cores),
        chips=None if mapping is None else mapping.chips,
    )


def counts_of(program: Program, result: Result) -> Counts:
    """The counts that a run left behind: all but messages and hops."""
    spikes = {name: int(row.sum()) for name, row in result.spikes.items()}
    return Counts(
        samples=result.samples,
        steps=program.period,
        spikes=spikes,
        input_messages=None,
        synaptic_operations={
            name: int(row.sum()) for name, row in result.synaptic_operations.items()
        },
        updates=_updates(program, result.samples),
        surely_active=_surely_active(program, result.samples, spikes),
    )


def _updates(program: Program, samples: int) -> dict[str, int]:
    return {p.name: p.size * program.period * samples for p in program.populations}


def _surely_active(program: Program, samples: int, spikes: dict[str, int]) -> dict[str, int]:
    steps = program.period * samples
    return {
        p.name: max(p.neuron.always_active * steps, spikes[p.name]) for p in program.populations
    }
