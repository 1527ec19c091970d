"""The linear maps between populations on batches: float weights and integers alike.

All of them take float32 (n, sources) and give float32 (n, targets), flat C order. Integers stay
exact where every partial sum is below 2**24.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from scipy import sparse

from neurodeploy.network import Conv, Dense, Input, Network, Node, Output, Pool
from neurodeploy.network.by_rows import by_rows
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.network.stages import Operator
from neurodeploy.program import Convolution, Sparse, Synapses
from neurodeploy.program import Dense as DenseSynapses

__all__ = ["Map", "float_map", "pooling_map", "synapse_map", "transposed_map"]

Map: TypeAlias = Callable[[np.ndarray], np.ndarray]
Shape = tuple[int, ...]
#: Weights of a matrix of which ONNX Runtime, which copies them, is not given more.
_LARGE = 2**24


def float_map(operator: Operator, shape: Shape) -> Map:
    """A stage's operator without its bias; `shape` is that of its source."""
    if isinstance(operator, Dense):
        return _matrix(operator.weight, shape)
    if isinstance(operator, Conv):
        zero = np.zeros(operator.weight.shape[0], np.float32)
        return _session(
            Conv(
                "y", operator.weight, zero, operator.stride, operator.padding,
                operator.dilation, operator.groups,
            ),
            shape,
        )  # fmt: skip
    return _sparse(operator)


def synapse_map(synapses: Synapses, shape: Shape) -> Map:
    """A connection's integers, exponent left out."""
    if isinstance(synapses, DenseSynapses):
        return _matrix(synapses.weights, shape)
    weights = synapses.weights.astype(np.float32)
    if isinstance(synapses, Convolution):
        zero = np.zeros(weights.shape[0], np.float32)
        return _session(
            Conv(
                "y", weights, zero, synapses.stride, synapses.padding,
                synapses.dilation, synapses.groups,
            ),
            shape,
        )  # fmt: skip
    assert isinstance(synapses, Sparse)
    rows = synapses.row_starts.size - 1
    return _sparse(
        sparse.csr_matrix(
            (weights, synapses.columns, synapses.row_starts), shape=(rows, synapses.sources)
        )
    )


def transposed_map(operator: Operator, shape: Shape, targets: Shape) -> Map:
    """The transpose of a stage's operator: float32 (n, targets) to (n, sources)."""
    if isinstance(operator, Dense):
        return lambda g: g @ operator.weight
    if not isinstance(operator, Conv):
        transposed = operator.T.tocsr().astype(np.float32)
        return lambda g: np.ascontiguousarray((transposed @ g.T).T)
    axes = len(operator.stride)
    begins, ends = operator.padding[:axes], operator.padding[axes:]
    reach = [(k - 1) * d + 1 for k, d in zip(operator.kernel, operator.dilation, strict=True)]
    left = [
        size - (s * (n - 1) + r - b - e)
        for size, s, n, r, b, e in zip(
            shape[1:], operator.stride, targets[1:], reach, begins, ends, strict=True
        )
    ]
    node = helper.make_node(
        "ConvTranspose", ["g", "w"], ["z"], pads=operator.padding, strides=operator.stride,
        dilations=operator.dilation, group=operator.groups, output_padding=left,
    )  # fmt: skip
    graph = helper.make_graph(
        [node], "transposed",
        [helper.make_tensor_value_info("g", TensorProto.FLOAT, ["n", *targets])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["n", *shape])],
        [numpy_helper.from_array(operator.weight, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = _opened(model)

    def run(g: np.ndarray) -> np.ndarray:
        (found,) = session.run(["z"], {"g": g.reshape(len(g), *targets)})
        return found.reshape(len(g), -1)

    return run


def pooling_map(windows: Operator, shape: Shape) -> Map:
    """The maximum over the windows that a max pooling's operator stands for."""
    if not isinstance(windows, Conv):  # of volumes: a row of the matrix for each window
        assert not isinstance(windows, Dense)
        columns, starts = windows.indices, windows.indptr[:-1]
        return lambda x: np.maximum.reduceat(x[:, columns], starts, axis=1)
    pool = Pool("y", "max", windows.kernel, windows.stride, windows.padding, windows.dilation)
    return _session(pool, shape)


def _matrix(weights: np.ndarray, shape: Shape) -> Map:
    if weights.size > _LARGE:

        def run(x: np.ndarray) -> np.ndarray:
            product = by_rows(lambda rows: rows.astype(np.float32) @ x.T, weights)
            return np.ascontiguousarray(product.T)

        return run
    weights = weights.astype(np.float32, copy=False)
    return _session(Dense("y", weights, np.zeros(len(weights), np.float32)), shape)


def _sparse(matrix: sparse.csr_matrix) -> Map:
    matrix = matrix.astype(np.float32)
    size = matrix.shape[0]
    if matrix.shape[1] == size and (matrix != sparse.identity(size, format="csr")).nnz == 0:
        return lambda x: x
    return lambda x: np.ascontiguousarray((matrix @ x.T).T)


def _session(node: Node, shape: Shape) -> Map:
    """A node on ONNX Runtime, one thread: samples go to threads, not parts of a layer."""
    network = Network(
        [Input("x", shape), node, Output("z")], {node.name: ("x",), "z": (node.name,)}
    )
    session = _opened(to_onnx(network))

    def run(x: np.ndarray) -> np.ndarray:
        (found,) = session.run(["z"], {"x": x.reshape(len(x), *shape)})
        return found.reshape(len(x), -1)

    return run


def _opened(model: onnx.ModelProto) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
