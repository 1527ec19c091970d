"""A converted program on its target: sums in parts where a neuron reads more than a core holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neurodeploy.mapping.partial_sums import SumInParts, fit_sums
from neurodeploy.program import Program
from neurodeploy.program.choices import Choice, choices_of
from neurodeploy.targets import Target

__all__ = ["fitted"]


def fitted(program: Program, hardware: Target, warn: Callable[[str], None]) -> Program:
    """The program with sums in parts, and what was chosen told in its provenance."""
    found = fit_sums(program, hardware)
    for line in found.refused:
        warn(line)
    if not found.chosen:
        return program
    told = (*choices_of(program.provenance), *map(_choice, found.chosen))
    rows = [choice.as_dict() for choice in told]
    return replace(found.program, provenance={**program.provenance, "choices": rows})


def _choice(found: SumInParts) -> Choice:
    return Choice(
        layer=found.layer,
        chosen=f"sums in {found.parts} parts",
        instead="a sum a neuron",
        because=f"a neuron takes {found.reads:,} {found.resource}, a core has {found.limit:,}",
        cost={"neurons": found.helpers, "steps": 1, "cores": found.cores},
        cost_instead={"neurons": 0, "steps": 0},
    )
