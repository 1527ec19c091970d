"""The program on the cores of a target, and what it costs there; either may be out of reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neurodeploy.cost import Cost, ann_cost, counts_of, estimate
from neurodeploy.cost.firing import Firing
from neurodeploy.cost.models import choose
from neurodeploy.cost.traffic import traffic
from neurodeploy.errors import NeuroDeployError
from neurodeploy.mapping import Mapping, map_program
from neurodeploy.program import INPUT, Program
from neurodeploy.reporting.page.evidence import Evidence, Stage, told
from neurodeploy.targets import Target, target_of

__all__ = ["Hardware", "find_target", "place"]


@dataclass(frozen=True, eq=False)
class Hardware:
    """A mapping and a cost; None where there is none, and then why."""

    target: Target | None = None
    mapping: Mapping | None = None
    cost: Cost | None = None
    unmapped: str = ""
    uncosted: str = ""


def find_target(
    program: Program, target: str | None, energy_model: str | None
) -> tuple[Target | None, str]:
    """The target, or why there is none: looked at before the work, not after it.

    Parameters
    ----------
    target
        Default: the one that the program was compiled for, which may be somebody's own file.
    energy_model
        Default: the target's own, if it has one.

    Raises
    ------
    NeuroDeployError
        `target` or `energy_model` is named and not there.
    """
    try:
        hardware = target_of(program.target, target)
    except NeuroDeployError as error:
        if target is not None:
            raise
        return None, told(error)
    choose(hardware, energy_model)
    return hardware, ""


def place(
    evidence: Evidence, target: Target | None, why: str, energy_model: str | None, progress: Stage
) -> Hardware:
    """Map and estimate; `why` there is no target."""
    if target is None:
        return Hardware(unmapped=why, uncosted=why)
    mapping, cost, unmapped, uncosted = None, None, "", ""
    progress("map", 0, 2)
    try:
        sent = {name: row.sum() / evidence.result.samples for name, row in evidence.sent.items()}
        mapping = map_program(evidence.program, target, sent)
    except NeuroDeployError as error:
        unmapped = told(error)
    progress("map", 1, 2)
    try:
        cost = _cost(evidence, target, mapping, energy_model)
    except NeuroDeployError as error:
        uncosted = told(error)
    progress("map", 2, 2)
    return Hardware(target, mapping, cost, unmapped, uncosted)


def _cost(
    evidence: Evidence, target: Target, mapping: Mapping | None, energy_model: str | None
) -> Cost:
    """Of the run itself, its messages followed where there is a mapping."""
    program, samples = evidence.program, evidence.result.samples
    counts = replace(
        counts_of(program, evidence.result), input_messages=int(evidence.sent[INPUT].sum())
    )
    if mapping is not None:
        counts = replace(
            counts,
            traffic=traffic(program, mapping, Firing(samples, evidence.sent)),
            cores=len(mapping.cores),
            chips=mapping.chips,
        )
    return estimate(program, target, counts, energy_model, ann_cost(program, evidence.model))
