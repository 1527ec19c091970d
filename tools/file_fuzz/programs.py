"""Random changes of `.ndp` files, sealed again so that the reader looks at what is inside."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from typing import Any

import numpy as np

from file_fuzz.arrays import _flip, archive, array_bytes, members_of, mutate_array, mutate_members
from file_fuzz.numbers import other_value
from neurodeploy.program.decoders import decodings
from neurodeploy.program.encoders import encodings
from neurodeploy.program.neurons.fields import Choice, Flag, Integer, Rising, rules
from neurodeploy.program.neurons.registry import kinds

__all__ = ["mutate_program"]

_SEAL = b"sha256:"
_SEAL_LENGTH = len(_SEAL) + 64
_MANIFEST = "manifest.json"


def _sealed(members: list[tuple[str, bytes]]) -> bytes:
    body = archive(members, comment=b"." * _SEAL_LENGTH)[:-_SEAL_LENGTH]
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode()


def mutate_program(content: bytes, rng: random.Random) -> tuple[bytes, list[str]]:
    """Some changes of manifest and tensors."""
    members, changes = members_of(content), []
    manifest: Any = json.loads(dict(members)[_MANIFEST])
    tensors = [(name, data) for name, data in members if name != _MANIFEST]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        kind = rng.random()
        if kind < 0.35:
            changes.append(_leaf(manifest, rng))
        elif kind < 0.5 and tensors:
            at = rng.randrange(len(tensors))
            name, data = tensors[at]
            data, said = mutate_array(data, rng)
            tensors[at] = (name, data)
            changes.append(f"{name}: {said}")
        elif kind < 0.55 and tensors:
            tensors, said = mutate_members(tensors, rng)
            changes.append(said)
        elif kind < 0.95:
            changes.append(_geometry(manifest, tensors, rng))
        else:
            changes.append(_structure(manifest, rng))
    if rng.random() < 0.9 and isinstance(manifest, dict):
        manifest["tensors"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in tensors
        }
    text = _text(manifest, rng)
    packed = _sealed([(_MANIFEST, text), *tensors])
    if rng.random() < 0.05:
        packed = _flip(packed, rng)
        changes.append("bytes of the file")
    return packed, changes


def _text(manifest: Any, rng: random.Random) -> bytes:
    try:
        text = json.dumps(manifest).encode()
    except RecursionError:  # deeper than Python writes: it reads no deeper either
        return b'{"schema": 1, "program": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    kind = rng.random()
    if kind < 0.03:
        at = rng.randrange(len(text))
        return text[:at] + rng.choice([b"", b"\xff", b"}", b"1e999", b"9" * 5000]) + text[at:]
    if kind < 0.04:
        return b"[" * 100000
    return text


def _places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    if isinstance(value, dict):
        for key in value:
            found.append((value, key))
            _places(value[key], found)
    elif isinstance(value, list):
        for index in range(len(value)):
            found.append((value, index))
            _places(value[index], found)
    return found


def _leaf(manifest: Any, rng: random.Random) -> str:
    places = _places(manifest.get("program", manifest), [])
    if not places:
        return "nothing"
    container, key = rng.choice(places)
    container[key] = other_value(container[key], rng)
    return f"{key} := {str(container[key])[:60]}"


def _structure(manifest: Any, rng: random.Random) -> str:
    """An entry dropped, repeated, or exchanged for another."""
    places = _places(manifest, [])
    if len(places) < 2:
        return "nothing"
    (container, key), (other, at) = rng.sample(places, 2)
    kind = rng.randrange(3)
    if kind == 0:
        del container[key]
        return f"{key} dropped"
    if kind == 1 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
        return f"{key} twice"
    container[key] = copy.deepcopy(other[at])
    return f"{key} := what {at} is"


def _geometry(manifest: Any, tensors: list[tuple[str, bytes]], rng: random.Random) -> str:
    """A change of size that the other entries agree with: valid, but odd or huge."""
    try:
        program = manifest["program"]
        kind = rng.randrange(8)
        if kind == 0:
            program["period"] = rng.choice([1, 2, 3, 62, 100, 1000, 2**20, 2**20 + 1, 2**31 - 1])
            return f"period {program['period']}"
        population = rng.choice(program["populations"])
        if kind == 7:
            return _parameters(program, population, rng)
        if kind == 1:
            population["phase"] = rng.choice([0, 1, 2, 63, 1000, 2**31 - 1])
            return f"phase {population['phase']}"
        arriving = [c for c in program["connections"] if c["target"] == population["name"]]
        maps = [c for c in arriving if c["synapses"]["kind"] == "convolution"]
        if not maps and rng.random() < 0.9:
            return _parameters(program, population, rng)
        if not maps:
            population["neuron"] = {"kind": "earliest"}
            return "earliest"
        connection = rng.choice(maps)
        entry = connection["synapses"]
        if kind == 2:
            entry["stride"] = [rng.choice([1, 2, 3, 50, 2**27]) for _ in range(2)]
        elif kind in (3, 5):
            entry["dilation"] = [rng.choice([1, 2, 3, 50]) for _ in range(2)]
        else:
            entry["padding"] = [rng.choice([0, 1, 2, 5, 50, 700, 5000]) for _ in range(4)]
        _fit(program, connection, population, dict(tensors), tensors)
        return f"geometry {entry['stride']} {entry['padding']} {entry['dilation']}"
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, EOFError):
        return "nothing"  # an earlier change broke it


def _parameters(program: Any, population: Any, rng: random.Random) -> str:
    """Numbers within their ranges, at their ends."""
    entry = population["neuron"]
    ends = _ends(entry["kind"], program["period"])
    if ends and rng.random() < 0.6:
        key = rng.choice(list(ends))  # optional fields too, which few files hold
        entry[key] = rng.choice(ends[key])
        return f"{key} {entry[key]}"
    encoder = program["encoder"]
    kind = rng.randrange(6)
    if kind == 0:
        encoder["encoding"] = rng.choice(list(encodings()))
        if rng.random() < 0.5:  # samples with a time axis, or without
            shape = list(encoder["shape"])
            steps = rng.choice([1, program["period"], program["period"] + 1, 2**20])
            encoder["sample_shape"] = rng.choice([shape, [steps, *shape]])
    elif kind == 1:
        encoder["high"] = rng.choice([0, 1, 65536, 2**23 - 1])
    elif kind == 2:
        encoder["low"] = rng.choice([0, -1, -65536, -(2**23) + 1])
    elif kind == 3:
        connection = rng.choice(program["connections"])
        connection["graded"] = not connection["graded"]
    elif kind == 4:
        program["decoder"]["population"] = population["name"]
    else:
        program["decoder"]["decoding"] = rng.choice(list(decodings()))
    return f"entrance or exit {kind}"


def _ends(kind: str, period: int) -> dict[str, list[Any]]:
    """What the fields of a neuron kind can be at the ends of their ranges, and near the window."""
    found: dict[str, list[Any]] = {}
    for field, rule in rules(kinds()[kind]):
        if isinstance(rule, Integer):
            near = [rule.low, rule.low + 1, 0, 1, period - 1, period, rule.high]
            found[field.name] = [n for n in near if rule.low <= n <= rule.high]
        elif isinstance(rule, Choice):
            found[field.name] = list(rule.words)
        elif isinstance(rule, Flag):
            found[field.name] = [True, False]
        elif isinstance(rule, Rising):
            most = range(rule.low, rule.low + rule.most)
            found[field.name] = [[], [rule.low], [rule.high], [rule.high, rule.low], list(most)]
    return found


def _fit(
    program: Any,
    connection: Any,
    population: Any,
    held: dict[str, bytes],
    tensors: list[tuple[str, bytes]],
) -> None:
    """The target of a convolution made to fit it; large targets lose their biases."""
    entry = connection["synapses"]
    shapes = {p["name"]: p["shape"] for p in program["populations"]}
    shapes["input"] = program["encoder"]["shape"]
    _, *source = shapes[connection["source"]]
    weights = np.load(_stream(held[f"{entry['weights']}.npy"]))
    top, left, bottom, right = entry["padding"]
    sides = [
        (size + pad - d * (k - 1) - 1) // s + 1
        for size, pad, d, k, s in zip(
            source,
            (top + bottom, left + right),
            entry["dilation"],
            weights.shape[2:],
            entry["stride"],
            strict=True,
        )
    ]
    population["shape"] = [int(weights.shape[0]), *sides]
    size = int(weights.shape[0]) * sides[0] * sides[1]
    bias = population["neuron"].get("bias") or population["neuron"].get("bias_mantissa")
    if bias is None:
        return
    if not 0 < size < 100_000:
        population["neuron"] = {"kind": "earliest"}
        return
    old = np.load(_stream(held[f"{bias}.npy"]))
    for at, (name, _) in enumerate(tensors):
        if name == f"{bias}.npy":
            tensors[at] = (name, array_bytes(np.resize(old, size).astype(old.dtype)))


def _stream(content: bytes) -> Any:
    import io

    return io.BytesIO(content)
