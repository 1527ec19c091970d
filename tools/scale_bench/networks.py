"""ResNet, MobileNet and VGG with He-random weights, as ONNX files.

What compiling and mapping cost hangs on shapes alone, so nothing has to be trained. The last batch
norm of a residual branch has a small scale: sums of many branches would grow otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["NETWORKS", "write"]


class _Maker:
    """Nodes and weights so far; every method returns the name of its result."""

    def __init__(self, side: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.side, self.nodes, self.weights = side, [], []
        self.channels: dict[str, int] = {"x": 3}

    def _node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        self.channels[name] = self.channels[inputs[0]]
        return name

    def _weight(self, values: np.ndarray) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def _he(self, *shape: int) -> str:
        return self._weight(self.rng.normal(0, np.sqrt(2 / prod(shape[1:])), shape))

    def conv(
        self, x: str, out: int, kernel: int, stride: int = 1, groups: int = 1, scale: float = 1.0,
        *, norm: bool = True,
    ) -> str:  # fmt: skip
        """A convolution of "same" padding, and a batch norm or a bias."""
        weight = self._he(out, self.channels[x] // groups, kernel, kernel)
        inputs = [x, weight] if norm else [x, weight, self._weight(np.zeros(out))]
        name = self._node(
            "Conv", inputs, kernel_shape=[kernel, kernel], strides=[stride, stride], group=groups,
            pads=[kernel // 2] * 4,
        )  # fmt: skip
        self.channels[name] = out
        if not norm:
            return name
        gain, mean, variance = (
            self._weight(values)
            for values in (
                scale * self.rng.uniform(0.8, 1.2, out),
                self.rng.normal(0, 0.05, out),
                self.rng.uniform(0.8, 1.2, out),
            )
        )
        shift = self._weight(self.rng.normal(0, 0.05, out))
        return self._node("BatchNormalization", [name, gain, shift, mean, variance])

    def relu(self, x: str) -> str:
        return self._node("Relu", [x])

    def relu6(self, x: str) -> str:
        ends = [self._weight(np.asarray(end)) for end in (0.0, 6.0)]
        return self._node("Clip", [x, *ends])

    def add(self, a: str, b: str) -> str:
        return self._node("Add", [a, b])

    def pool(self, x: str, kernel: int, pads: int = 0) -> str:
        return self._node(
            "MaxPool", [x], kernel_shape=[kernel, kernel], strides=[2, 2], pads=[pads] * 4
        )

    def mean(self, x: str) -> str:
        return self._node("Flatten", [self._node("GlobalAveragePool", [x])])

    def flat(self, x: str, inputs: int) -> str:
        name = self._node("Flatten", [x])
        self.channels[name] = inputs
        return name

    def dense(self, x: str, out: int) -> str:
        inputs = [x, self._he(out, self.channels[x]), self._weight(np.zeros(out))]
        name = self._node("Gemm", inputs, transB=1)
        self.channels[name] = out
        return name

    def model(self, output: str) -> onnx.ModelProto:
        out = self.channels[output]
        graph = helper.make_graph(
            self.nodes,
            "random",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, self.side, self.side])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", out])],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _resnet50(side: int, seed: int) -> onnx.ModelProto:
    """He et al. 2016: bottlenecks of 3, 4, 6 and 3 blocks."""
    m = _Maker(side, seed)
    x = m.pool(m.relu(m.conv("x", 64, 7, 2)), 3, 1)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            way = m.relu(m.conv(x, width, 1))
            way = m.relu(m.conv(way, width, 3, stride))
            way = m.conv(way, 4 * width, 1, scale=0.3)
            x = m.relu(m.add(way, x if block else m.conv(x, 4 * width, 1, stride)))
    return m.model(m.dense(m.mean(x), 1000))


def _resnet56(side: int, seed: int) -> onnx.ModelProto:
    """He et al. 2016, CIFAR-10: three stages of nine blocks."""
    m = _Maker(side, seed)
    x = m.relu(m.conv("x", 16, 3))
    for stage in range(3):
        width = 16 << stage
        for block in range(9):
            stride = 2 if stage and not block else 1
            way = m.conv(m.relu(m.conv(x, width, 3, stride)), width, 3, scale=0.3)
            x = m.relu(m.add(way, m.conv(x, width, 1, stride) if stride > 1 else x))
    return m.model(m.dense(m.mean(x), 10))


def _mobilenet_v1(side: int, seed: int) -> onnx.ModelProto:
    """Howard et al. 2017: depthwise and pointwise convolutions in turn."""
    m = _Maker(side, seed)
    x = m.relu(m.conv("x", 32, 3, 2))
    wide = (64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    for out, stride in zip(wide, strides, strict=True):
        x = m.relu(m.conv(x, m.channels[x], 3, stride, m.channels[x]))
        x = m.relu(m.conv(x, out, 1))
    return m.model(m.dense(m.mean(x), 1000))


#: Expansion, channels, blocks and stride of each stage of MobileNetV2.
_BOTTLENECKS = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip


def _mobilenet_v2(
    side: int, seed: int, classes: int = 1000, reduced: tuple[int, ...] = (0, 1, 2, 3, 5)
) -> onnx.ModelProto:
    """Sandler et al. 2018: linear bottlenecks; `reduced` names the stages that keep a stride."""
    m = _Maker(side, seed)
    x = m.relu6(m.conv("x", 32, 3, 2 if 0 in reduced else 1))
    for stage, (wider, out, blocks, stride) in enumerate(_BOTTLENECKS):
        for block in range(blocks):
            step = stride if not block and stage in reduced else 1
            inside = m.channels[x] * wider
            way = m.relu6(m.conv(x, inside, 1)) if wider > 1 else x
            way = m.relu6(m.conv(way, inside, 3, step, inside))
            way = m.conv(way, out, 1, scale=0.5)
            x = m.add(way, x) if block else way
    x = m.relu6(m.conv(x, 1280, 1))
    return m.model(m.dense(m.mean(x), classes))


def _vgg16(side: int, seed: int) -> onnx.ModelProto:
    """Simonyan & Zisserman 2015, configuration D, without batch norm."""
    m = _Maker(side, seed)
    x = "x"
    for width, layers in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(layers):
            x = m.relu(m.conv(x, width, 3, norm=False))
        x = m.pool(x, 2)
    x = m.flat(x, 512 * (side // 32) ** 2)
    for width in (4096, 4096):
        x = m.relu(m.dense(x, width))
    return m.model(m.dense(x, 1000))


#: Makers by name, each with the side of its images.
NETWORKS: dict[str, tuple[Callable[[int, int], onnx.ModelProto], int]] = {
    "resnet50": (_resnet50, 224),
    "mobilenet_v1": (_mobilenet_v1, 224),
    "mobilenet_v2": (_mobilenet_v2, 224),
    "vgg16": (_vgg16, 224),
    "resnet56": (_resnet56, 32),
    "mobilenet_v2_32": (lambda side, seed: _mobilenet_v2(side, seed, 10, (1, 2, 3, 5)), 32),
}


def write(name: str, path: Path, seed: int = 0) -> tuple[int, ...]:
    """Write a network to an ONNX file; the shape of its samples."""
    make, side = NETWORKS[name]
    onnx.save(make(side, seed), path)
    return 3, side, side
