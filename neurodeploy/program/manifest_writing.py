"""A Program as JSON plus tensors. Every field is named.

It asks a program for its parts and does not import the class: `Program.save` stands on it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.program.codec import USUAL_DECODING, Decoder
from neurodeploy.program.neurons import Neuron
from neurodeploy.program.neurons.fields import IntegerOrEach, PerNeuron, Rising, rules
from neurodeploy.program.synapse import Convolution, Sparse, Synapses

__all__ = ["Tensors", "program_to"]

Tensors = dict[str, np.ndarray]


def program_to(program: Any) -> tuple[dict[str, Any], Tensors]:
    """JSON-like graph of a `Program`, and the tensors it names."""
    tensors: Tensors = {}
    populations = []
    for i, p in enumerate(program.populations):
        populations.append(
            {
                "name": p.name,
                "shape": list(p.shape),
                "phase": p.phase,
                "spike_value": p.spike_value,
                "membrane_unit": p.membrane_unit,
                "neuron": _neuron_to(p.neuron, i, tensors),
                **_lists(channel_values=p.channel_values, channel_units=p.channel_units),
            }
        )
    connections = []
    for i, c in enumerate(program.connections):
        connections.append(
            {
                "source": c.source,
                "target": c.target,
                "exponent": c.exponent,
                "delay": c.delay,
                "graded": c.graded,
                "synapses": _synapses_to(c.synapses, f"connection_{i}", tensors),
            }
        )
    e = program.encoder
    graph = {
        "populations": populations,
        "connections": connections,
        "encoder": {
            "shape": list(e.shape),
            "encoding": e.encoding,
            "unit": e.unit,
            "low": e.low,
            "high": e.high,
            "seed": e.seed,
            "offset": e.offset,
            "sample_shape": list(e.sample_shape),
            **_lists(channel_units=e.channel_units, channel_offsets=e.channel_offsets),
            **({"bit_planes": e.bit_planes} if e.bit_planes else {}),
            "preprocessing": {
                "scale": e.preprocessing.scale,
                "mean": list(e.preprocessing.mean),
                "std": list(e.preprocessing.std),
            },
        },
        "decoder": _decoder_to(program.decoder),
        "period": program.period,
        **({"refresh": program.refresh} if program.is_stream else {}),
        "scheme": program.scheme,
        "target": program.target,
        "provenance": dict(program.provenance),
    }
    return graph, tensors


def _lists(**values: tuple[float, ...]) -> dict[str, list[float]]:
    """Lists that are not empty: a program without them reads as it always did."""
    return {name: list(numbers) for name, numbers in values.items() if numbers}


def _decoder_to(decoder: Decoder) -> dict[str, Any]:
    entry: dict[str, Any] = {"population": decoder.population, "unit": decoder.unit}
    if decoder.decoding != USUAL_DECODING:
        entry["decoding"] = decoder.decoding
    if decoder.tail:
        entry["tail"] = decoder.tail
    return entry


def _neuron_to(neuron: Neuron, number: int, tensors: Tensors) -> dict[str, Any]:
    """Every declared field by its name; arrays as tensors."""
    entry: dict[str, Any] = {"kind": neuron.kind}
    for field, rule in rules(neuron):
        value = getattr(neuron, field.name)
        each = rule.each if isinstance(rule, IntegerOrEach) else rule
        if isinstance(each, PerNeuron) and isinstance(value, np.ndarray):
            name = f"population_{number}_{each.tensor}"
            tensors[name] = rule.runs(value) if isinstance(rule, IntegerOrEach) else value
            value = name
        elif rule.optional and value == field.default:
            continue
        entry[field.name] = list(value) if isinstance(rule, Rising) else value
    return entry


def _synapses_to(synapses: Synapses, name: str, tensors: Tensors) -> dict[str, Any]:
    tensors[f"{name}_weights"] = synapses.weights
    entry: dict[str, Any] = {"kind": synapses.kind, "weights": f"{name}_weights"}
    if isinstance(synapses, Convolution):
        entry |= {
            "stride": list(synapses.stride),
            "padding": list(synapses.padding),
            "dilation": list(synapses.dilation),
            "groups": synapses.groups,
        }
    elif isinstance(synapses, Sparse):
        tensors[f"{name}_columns"] = synapses.columns
        tensors[f"{name}_row_starts"] = synapses.row_starts
        entry |= {
            "columns": f"{name}_columns",
            "row_starts": f"{name}_row_starts",
            "sources": synapses.sources,
        }
    return entry
