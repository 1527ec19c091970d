"""A Program as JSON plus tensors, and back. Every field is named; nothing is evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.errors import ProgramError, shown
from neurodeploy.program.codec import Decoder, Encoder, Preprocessing
from neurodeploy.program.neurons import Neuron, kind_named
from neurodeploy.program.neurons.fields import PerNeuron, rules
from neurodeploy.program.program import Connection, Population, Program
from neurodeploy.program.synapse import Convolution, Dense, Sparse, Synapses

__all__ = ["program_from", "program_to"]

Tensors = dict[str, np.ndarray]
#: What a manifest leaves out.
_USUAL_DECODING = "membrane"


def program_to(program: Program) -> tuple[dict[str, Any], Tensors]:
    """JSON-like graph, and the tensors it names."""
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
            "preprocessing": {
                "scale": e.preprocessing.scale,
                "mean": list(e.preprocessing.mean),
                "std": list(e.preprocessing.std),
            },
        },
        "decoder": _decoder_to(program.decoder),
        "period": program.period,
        "scheme": program.scheme,
        "target": program.target,
        "provenance": dict(program.provenance),
    }
    return graph, tensors


def program_from(graph: dict[str, Any], tensors: Tensors) -> Program:
    """The inverse of `program_to`; constructors check every value."""
    e, d = graph["encoder"], graph["decoder"]
    p = e["preprocessing"]
    return Program(
        populations=tuple(
            Population(
                name=str(entry["name"]),
                shape=tuple(entry["shape"]),
                neuron=_neuron_from(entry["neuron"], tensors),
                phase=entry["phase"],
                spike_value=float(entry["spike_value"]),
                membrane_unit=float(entry["membrane_unit"]),
                channel_values=_floats(entry, "channel_values"),
                channel_units=_floats(entry, "channel_units"),
            )
            for entry in graph["populations"]
        ),
        connections=tuple(
            Connection(
                source=str(entry["source"]),
                target=str(entry["target"]),
                synapses=_synapses_from(entry["synapses"], tensors),
                exponent=entry["exponent"],
                delay=entry["delay"],
                graded=bool(entry["graded"]),
            )
            for entry in graph["connections"]
        ),
        encoder=Encoder(
            shape=tuple(e["shape"]),
            encoding=e["encoding"],
            unit=float(e["unit"]),
            low=e["low"],
            high=e["high"],
            preprocessing=Preprocessing(
                float(p["scale"]), tuple(map(float, p["mean"])), tuple(map(float, p["std"]))
            ),
            seed=e["seed"],
            offset=float(e["offset"]),
            sample_shape=tuple(e["sample_shape"]),
            channel_units=_floats(e, "channel_units"),
            channel_offsets=_floats(e, "channel_offsets"),
        ),
        decoder=Decoder(str(d["population"]), float(d["unit"]), d.get("decoding", _USUAL_DECODING)),
        period=graph["period"],
        scheme=str(graph["scheme"]),
        target=str(graph["target"]),
        provenance=dict(graph["provenance"]),
    )


def _lists(**values: tuple[float, ...]) -> dict[str, list[float]]:
    """Lists that are not empty: a program without them reads as it always did."""
    return {name: list(numbers) for name, numbers in values.items() if numbers}


def _floats(entry: dict[str, Any], name: str) -> tuple[float, ...]:
    return tuple(map(float, entry.get(name, ())))


def _decoder_to(decoder: Decoder) -> dict[str, Any]:
    entry: dict[str, Any] = {"population": decoder.population, "unit": decoder.unit}
    if decoder.decoding != _USUAL_DECODING:
        entry["decoding"] = decoder.decoding
    return entry


def _neuron_to(neuron: Neuron, number: int, tensors: Tensors) -> dict[str, Any]:
    """Every declared field by its name; arrays as tensors."""
    entry: dict[str, Any] = {"kind": neuron.kind}
    for field, rule in rules(neuron):
        value = getattr(neuron, field.name)
        if isinstance(rule, PerNeuron):
            name = f"population_{number}_{rule.tensor}"
            tensors[name], value = value, name
        elif rule.optional and value == field.default:
            continue
        entry[field.name] = value
    return entry


def _neuron_from(entry: dict[str, Any], tensors: Tensors) -> Neuron:
    kind = kind_named(entry["kind"])
    values: dict[str, Any] = {}
    for field, rule in rules(kind):
        if rule.optional and field.name not in entry:
            continue
        value = entry[field.name]
        values[field.name] = tensors[value] if isinstance(rule, PerNeuron) else value
    return kind(**values)


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


def _synapses_from(entry: dict[str, Any], tensors: Tensors) -> Synapses:
    weights = tensors[entry["weights"]]
    kind = entry["kind"]
    if kind == "dense":
        return Dense(weights)
    if kind == "convolution":
        return Convolution(
            weights,
            tuple(entry["stride"]),
            tuple(entry["padding"]),
            tuple(entry["dilation"]),
            entry["groups"],
        )
    if kind == "sparse":
        return Sparse(
            weights,
            tensors[entry["columns"]],
            tensors[entry["row_starts"]],
            entry["sources"],
        )
    raise ProgramError(f"synapse kind {shown(kind)} is unknown")
