"""A Program from JSON plus tensors; constructors check every value, nothing is evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.errors import ProgramError, shown
from neurodeploy.program.codec import USUAL_DECODING, Decoder, Encoder, Preprocessing
from neurodeploy.program.manifest_writing import Tensors
from neurodeploy.program.neurons import Neuron, kind_named
from neurodeploy.program.neurons.fields import IntegerOrEach, PerNeuron, Rising, rules
from neurodeploy.program.program import Connection, Population, Program
from neurodeploy.program.synapse import Convolution, Dense, Sparse, Synapses

__all__ = ["program_from"]


def program_from(graph: dict[str, Any], tensors: Tensors) -> Program:
    """The inverse of `manifest_writing.program_to`."""
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
            bit_planes=e.get("bit_planes", 0),
        ),
        decoder=Decoder(
            str(d["population"]),
            float(d["unit"]),
            d.get("decoding", USUAL_DECODING),
            d.get("tail", 0),
        ),
        period=graph["period"],
        scheme=str(graph["scheme"]),
        target=str(graph["target"]),
        provenance=dict(graph["provenance"]),
        refresh=graph.get("refresh", 1),
    )


def _floats(entry: dict[str, Any], name: str) -> tuple[float, ...]:
    return tuple(map(float, entry.get(name, ())))


def _neuron_from(entry: dict[str, Any], tensors: Tensors) -> Neuron:
    kind = kind_named(entry["kind"])
    values: dict[str, Any] = {}
    for field, rule in rules(kind):
        if rule.optional and field.name not in entry:
            continue
        value = entry[field.name]
        named = isinstance(rule, IntegerOrEach) and isinstance(value, str)
        if isinstance(rule, PerNeuron) or named:
            value = tensors[value]
        elif isinstance(rule, Rising) and isinstance(value, list):
            value = tuple(value)
        values[field.name] = value
    for field, rule in rules(kind):
        if isinstance(rule, IntegerOrEach) and isinstance(values.get(field.name), np.ndarray):
            count = max(values[f.name].size for f, r in rules(kind) if isinstance(r, PerNeuron))
            values[field.name] = rule.repeated(field.name, values[field.name], count)
    return kind(**values)


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
