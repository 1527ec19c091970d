"""A program as plain values: what `Program.to_dict` and `inspect --json` say of it."""

from __future__ import annotations

from typing import Any

__all__ = ["population_row", "whole"]


def population_row(program: Any, population: Any) -> dict[str, Any]:
    """One population, JSON-like."""
    stock = program.is_stock(population.name)
    return {
        "name": population.name,
        "shape": list(population.shape),
        "neurons": population.size,
        "neuron": population.neuron.kind,
        "parameters": population.neuron.parameters(),
        "stock": stock,
        "runs_as": (population.neuron.shipped if stock else "") or "custom microcode",
        "phase": population.phase,
        "spike_value": population.spike_value,
        "membrane_unit": population.membrane_unit,
    }


def whole(program: Any, input_name: str) -> dict[str, Any]:
    """All of it but the weights and biases, which are in the file, JSON-like."""
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
        "steps": program.period,
        "latency_steps": program.latency,
        "steps_per_sample": program.period,
        "refresh": program.refresh,
        "neurons": program.neurons,
        "synapses": sum(c["synapses"] for c in connections),
        "weight_bytes": program.weight_bytes,
        "input": {
            "name": input_name,
            "shape": list(e.shape),
            "sample_shape": list(e.sample_shape),
            "encoding": e.encoding,
            "unit": e.unit,
            "offset": e.offset,
            "channel_units": list(e.channel_units),
            "channel_offsets": list(e.channel_offsets),
            "bit_planes": e.bit_planes,
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
        "populations": [population_row(program, p) for p in program.populations],
        "connections": connections,
        "provenance": dict(program.provenance),
    }
