"""Which published cost model prices the counts: the target's own, or one chosen by name."""

from __future__ import annotations

from neurodeploy.errors import TargetError, UsageError
from neurodeploy.targets import CostTable, Target, load_target, target_names

__all__ = ["EVENTS", "choose"]

#: What a cost table may price, and what it is charged for.
EVENTS = {
    "synaptic_operation": "each message at each synapse that it meets",
    "neuron_update_active": "each update of a neuron that is active",
    "neuron_update_inactive": "each update of a neuron that is not",
    "neuron_access": "each update of a neuron",
    "neuron_update": "each update of an active neuron, beside the access",
    "spike_out": "each spike of a neuron",
    "spike_within_tile": "each message to a core",
    "hop_east_west": "each hop of a message along a row of the mesh",
    "hop_north_south": "each hop of a message along a column of the mesh",
    "barrier": "each step: the cores wait for each other",
}


def choose(target: Target, name: str | None = None) -> tuple[CostTable | None, Target]:
    """A cost model, and the target that it was published for.

    1. No name: the first model of the target's file; None where it has none.
    2. ``MODEL`` or ``TARGET-MODEL``: the target's own.
    3. ``TARGET-MODEL`` of another target that comes along.

    Raises
    ------
    UsageError
        No model of that name.
    TargetError
        The model prices an event that is not counted.
    """
    if name is None:
        first = next(iter(target.costs.values()), None)
        return (None if first is None else _checked(target, first)), target
    if name in target.costs:
        return _checked(target, target.costs[name]), target
    known = []
    others = (load_target(other) for other in target_names() if other != target.name)
    for hardware in (target, *others):
        for key, table in hardware.costs.items():
            known.append(f"{hardware.name}-{key}")
            if name == known[-1]:
                return _checked(hardware, table), hardware
    raise UsageError(
        f"no cost model is called {name!r}",
        place="--energy-model",
        remedy=f"choose among {', '.join(known)}" if known else "no target has one",
    )


def _checked(target: Target, table: CostTable) -> CostTable:
    """A table whose every event is known: a misspelt one would silently cost nothing."""
    for kind, constants in (("energy_pj", table.energy_pj), ("time_ns", table.time_ns)):
        for event in constants:
            if event not in EVENTS:
                raise TargetError(
                    f"[cost.{table.name}.{kind}] {event} is not an event that is counted",
                    place=target.name,
                    remedy=f"it takes {', '.join(EVENTS)} (docs/cost.md)",
                )
    return table
