"""lava-dl's `.net` files (HDF5): layers of integers as Loihi holds them.

Layout: what lava-dl's blocks export (`slayer.block`) and its `netx.hdf5.Network` reads.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError, shown
from neurodeploy.importing.nir.hdf5 import Reader, opened
from neurodeploy.importing.nir.source import HDF5_HEAD

__all__ = ["NetFile", "NetLayer", "is_lava_dl", "read_net"]

MAX_LAYERS = 1000
_AGAIN = "export the network again with lava-dl's export_hdf5"
#: Layer types that lava-dl has and nothing here computes.
_REFUSED = {
    "average": "averages over time: read the layer before with --decoder spike_count",
    "pool": "is a pooling layer with weights of its own",
    "convT": "is a transposed convolution",
    "unpool": "is an unpooling",
    "concat": "joins layers",
    "dense_rec": "is a recurrent layer",
}


@dataclass(frozen=True, eq=False)
class NetLayer:
    """One layer, its neurons included.

    Attributes
    ----------
    kind
        ``input``, ``conv``, ``dense`` or ``flatten``.
    shape
        (C, H, W) or (N,); empty for ``flatten``.
    weight
        int64 (out, in, ky, kx) or (out, in); None where there is none.
    bias
        int64 (channels,) or (neurons,), in units of 2^6 of the membrane; None: 0.
    window
        stride, padding, dilation (y, x) of a convolution.
    neuron
        Its numbers by lava-dl's names (iDecay, vDecay, vThMant, ...); empty where it has none.
    delay
        Steps that spikes of each neuron wait (axonal), int64 (1,) or (neurons,); None: none.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    weight: np.ndarray | None = None
    bias: np.ndarray | None = None
    window: tuple[tuple[int, int], ...] = ()
    groups: int = 1
    neuron: dict[str, Any] | None = None
    delay: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class NetFile:
    """A file: its layers in order, and where it came from."""

    layers: tuple[NetLayer, ...]
    place: str
    file: str
    sha256: str


def is_lava_dl(model: Any) -> TypeGuard[str | os.PathLike[str] | bytes]:
    """Whether a model is one of lava-dl's: a file named ``.net``, or HDF5 with ``layer``."""
    if isinstance(model, str | os.PathLike):
        path = Path(os.fsdecode(model))
        if path.suffix.lower() == ".net":
            return True
        try:
            with path.open("rb") as file:
                head = file.read(2**16)
        except (OSError, ValueError):
            return False
    elif isinstance(model, bytes | bytearray | memoryview):
        head = bytes(model[: 2**16])
    else:
        return False
    return head.startswith(HDF5_HEAD) and b"layer\0" in head and b"nodes" not in head


def read_net(model: str | os.PathLike[str] | bytes) -> NetFile:
    """Read a file, or its bytes; every size is looked at before it is read.

    Raises
    ------
    ModelError
        It cannot be read, or is no such file.
    UnsupportedError
        Layers that nothing here computes, by name.
    """
    place, content, layers = opened(model, "a lava-dl network", _AGAIN, _layers)
    file = "" if place == "<bytes>" else Path(place).name
    return NetFile(layers, place, file, hashlib.sha256(content).hexdigest())


def _layers(reader: Reader, file: Any) -> tuple[NetLayer, ...]:
    group = reader.member(file, "layer", reader.h5py.Group)
    if not 0 < len(group) <= MAX_LAYERS:
        raise ModelError(f"has {len(group)} layers, not 1 to {MAX_LAYERS}", place="layer")
    found = []
    for k in range(len(group)):
        name = f"layer{k}"
        member = reader.member(group, str(k), reader.h5py.Group)
        try:
            found.append(_layer(reader, member, name))
        except (ModelError, UnsupportedError) as error:
            place, told = error.place or name, type(error)
            raise told(error.message, place=place, remedy=error.remedy) from None
    return tuple(found)


def _layer(reader: Reader, group: Any, name: str) -> NetLayer:
    kind = reader.word(group, "type")
    if kind in _REFUSED:
        raise UnsupportedError(_REFUSED[kind], place=name)
    if kind not in ("input", "conv", "dense", "flatten"):
        raise UnsupportedError(f"the type {shown(kind)} is unknown", place=name)
    if kind == "flatten":
        return NetLayer(name, kind, ())

    def numbers(key: str, inside: Any = group) -> np.ndarray | None:
        if key not in inside:
            return None
        value = reader.value(reader.member(inside, key, reader.h5py.Dataset), f"{name}: {key}")
        if not isinstance(value, np.ndarray):
            raise ModelError(f"{key} is no numbers")
        return value

    shape = _whole("shape", numbers("shape"))
    if shape is None or not 1 <= shape.size <= 3 or (shape < 1).any() or prod(shape) > 2**27:
        raise ModelError("has no shape")
    weight = _whole("weight", numbers("weight"))
    window: tuple[tuple[int, int], ...] = ()
    if kind == "conv":
        if (
            weight is None
            or weight.ndim not in (4, 5)
            or (weight.ndim == 5 and weight.shape[4] > 1)
        ):
            raise ModelError("a convolution without weights (out, in, y, x)")
        weight = weight.reshape(weight.shape[:4])
        window = tuple(_pair(numbers(key), key) for key in ("stride", "padding", "dilation"))
    elif kind == "dense":
        if weight is None or weight.size % prod(shape):
            raise ModelError("a dense layer without weights (out, in)")
        weight = weight.reshape(int(prod(shape)), -1)
        shape = np.array([prod(shape)])
    groups = _whole("groups", numbers("groups"))
    neuron: dict[str, Any] | None = None
    if "neuron" in group:
        inside = reader.member(group, "neuron", reader.h5py.Group)
        neuron = {"type": reader.word(inside, "type")}
        for key in ("iDecay", "vDecay", "vThMant", "refDelay", "gradedSpike"):
            value = numbers(key, inside)
            if value is not None and value.size == 1:
                neuron[key] = int(value.reshape(-1)[0])
    bias, delay = _whole("bias", numbers("bias")), numbers("delay")
    return NetLayer(
        name,
        kind,
        tuple(int(n) for n in shape),
        weight,
        None if bias is None else bias.reshape(-1),
        window,
        1 if groups is None else int(groups.reshape(-1)[0]),
        neuron,
        None if delay is None else np.floor(delay).astype(np.int64).reshape(-1),
    )


def _whole(key: str, value: np.ndarray | None) -> np.ndarray | None:
    """int64; refused where a number is not whole: weights and biases are Loihi's integers."""
    if value is None:
        return None
    if value.dtype.kind == "f" and np.any(value != np.rint(value)):
        raise ModelError(f"{key} is not whole numbers", remedy="export it quantized")
    return value.astype(np.int64)


def _pair(value: np.ndarray | None, key: str) -> tuple[int, int]:
    if value is None or value.size not in (1, 2) or (value < 0).any() or (value > 2**20).any():
        raise ModelError(f"{key} is not two whole numbers")
    first, last = (int(n) for n in np.resize(value.reshape(-1), 2))
    return first, last
