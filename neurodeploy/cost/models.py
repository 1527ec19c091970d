"""Which published cost model prices the counts: the target's own, or one chosen by name."""

from __future__ import annotations

from neurodeploy.errors import UsageError
from neurodeploy.targets import CostTable, Target, load_target, target_names

__all__ = ["choose"]


def choose(target: Target, name: str | None = None) -> tuple[CostTable | None, Target]:
    """A cost model, and the target that it was published for.

    1. No name: the first model of the target's file; None where it has none.
    2. ``MODEL`` or ``TARGET-MODEL``: the target's own.
    3. ``TARGET-MODEL`` of another target that comes along.

    Raises
    ------
    UsageError
        No model of that name.
    """
    if name is None:
        first = next(iter(target.costs.values()), None)
        return first, target
    if name in target.costs:
        return target.costs[name], target
    known = []
    others = (load_target(other) for other in target_names() if other != target.name)
    for hardware in (target, *others):
        for key, table in hardware.costs.items():
            known.append(f"{hardware.name}-{key}")
            if name == known[-1]:
                return table, hardware
    raise UsageError(
        f"no cost model is called {name!r}",
        place="--energy-model",
        remedy=f"choose among {', '.join(known)}" if known else "no target has one",
    )
