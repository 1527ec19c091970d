"""Small random ONNX networks: whatever may stand between the input and a layer.

Convolutions of one to three axes (groups, stride, dilation, padding), dense layers, average and max
pooling first, last and twice, batch norm, residual sums and differences, concatenations, zero
padding; inputs of any sign. Names are chosen to meet those that the compiler makes up.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["RandomModel", "random_model"]

Shape = tuple[int, ...]

#: Lowest and highest input: of both signs, of one, far from zero.
RANGES = ((0.0, 1.0), (-1.0, 1.0), (-2.0, 1.0), (0.2, 1.0), (-3.0, -1.0), (2.0, 3.0), (-0.5, 4.0))
#: Endings of names that passes and schemes make.
_ENDINGS = (".relay", ".0", ".1", ".fired", "_2", ".0_2")


@dataclass(frozen=True)
class RandomModel:
    """Attributes: the model, samples float32 (n, *shape) for it, and what was built, in words."""

    model: onnx.ModelProto
    x: np.ndarray
    description: str


@dataclass(frozen=True)
class _Signal:
    """Attributes: ONNX value, shape, and whether a max pooling may read it (spikes, no sums)."""

    name: str
    shape: Shape
    poolable: bool = False


class _Graph:
    def __init__(self, rng: np.random.Generator, shape: Shape) -> None:
        self.rng, self.axes = rng, len(shape) - 1
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.shapes: dict[str, Shape] = {}
        self.words: list[str] = []
        self.input = _Signal("x", shape, poolable=True)

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(self, kind: str, *sources: str, **attributes: Any) -> str:
        value = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, sources, [value], self._name(kind), **attributes))
        self.words.append(kind + "".join(f" {k}={v}" for k, v in attributes.items() if k != "axis"))
        return value

    def _name(self, kind: str) -> str:
        """A name; one in four looks like one that the compiler would make of another's."""
        taken = [node.name for node in self.nodes]
        if taken and self.chance(0.25):
            wish = taken[self.whole(0, len(taken) - 1)]
            wish += _ENDINGS[self.whole(0, len(_ENDINGS) - 1)]
            if wish not in taken:
                return wish
        wish = ("input", "output")[self.whole(0, 1)]
        return wish if wish not in taken and self.chance(0.03) else f"{kind}{len(taken)}"

    def layer(self, source: _Signal, outputs: int, *, same: bool = False) -> _Signal:
        """A convolution; with `same` the map keeps its size."""
        channels, size = source.shape[0], source.shape[1:]
        groups = channels if self.chance(0.2) and not same else 1
        outputs = groups * max(1, outputs // groups)
        kernel = tuple(1 if same and self.chance(0.3) else min(3, n) for n in size)
        if same:
            kernel = tuple(k if k % 2 else 1 for k in kernel)
        elif self.chance(0.3):
            kernel = tuple(self.whole(1, k) for k in kernel)
        dilation = [1 if same else self.whole(1, 2) for _ in size]
        stride = [1 if same else self.whole(1, 2) for _ in size]
        extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        if same:
            pads = [k // 2 for k in kernel] * 2
        else:
            pads = [self.whole(0, 1) for _ in (*size, *size)]
            for axis, n in enumerate(size):
                while n + pads[axis] + pads[axis + self.axes] < extent[axis]:
                    pads[axis] += 1
        weight = self.rng.standard_normal((outputs, channels // groups, *kernel))
        weight *= 1.4 / np.sqrt(prod(weight.shape[1:]))
        inputs = [source.name, self.constant(weight)]
        if self.chance(0.7):
            inputs.append(self.constant(self.rng.standard_normal(outputs) * 0.3))
        name = self.node(
            "Conv", *inputs, pads=pads, strides=stride, dilations=dilation, group=groups,
            kernel_shape=kernel,
        )  # fmt: skip
        out = (
            (n + pads[a] + pads[a + self.axes] - extent[a]) // stride[a] + 1
            for a, n in enumerate(size)
        )
        return _Signal(name, (outputs, *out))

    def dense(self, source: _Signal, outputs: int) -> _Signal:
        size = prod(source.shape)
        flat = source.name
        if len(source.shape) > 1:
            flat = self.node("Flatten", flat)
        weight = self.rng.standard_normal((size, outputs)) * 1.4 / np.sqrt(size)
        bias = self.constant(self.rng.standard_normal(outputs) * 0.3)
        return _Signal(self.node("Gemm", flat, self.constant(weight), bias), (outputs,))

    def relu(self, source: _Signal) -> _Signal:
        if self.chance(0.2):
            ends = self.constant(np.array(0.0)), self.constant(np.array(self.rng.uniform(0.5, 2)))
            name = self.node("Clip", source.name, *ends)
        else:
            name = self.node("Relu", source.name)
        return _Signal(name, source.shape, poolable=True)

    def batch_norm(self, source: _Signal) -> _Signal:
        channels = source.shape[0]
        parts = [
            self.rng.uniform(0.5, 1.5, channels) * self.rng.choice([-1, 1, 1, 1], channels),
            self.rng.standard_normal(channels) * 0.2,
            self.rng.standard_normal(channels) * 0.2,
            self.rng.uniform(0.5, 2.0, channels),
        ]
        constants = [self.constant(part) for part in parts]
        return _Signal(self.node("BatchNormalization", source.name, *constants), source.shape)

    def pool(self, source: _Signal, kind: str) -> _Signal:
        size = source.shape[1:]
        kernel = [min(n, self.whole(1, 3)) for n in size]
        stride = [self.whole(1, 2) for _ in size]
        pads = [self.whole(0, 1) if k > 1 and self.chance(0.4) else 0 for k in kernel] * 2
        options: dict[str, Any] = {"kernel_shape": kernel, "strides": stride, "pads": pads}
        if kind == "AveragePool":
            options["count_include_pad"] = self.whole(0, 1)
        name = self.node(kind, source.name, **options)
        out = ((n + 2 * pads[a] - kernel[a]) // stride[a] + 1 for a, n in enumerate(size))
        return _Signal(name, (source.shape[0], *out), poolable=kind == "MaxPool")

    def add(self, a: _Signal, b: _Signal) -> _Signal:
        kind = "Sub" if self.chance(0.2) else "Add"
        return _Signal(self.node(kind, a.name, b.name), a.shape)

    def concat(self, a: _Signal, b: _Signal) -> _Signal:
        name = self.node("Concat", a.name, b.name, axis=1)
        both = (a.shape[0] + b.shape[0], *a.shape[1:])
        return _Signal(name, both, poolable=a.poolable and b.poolable)

    def pad(self, source: _Signal) -> _Signal:
        """Zeros around the map, whatever the lowest input is."""
        rank = len(source.shape)
        begin = [0] + [self.whole(0, 1) for _ in range(rank - 1)]
        end = [0] + [self.whole(0, 1) for _ in range(rank - 1)]
        name = f"c{len(self.constants)}"
        values = np.array([0, *begin, 0, *end], np.int64)
        self.constants.append(numpy_helper.from_array(values, name))
        out = (n + b + e for n, b, e in zip(source.shape, begin, end, strict=True))
        return _Signal(self.node("Pad", source.name, name), tuple(out))

    def turn(self, source: _Signal) -> _Signal:
        """The spatial axes in the other order."""
        rank = len(source.shape)
        name = self.node("Transpose", source.name, perm=[0, 1, *range(rank, 1, -1)])
        turned = (source.shape[0], *source.shape[:0:-1])
        return _Signal(name, turned, poolable=source is self.input)

    def whole_map(self, source: _Signal, kind: str) -> _Signal:
        name = self.node(kind, source.name)
        return _Signal(self.node("Flatten", name), (source.shape[0],), poolable=True)


def random_model(
    rng: np.random.Generator, *, max_pooling: bool = True, samples: int = 12
) -> RandomModel:
    """A network of up to a few hundred neurons, and samples over the whole of its input range.

    Parameters
    ----------
    max_pooling
        Whether there may be any.
    """
    axes = int(rng.choice([0, 1, 2, 2, 2, 3]))
    sizes = {0: (), 1: (10,), 2: (6, 6), 3: (4, 4, 4)}[axes]
    shape = (int(rng.integers(1, 4)), *(int(rng.integers(3, n + 1)) for n in sizes))
    if axes == 0:
        shape = (int(rng.integers(2, 12)),)
    g = _Graph(rng, shape)
    last = g.input
    seen = [last]
    for _ in range(g.whole(0 if axes else 1, 3)):
        last = _block(g, last, seen, max_pooling) if axes else _dense_block(g, last)
        seen.append(last)
    last = _head(g, last, max_pooling)
    low, high = RANGES[g.whole(0, len(RANGES) - 1)]
    x = rng.uniform(low, high, (samples, *shape))
    if g.chance(0.3):  # much of an image is background
        x = np.where(rng.random(x.shape) < 0.5, low, x)
    x.reshape(-1)[:2] = low, high
    words = f"{shape} in {low}..{high}: " + "; ".join(g.words)
    return RandomModel(_model(g, last.name), x.astype(np.float32), words)


def _dense_block(g: _Graph, last: _Signal) -> _Signal:
    made = g.relu(g.dense(last, g.whole(2, 8)))
    if made.shape == last.shape or g.chance(0.2):
        made = g.add(made, g.dense(last, made.shape[0]))
        return g.relu(made)
    return g.concat(made, last) if g.chance(0.3) else made


def _block(g: _Graph, last: _Signal, seen: list[_Signal], max_pooling: bool) -> _Signal:
    """One more piece behind `last`; it may reach back to anything in `seen`."""
    kinds = ["layer", "layer", "residual", "concat", "average", "input skip", "norm", "pad", "turn"]
    if max_pooling:
        kinds += ["max", "max", "max before relu"]
    kind = kinds[g.whole(0, len(kinds) - 1)]
    if kind == "average":
        return g.pool(last, "AveragePool")
    if kind == "max":
        if not last.poolable:
            last = g.relu(last)
        last = g.pool(last, "MaxPool")
        return g.pool(last, "MaxPool") if g.chance(0.3) else last
    if kind == "max before relu":
        made = g.layer(last, g.whole(1, 4))
        pooled = g.pool(made, "MaxPool")
        return g.relu(_Signal(pooled.name, pooled.shape))
    if kind == "residual":
        made = g.layer(last, last.shape[0], same=True)
        if g.chance(0.5):
            made = g.layer(g.relu(made), last.shape[0], same=True)
        made = g.add(made, last)
        return g.relu(made) if g.chance(0.8) else made
    if kind == "concat":
        other = g.layer(last, g.whole(1, 3), same=True)
        if g.chance(0.7):
            other = g.relu(other)
        alike = [s for s in seen if s.shape[1:] == last.shape[1:]]
        more = alike[g.whole(0, len(alike) - 1)] if alike else last
        made = g.concat(g.concat(other, last), more) if g.chance(0.5) else g.concat(last, other)
        if made.poolable and max_pooling and g.chance(0.4):
            made = g.pool(made, "MaxPool")
        return made
    if kind == "input skip":
        if last is g.input or prod(g.input.shape) * prod(last.shape) > 20_000:
            return g.relu(g.layer(last, g.whole(1, 4)))
        size = prod(last.shape)
        skip = g.dense(g.input, size)
        flat = _Signal(g.node("Flatten", last.name), (size,))
        return _back(g, g.relu(g.add(flat, skip)), last.shape)
    if kind == "norm":
        made = g.batch_norm(last)
        return g.relu(made) if g.chance(0.5) else made
    if kind == "pad":
        return g.pad(last)
    if kind == "turn":
        return g.turn(last)
    made = g.layer(last, g.whole(1, 4))
    if g.chance(0.3):
        made = g.batch_norm(made)
    return g.relu(made) if g.chance(0.9) else made


def _back(g: _Graph, flat: _Signal, shape: Shape) -> _Signal:
    """A vector as a map again."""
    name = f"c{len(g.constants)}"
    g.constants.append(numpy_helper.from_array(np.array([-1, *shape], np.int64), name))
    return _Signal(g.node("Reshape", flat.name, name), shape, poolable=True)


def _head(g: _Graph, last: _Signal, max_pooling: bool) -> _Signal:
    """What the model ends with: a dense layer, a pooling, or the last layer itself."""
    style = g.whole(0, 4)
    if len(last.shape) > 1:
        if style == 0:
            last = g.whole_map(last, "GlobalAveragePool")
        elif style == 1 and max_pooling and last.poolable:
            last = g.whole_map(last, "GlobalMaxPool")
        elif style == 2:
            return g.layer(last, 2)
        elif style == 3 and last is not g.input:
            return _Signal(g.node("Flatten", last.name), (prod(last.shape),))
    if last is g.input or g.chance(0.7):
        if g.chance(0.3):
            last = g.relu(g.dense(last, 5))
        return g.dense(last, 3)
    return last


def _model(g: _Graph, last: str) -> onnx.ModelProto:
    graph = helper.make_graph(
        g.nodes,
        "random",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *g.input.shape])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        g.constants,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, ir_version=8, opset_imports=[opset])
