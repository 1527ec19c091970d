"""ONNX Runtime's integer matrix product, tried before it is used."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

__all__ = ["MatrixProduct"]

#: Rows that each session is tried with: both halves of a kernel of 32 rows, and a rest.
_TRIED = 67
#: Arrays whose places are remembered.
_BOUND = 16
#: Columns whose largest sums it is tried with, of either sign.
_HEAVIEST = 16


class MatrixProduct:
    """Rows of bytes, less a zero point, times int8 weights, exact in int32; thread-safe.

    Parameters
    ----------
    weights
        int8 (depth, columns).
    largest
        Largest byte of a row.
    zero
        The zero point: the byte that stands for 0.

    Attributes
    ----------
    is_exact
        Whether the library multiplied some rows as NumPy does; nothing else makes sure that its
        kernels for this processor are right. Among them are those of the largest sums of two
        products: a processor that adds pairs in 16 bit cuts these first.
    """

    def __init__(self, weights: np.ndarray, largest: int, zero: int = 0) -> None:
        self.depth, self.columns = weights.shape
        self._session = _session(weights, zero)
        self._held = threading.local()
        self.is_exact = self._tried(weights, largest, zero)

    def run(self, rows: np.ndarray, count: int, out: np.ndarray) -> None:
        """Multiply `count` rows, uint8 in C order, into int32 `out`.

        Both arrays have to stay where they are until the next call of the thread.
        """
        held = self._held
        if not hasattr(held, "bound"):
            held.bound = {}
        ends = count, rows.ctypes.data, out.ctypes.data
        if ends not in held.bound:
            if len(held.bound) == _BOUND:
                held.bound.clear()
            binding = held.bound[ends] = self._session.io_binding()
            binding.bind_input("a", "cpu", 0, np.uint8, (count, self.depth), ends[1])
            binding.bind_output("y", "cpu", 0, np.int32, (count, self.columns), ends[2])
        self._session.run_with_iobinding(held.bound[ends])

    def _tried(self, weights: np.ndarray, largest: int, zero: int) -> bool:
        rng = np.random.default_rng(0)
        sides = [side * weights.astype(np.int16) for side in (1, -1)]
        worst = np.concatenate([w[:, _heaviest(w)].T > 0 for w in sides])
        rows = np.concatenate([rng.integers(0, largest + 1, (_TRIED, self.depth)), worst * largest])
        expected = (rows - zero).astype(float) @ weights.astype(float)  # far below 2**53
        return np.array_equal(self._session.run(None, {"a": rows.astype(np.uint8)})[0], expected)


def _heaviest(weights: np.ndarray) -> np.ndarray:
    """Columns with the largest sums of the positive ones of two neighbouring weights."""
    positive = np.maximum(weights, 0)
    pairs = positive[:-1] + positive[1:] if len(positive) > 1 else positive
    return np.argsort(pairs.max(0, initial=0))[-_HEAVIEST:]


def _session(weights: np.ndarray, zero: int) -> Any:
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "w", "zero"][: 2 + (zero > 0)], ["y"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [None, len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [None, weights.shape[1]])],
        [
            numpy_helper.from_array(np.ascontiguousarray(weights), "w"),
            numpy_helper.from_array(np.array(zero, np.uint8), "zero"),
        ][: 1 + (zero > 0)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1  # samples go to threads, not parts of a layer
    options.log_severity_level = 3
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
