"""What a program holds: populations, connections, codec, bounds, provenance."""

from __future__ import annotations

from typing import Any

from neurodeploy.program import Program
from neurodeploy.program.bounds import bounds
from neurodeploy.program.choices import choices_of
from neurodeploy.reporting.processes import as_rows, needs
from neurodeploy.targets import load_target, target_names

__all__ = ["describe", "fidelity"]


def fidelity(program: Program) -> str:
    """Which hardware the numbers are about, and how close."""
    # a program may name a target of somebody's own: its name is all there is to say then
    known = program.target in target_names()
    title = load_target(program.target).title if known else f"target {program.target!r}"
    return f"{title}, integer semantics of docs/semantics.md, bit for bit; needs {needs(program)}"


def describe(program: Program) -> dict[str, Any]:
    """`Program.to_dict`, with the hardware and the proofs that nothing overflows."""
    proofs = bounds(program)
    about = program.to_dict()
    for row in about["populations"]:
        proof = proofs[row["name"]]
        row["current_bound"] = None if proof.current is None else list(proof.current)
        row["membrane_bound"] = None if proof.membrane is None else list(proof.membrane)
        row["cannot_overflow"] = proof.cannot_wrap and proof.cannot_clip
    scheme, target = about.pop("scheme"), about.pop("target")
    head = {"scheme": scheme, "target": target, "fidelity": fidelity(program)}
    chosen = [choice.as_dict() for choice in choices_of(program.provenance)]
    return head | {"processes": as_rows(program), "choices": chosen, **about}
