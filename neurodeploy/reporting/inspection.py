"""What a program holds: populations, connections, codec, bounds, provenance."""

from __future__ import annotations

from typing import Any

from neurodeploy.program import INPUT, Program
from neurodeploy.program.bounds import bounds
from neurodeploy.targets import load_target, target_names

__all__ = ["describe", "fidelity"]


def fidelity(program: Program) -> str:
    """Which hardware the numbers are about, and how close."""
    # a program may name a target of somebody's own: its name is all there is to say then
    known = program.target in target_names()
    title = load_target(program.target).title if known else f"target {program.target!r}"
    return f"{title}, integer semantics of docs/semantics.md, bit for bit; {_neurons(program)}"


def _neurons(program: Program) -> str:
    """What its neurons run as, and who ships it."""
    if program.needs_microcode:
        kinds = sorted({p.neuron.kind for p in program.populations if not p.neuron.is_stock})
        return (
            f"neurons need custom microcode ({', '.join(kinds)}): Intel ships none of it, ask for "
            "the Loihi 2 assembler (docs/to-a-chip.md)"
        )
    shipped = sorted({p.neuron.shipped for p in program.populations})
    return f"stock neurons ({', '.join(shipped)}): Intel ships all of it"


def describe(program: Program) -> dict[str, Any]:
    """A JSON-like description."""
    proofs = bounds(program)
    populations = []
    for p in program.populations:
        proof = proofs[p.name]
        populations.append(
            {
                "name": p.name,
                "shape": list(p.shape),
                "neurons": p.size,
                "neuron": p.neuron.kind,
                "parameters": p.neuron.parameters(),
                "stock": p.neuron.is_stock,
                "runs_as": p.neuron.shipped or "custom microcode",
                "phase": p.phase,
                "spike_value": p.spike_value,
                "membrane_unit": p.membrane_unit,
                "current_bound": None if proof.current is None else list(proof.current),
                "membrane_bound": None if proof.membrane is None else list(proof.membrane),
                "cannot_overflow": proof.cannot_wrap and proof.cannot_clip,
            }
        )
    connections = [
        {
            "source": c.source,
            "target": c.target,
            "kind": c.synapses.kind,
            "weights": list(c.synapses.weights.shape),
            "synapses": c.synapses.synapse_count(program.shape_of(c.source)),
            "delay": c.delay,
            "graded": c.graded,
        }
        for c in program.connections
    ]
    e = program.encoder
    return {
        "scheme": program.scheme,
        "target": program.target,
        "fidelity": fidelity(program),
        "steps": program.period,
        "latency_steps": program.latency,
        "steps_per_sample": program.period,
        "neurons": program.neurons,
        "synapses": sum(c["synapses"] for c in connections),
        "weight_bytes": sum(int(c.synapses.weights.nbytes) for c in program.connections),
        "input": {
            "name": INPUT,
            "shape": list(e.shape),
            "sample_shape": list(e.sample_shape),
            "encoding": e.encoding,
            "unit": e.unit,
            "offset": e.offset,
            "channel_units": list(e.channel_units),
            "channel_offsets": list(e.channel_offsets),
            "low": e.low,
            "high": e.high,
            "seed": e.seed,
            "scale": e.preprocessing.scale,
            "mean": list(e.preprocessing.mean),
            "std": list(e.preprocessing.std),
        },
        "output": {
            "population": program.decoder.population,
            "unit": program.decoder.unit,
            "decoding": program.decoder.decoding,
            "tail": program.decoder.tail,
        },
        "populations": populations,
        "connections": connections,
        "provenance": dict(program.provenance),
    }
