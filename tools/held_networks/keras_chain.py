"""A chain of Keras layers in an HDF5 file, as ONNX; no Keras is needed.

For the networks of Intel's NxTF tutorials: `b_cifar_pseudo_mobile_net_0.87.h5` of the public
repository `intel-nrc-ecosystem/models`, folder `nxsdk_modules_ncl/dnn/tutorials/models`
(Rueckauer et al. 2022, arXiv 2101.04261: 87.19 % of CIFAR-10's test images).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["write_onnx"]


def write_onnx(source: Path, target: Path) -> tuple[int, ...]:
    """Write the network, channels first, and return the shape (C, H, W) of its input.

    Dropout is left out, and the softmax at the end, which changes no prediction.

    Raises
    ------
    ValueError
        The file has a layer of another kind than those of a chain of (depthwise) convolutions,
        batch norms, ReLUs, average poolings and dense layers, named.
    """
    import h5py

    with h5py.File(source, "r") as file:
        configuration = json.loads(file.attrs["model_config"])["config"]
        layers = configuration["layers"] if isinstance(configuration, dict) else configuration
        stored = file["model_weights"]
        weights = {
            name: [np.asarray(stored[name][key]) for key in stored[name].attrs["weight_names"]]
            for name in stored
        }
    chain = _Chain()
    for layer in layers:
        chain.add(layer["class_name"], layer["config"], weights.get(layer["config"]["name"], []))
    graph = helper.make_graph(
        chain.nodes, source.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *chain.shape])],
        [helper.make_tensor_value_info(chain.last, TensorProto.FLOAT, ["n", chain.outputs])],
        chain.constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return chain.shape


class _Chain:
    """Nodes so far, and the name of the last result."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.last, self.shape, self.outputs, self.channels = "x", (0, 0, 0), 0, 0
        self.flat = False

    def _node(self, kind: str, *constants: np.ndarray, **attributes: object) -> None:
        names = [self.last]
        for values in constants:
            names.append(f"c{len(self.constants)}")
            self.constants.append(
                numpy_helper.from_array(np.ascontiguousarray(values, np.float32), names[-1])
            )
        self.last = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [self.last], self.last, **attributes))

    def add(self, kind: str, about: dict[str, Any], weights: list[np.ndarray]) -> None:
        """One layer of Keras."""
        if kind == "InputLayer":
            _, rows, columns, channels = about["batch_input_shape"]
            self.shape, self.channels = (channels, rows, columns), channels
        elif kind in ("Conv2D", "DepthwiseConv2D"):
            self._conv(kind, about, weights)
        elif kind == "BatchNormalization":
            scale, shift, mean, variance = weights
            self._node(kind, scale, shift, mean, variance, epsilon=about["epsilon"])
        elif kind == "AveragePooling2D":
            self._node("AveragePool", kernel_shape=about["pool_size"], strides=about["strides"])
        elif kind == "Flatten":
            # Keras flattens with the channels last
            self._node("Transpose", perm=[0, 2, 3, 1])
            self._node("Flatten", axis=1)
        elif kind == "Dense":
            kernel, *bias = weights
            self.outputs = kernel.shape[1]
            self._node("Gemm", kernel, *bias)
        elif kind not in ("Activation", "Dropout"):
            raise ValueError(f"layer {about['name']!r}: {kind} is not read here")
        self._activation(kind, about)

    def _conv(self, kind: str, about: dict[str, Any], weights: list[np.ndarray]) -> None:
        kernel, *bias = weights
        if kind == "Conv2D":  # (H, W, inputs, outputs)
            values, groups = kernel.transpose(3, 2, 0, 1), 1
        else:  # (H, W, channels, multiplier)
            values = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
            groups = kernel.shape[2]
        pad = "SAME_UPPER" if about["padding"] == "same" else "VALID"
        self._node(
            "Conv", values, *bias, group=groups, strides=about["strides"], auto_pad=pad,
            kernel_shape=list(kernel.shape[:2]),
        )  # fmt: skip

    def _activation(self, kind: str, about: dict[str, Any]) -> None:
        asked = about.get("activation", "linear")
        if asked == "relu":
            self._node("Relu")
        elif asked not in ("linear", "softmax") or (asked == "softmax" and kind != "Dense"):
            raise ValueError(f"layer {about['name']!r}: activation {asked} is not read here")
