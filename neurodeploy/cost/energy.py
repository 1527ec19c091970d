"""Counts times published constants: energy and time a sample, the model named."""

from __future__ import annotations

from collections.abc import Mapping

from neurodeploy.cost.ann import AnnCost
from neurodeploy.cost.counts import Counts, counts_of
from neurodeploy.cost.models import choose
from neurodeploy.cost.report import Cost, Line
from neurodeploy.program import Program
from neurodeploy.simulator.result import Result
from neurodeploy.targets import CostTable, Target

__all__ = ["estimate"]

_PICO, _NANO = 1e-12, 1e-9


def estimate(
    program: Program,
    target: Target,
    counts: Counts | Result,
    energy_model: str | None = None,
    ann: AnnCost | None = None,
) -> Cost:
    """What counts cost on a target.

    1. Without `energy_model`: by the target's first model.
    2. With it: by the model of that name, the target's or (``TARGET-MODEL``) another target's;
       the constants of another one are called an assumption. So is a target that the program
       was not compiled for.
    3. A target that has no model: counts, and no figure at all.

    Parameters
    ----------
    counts
        From `count`, or a run's `Result` (which knows nothing of messages and hops).
    ann
        Put beside it.

    Raises
    ------
    UsageError
        No model of that name.
    TargetError
        The model prices an event that is not counted.
    """
    if isinstance(counts, Result):
        counts = counts_of(program, counts)
    table, published_for = choose(target, energy_model)
    lines = _lines(counts, table)
    priced = [line for line in lines if line.energy is not None]
    return Cost(
        target=target.title,
        model=None if table is None else f"{published_for.name}-{table.name}",
        title="" if table is None else table.title,
        source="" if table is None else table.source,
        assumptions=_assumptions(program, target, published_for),
        samples=counts.samples,
        steps=counts.steps,
        lines=lines,
        energy=sum(line.energy or 0.0 for line in priced) if priced else None,
        least=sum(line.least or 0.0 for line in priced) if priced else None,
        seconds=None if table is None else _seconds(counts, table),
        left_out=_left_out(counts, table, lines),
        counts=counts,
        ann=ann,
    )


def _assumptions(program: Program, target: Target, published_for: Target) -> tuple[str, ...]:
    """What is taken for granted beyond the model itself."""
    found = []
    if program.target != target.name:
        found.append(f"the program was compiled for {program.target}, not for {target.name}")
    if published_for.name != target.name:
        found.append(f"constants of {published_for.title} stand for those of {target.title}")
    if program.needs_microcode and not published_for.microcode:
        found.append(
            f"the program's neurons are microcode; {published_for.title} has fixed ones, and the "
            "constants are of those"
        )
    if not published_for.graded_bits and any(c.graded for c in program.connections):
        found.append(
            f"a graded spike costs as much as a binary one, which is all {published_for.title} has"
        )
    return tuple(found)


def _lines(counts: Counts, table: CostTable | None) -> tuple[Line, ...]:
    """What is counted, in the order in which it is printed."""

    def line(name: str, event: str, total: int) -> Line:
        each = total / counts.samples
        constant = None if table is None else table.energy_pj.get(event)
        energy = None if constant is None else each * constant * _PICO
        return Line(name, each, constant, energy, energy)

    lines = [
        line("synaptic operations", "synaptic_operation", sum(counts.synaptic_operations.values())),
        _updates(counts, table),
        line("spikes", "spike_out", sum(counts.spikes.values())),
    ]
    traffic = counts.traffic
    if traffic is not None:
        lines += [
            line("messages between cores", "spike_within_tile", traffic.messages),
            line("hops east-west", "hop_east_west", traffic.hops_east_west),
            line("hops north-south", "hop_north_south", traffic.hops_north_south),
        ]
    if table is not None and "barrier" in table.energy_pj:
        lines.append(line("steps", "barrier", counts.steps * counts.samples))
    return tuple(lines)


def _updates(counts: Counts, table: CostTable | None) -> Line:
    """Neuron updates: all of them active, and at `least` those that surely are."""
    total, sure = sum(counts.updates.values()), sum(counts.surely_active.values())
    each = total / counts.samples
    active, idle = (None, None) if table is None else _update_constants(table.energy_pj)
    if active is None or idle is None:
        return Line("neuron updates", each)
    least = (sure * active + (total - sure) * idle) / counts.samples * _PICO
    return Line("neuron updates", each, active, each * active * _PICO, least)


def _update_constants(constants: Mapping[str, float]) -> tuple[float | None, float | None]:
    """Of an active update and of another, in either way of saying it; None for neither way.

    1. ``neuron_update_active`` and ``neuron_update_inactive``; one alone serves for both.
    2. ``neuron_access`` for every update and ``neuron_update`` on top for an active one.
    """
    active = constants.get("neuron_update_active")
    idle = constants.get("neuron_update_inactive")
    if active is None and idle is None:
        if not {"neuron_access", "neuron_update"} & set(constants):
            return None, None
        idle = constants.get("neuron_access", 0.0)
        return idle + constants.get("neuron_update", 0.0), idle
    return (idle if active is None else active), (active if idle is None else idle)


def _seconds(counts: Counts, table: CostTable) -> float | None:
    """The busiest core's operations and updates, one after the other, and a barrier a step.

    None without a mapping, or where the model has no times for both.
    """
    operation = table.time_ns.get("synaptic_operation")
    update, _ = _update_constants(table.time_ns)
    if counts.traffic is None or operation is None or update is None:
        return None
    work = [
        done / counts.samples * operation + neurons * counts.steps * update
        for done, neurons in zip(counts.traffic.operations, counts.traffic.neurons, strict=True)
    ]
    return (max(work, default=0.0) + table.time_ns.get("barrier", 0.0) * counts.steps) * _NANO


def _left_out(counts: Counts, table: CostTable | None, lines: tuple[Line, ...]) -> tuple[str, ...]:
    """What the figures do not hold; nothing where there are none."""
    if table is None:
        return ()
    found = [f"{line.name}: no constant in this model" for line in lines if line.constant is None]
    traffic = counts.traffic
    if traffic is None:
        found.append("messages between cores and their hops: no mapping")
    else:
        for number, what in (
            (traffic.off_chip, "messages to other chips"),
            (traffic.from_outside, "the way of the input's messages to their cores"),
        ):
            if number:
                found.append(f"{what} ({number / counts.samples:,.0f} a sample)")
    if "barrier" not in table.energy_pj or "barrier" not in table.time_ns:
        timed = table is not None and "barrier" in table.time_ns
        found.append(f"{'energy of ' if timed else ''}synchronising the cores at each step")
    return (
        *found,
        "static power",
        "host and embedded processors: encoding and sending the input, reading the output",
        "links and memory outside the chip",
    )
