"""Models to mutate: small graphs of every operator that imports, and real files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Seed", "backend_seeds", "file_seeds", "generated_seeds", "make"]


@dataclass(frozen=True)
class Seed:
    """A model to mutate.

    Attributes
    ----------
    name
        For the table and to make the random numbers of each mutant.
    load
        Reads or builds the model.
    weight
        Mutants in comparison with other seeds: large files take long.
    beside
        External data files that must lie in the mutant's folder.
    """

    name: str
    load: Callable[[], onnx.ModelProto]
    weight: int = 4
    beside: tuple[Path, ...] = ()


def make(
    nodes: Iterable[tuple[Any, ...]],
    shape: tuple[int, ...],
    opset: int = 17,
    batch: int | str = "batch",
    **constants: Any,
) -> onnx.ModelProto:
    """A model from ``x`` to ``y``; nodes are (operator, inputs, outputs[, attributes])."""
    made = []
    for kind, reads, writes, *attributes in nodes:
        inputs = ["" if word == "-" else word for word in reads.split()]
        extra = attributes[0] if attributes else {}
        name = f"n-{writes.split()[0]}"
        made.append(helper.make_node(kind, inputs, writes.split(), name, **extra))
    graph = helper.make_graph(
        made,
        "seed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *shape])],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    kind = TensorProto.INT64 if made[-1].op_type == "ArgMax" else TensorProto.FLOAT
    graph.output[0].type.tensor_type.elem_type = kind
    domains = {"": opset, **dict.fromkeys({node.domain for node in made} - {""}, 1)}
    opsets = [helper.make_opsetid(*pair) for pair in domains.items()]
    return helper.make_model(graph, ir_version=8, opset_imports=opsets)


def _normal(*shape: int) -> np.ndarray:
    rng = np.random.default_rng(sum(shape) + 31 * len(shape))
    return rng.standard_normal(shape).astype(np.float32)


def _positive(*shape: int) -> np.ndarray:
    return np.abs(_normal(*shape)) + np.float32(0.5)


MAP = (4, 6, 6)


def _convolutions() -> Iterator[tuple[str, onnx.ModelProto]]:
    w, b = _normal(6, 4, 3, 3), _normal(6)
    yield "conv", make([("Conv", "x w b", "c", {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
                        ("Relu", "c", "y")], MAP, w=w, b=b)  # fmt: skip
    grouped = {"group": 2, "dilations": [2, 1], "pads": [2, 0, 1, 1]}
    yield "conv-groups", make([("Conv", "x w b", "y", grouped)], MAP, w=_normal(6, 2, 3, 3), b=b)
    depthwise = {"group": 4, "auto_pad": "SAME_UPPER", "strides": [2, 2]}
    yield "conv-depthwise", make([("Conv", "x w", "y", depthwise)], MAP, w=_normal(8, 1, 3, 3))
    yield "conv-1d", make([("Conv", "x w", "y", {"pads": [1, 0]})], (3, 9), w=_normal(2, 3, 4))
    yield "conv-3d", make([("Conv", "x w", "y")], (2, 4, 4, 4), w=_normal(3, 2, 2, 2, 2))
    yield "conv-bn", make([("Conv", "x w", "c"), ("BatchNormalization", "c s b m v", "n"),
                           ("Relu", "n", "y")], MAP, opset=9, w=w, s=_normal(6), b=b,
                          m=_normal(6), v=_positive(6))  # fmt: skip
    turned = {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
    yield "conv-transpose", make([("ConvTranspose", "x w b", "c", turned), ("Relu", "c", "y")],
                                 MAP, w=_normal(4, 3, 3, 3), b=_normal(3))  # fmt: skip
    grouped = {"group": 2, "dilations": [2, 2], "kernel_shape": [3, 3]}
    yield "conv-transpose-groups", make([("ConvTranspose", "x w", "y", grouped)], MAP,
                                        w=_normal(4, 2, 3, 3))  # fmt: skip


def _poolings() -> Iterator[tuple[str, onnx.ModelProto]]:
    window = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    up = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}
    yield "max-pool", make([("Relu", "x", "r"), ("MaxPool", "r", "y", window)], MAP)
    yield "max-pool-ceil", make([("MaxPool", "x", "p", up), ("Relu", "p", "y")], (2, 5, 7))
    dilated = {"kernel_shape": [2, 2], "dilations": [2, 2]}
    yield "max-pool-dilated", make([("MaxPool", "x", "y", dilated)], MAP, opset=12)
    yield "average-pool", make([("AveragePool", "x", "y", window)], MAP, opset=11)
    counted = {**window, "count_include_pad": 1, "ceil_mode": 1}
    yield "average-pool-counted", make([("AveragePool", "x", "y", counted)], MAP, opset=19)
    same = {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"}
    yield "average-pool-same", make([("AveragePool", "x", "y", same)], MAP, opset=8)
    yield "global-pools", make([("GlobalAveragePool", "x", "a"), ("GlobalMaxPool", "x", "m"),
                                ("Concat", "a m", "c", {"axis": 1}), ("Flatten", "c", "y")],
                               MAP)  # fmt: skip
    yield "lp-pool", make([("LpPool", "x", "y", {"kernel_shape": [2, 2], "p": 1})], MAP, opset=18)


def _matrices() -> Iterator[tuple[str, onnx.ModelProto]]:
    v, b = _normal(5, 8), _normal(5)
    yield "mlp", make([("Gemm", "x v b", "h", {"transB": 1, "alpha": 0.5}), ("Relu", "h", "r"),
                       ("Gemm", "r w - ", "g"), ("Softmax", "g", "y")], (8,), v=v, b=b,
                      w=_normal(5, 3))  # fmt: skip
    for opset in (7, 13, 21):
        yield (
            f"matmul-{opset}",
            make(
                [("MatMul", "x w", "m"), ("Add", "m b", "a"), ("Relu", "a", "y")],
                (8,),
                opset,
                w=v.T,
                b=b,
            ),
        )
    yield "matmul-rows", make([("MatMul", "x w", "m"), ("Relu", "m", "y")], (3, 8), w=v.T)
    yield "matmul-left", make([("MatMul", "w x", "y")], (8, 3), w=v)
    yield "einsum", make([("Einsum", "x w", "y", {"equation": "bi,io->bo"})], (8,), w=v.T)


def _elementwise() -> Iterator[tuple[str, onnx.ModelProto]]:
    c, e = _normal(4, 1, 1), _normal(4, 6, 6)
    yield "affine", make([("Mul", "x c", "m"), ("Add", "m e", "a"), ("Sub", "one a", "s"),
                          ("Div", "s p", "d"), ("Neg", "d", "y")], MAP, c=c, e=e,
                         one=np.float32(1), p=_positive(4, 1, 1))  # fmt: skip
    yield "residual", make([("Conv", "x w", "c", {"pads": [1, 1, 1, 1]}), ("Relu", "c", "r"),
                            ("Add", "r x", "a"), ("Sub", "a c", "s"), ("Sum", "s r x", "y")],
                           MAP, w=_normal(4, 4, 3, 3))  # fmt: skip
    yield "batch-norm", make([("BatchNormalization", "x s b m v", "y", {"epsilon": 1e-3})], MAP, 15,
                             s=_normal(4), b=_normal(4), m=_normal(4), v=_positive(4))  # fmt: skip
    yield "clip-6", make([("Clip", "x", "y", {"min": 0.0, "max": 6.0})], MAP, opset=10)
    yield "clip-13", make([("Clip", "x low high", "y")], MAP, opset=13, low=np.float32(0),
                          high=np.float32(1))  # fmt: skip
    yield "clip-two-sided", make([("Clip", "x low high", "y")], MAP, low=np.float32(-1),
                                 high=np.float32(1))  # fmt: skip
    yield "max-zero", make([("Max", "x zero", "a"), ("Min", "a six", "y")], MAP,
                           zero=np.float32(0), six=np.float32(1.5))  # fmt: skip
    yield "leaky", make([("LeakyRelu", "x", "l", {"alpha": 0.1}), ("PRelu", "l s", "p"),
                         ("Abs", "p", "y")], MAP, s=np.full((4, 1, 1), 0.2, "f4"))  # fmt: skip
    yield "hard", make([("HardSigmoid", "x", "h", {"alpha": 0.2}), ("HardSwish", "h", "s"),
                        ("ThresholdedRelu", "s", "y", {"alpha": 0.5})], MAP)  # fmt: skip
    yield "where", make([("Greater", "x zero", "g"), ("Where", "g x zero", "y")], MAP,
                        zero=np.float32(0))  # fmt: skip
    yield "tail", make([("Gemm", "x w", "g"), ("Sigmoid", "g", "s"), ("Cast", "s", "f", {"to": 1}),
                        ("ArgMax", "f", "y", {"axis": 1})], (8,), w=_normal(8, 4))  # fmt: skip
    yield "passing", make([("Identity", "x", "i"), ("Dropout", "i", "d"), ("Cast", "d", "f",
                          {"to": 1}), ("Relu", "f", "y")], MAP, batch=2)  # fmt: skip


def _movements() -> Iterator[tuple[str, onnx.ModelProto]]:
    shape = np.array([0, 6, -1])
    yield "reshape", make([("Reshape", "x s", "r"), ("Transpose", "r", "t", {"perm": [0, 2, 1]}),
                           ("Flatten", "t", "f"), ("Unsqueeze", "f a", "u"), ("Squeeze", "u a",
                           "y")], MAP, s=shape, a=np.array([1]))  # fmt: skip
    yield "reshape-shape", make([("Shape", "x", "s"), ("Gather", "s z", "n"), ("Concat", "n r", "t",
                                {"axis": 0}), ("Reshape", "x t", "y")], MAP, z=np.array([0]),
                                r=np.array([-1]))  # fmt: skip
    yield "unsqueeze-11", make([("Unsqueeze", "x", "u", {"axes": [1]}), ("Squeeze", "u", "y",
                               {"axes": [1]})], MAP, opset=11)  # fmt: skip
    bounds = {"s": np.array([1, 5]), "e": np.array([4, 0]), "a": np.array([1, 3]),
              "p": np.array([1, -2])}  # fmt: skip
    yield "slice", make([("Slice", "x s e a p", "y")], MAP, **bounds)
    cut = {"starts": [1, -4], "ends": [3, 9999], "axes": [1, 2]}
    yield "slice-9", make([("Slice", "x", "y", cut)], MAP, opset=9)
    pads = np.array([0, 0, 1, 1, 0, 1, 2, 0])
    yield "pad", make([("Pad", "x p", "a"), ("MaxPool", "a", "y", {"kernel_shape": [2, 2]})], MAP,
                      p=pads)  # fmt: skip
    yield "pad-reflect", make([("Pad", "x p", "y", {"mode": "reflect"})], MAP, p=pads)
    yield "pad-10", make([("Pad", "x", "y", {"pads": pads.tolist()})], MAP, opset=10)
    join = ("Concat", "b a", "y", {"axis": 1})
    yield "split", make([("Split", "x s", "a b", {"axis": 1}), join], MAP, s=np.array([1, 3]))
    yield "split-11", make([("Split", "x", "a b", {"axis": -1}), join], MAP, opset=11)
    yield "split-18", make([("Split", "x", "a b", {"axis": 1, "num_outputs": 2}), join], MAP, 18)
    yield "gather", make([("Gather", "x i", "y", {"axis": 2})], MAP, i=np.array([[0, -1], [3, 3]]))
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric",
               "nearest_mode": "floor"}  # fmt: skip
    k = np.array([1, 1, 2, 2], np.float32)
    yield "resize-nearest", make([("Resize", "x - k", "y", nearest)], MAP, opset=13, k=k)
    yield "resize-linear", make([("Resize", "x - - s", "y", {"mode": "linear"})], MAP, 13, 2,
                                s=np.array([2, 4, 9, 11]))  # fmt: skip
    yield "resize-19", make([("Resize", "x - k", "y", {"mode": "linear", "axes": [2, 3],
                             "coordinate_transformation_mode": "align_corners"})], MAP, 19,
                            k=np.array([0.5, 1.5], np.float32))  # fmt: skip
    yield "upsample", make([("Upsample", "x k", "y", {"mode": "nearest"})], MAP, opset=9, k=k)
    yield "depth-to-space", make([("DepthToSpace", "x", "d", {"blocksize": 2, "mode": "CRD"}),
                                 ("SpaceToDepth", "d", "y", {"blocksize": 3})], MAP)  # fmt: skip
    yield "tile", make([("Tile", "x r", "t"), ("Expand", "t s", "y")], (4, 1, 3),
                       r=np.array([1, 1, 1, 2]), s=np.array([1, 4, 5, 6]))  # fmt: skip


def _reductions() -> Iterator[tuple[str, onnx.ModelProto]]:
    for kind in ("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceL1"):
        yield kind, make([(kind, "x", "y", {"axes": [2, 3], "keepdims": 0})], MAP, opset=12)
    yield "reduce-18", make([("ReduceMean", "x a", "m"), ("ReduceSum", "m b", "y", {"keepdims":
                            0})], MAP, opset=18, a=np.array([-1]), b=np.array([1]))  # fmt: skip
    yield "reduce-batch-3", make([("ReduceMax", "x", "y", {"axes": [1]})], MAP, opset=11, batch=3)


def _quantised() -> Iterator[tuple[str, onnx.ModelProto]]:
    def pair(reads: str, writes: str, scale: str, zero: str) -> list[tuple[Any, ...]]:
        inputs = f"{scale} {zero}"
        return [("QuantizeLinear", f"{reads} {inputs}", f"{writes}-q"),
                ("DequantizeLinear", f"{writes}-q {inputs}", writes)]  # fmt: skip

    rng = np.random.default_rng(3)
    weight = rng.integers(-127, 128, (6, 4, 3, 3)).astype(np.int8)
    constants = {
        "s": np.float32(0.02), "z": np.uint8(128), "s2": np.float32(0.05), "z2": np.uint8(0),
        "w": weight, "ws": _positive(6) / np.float32(100), "wz": np.zeros(6, np.int8),
        "b": rng.integers(-999, 999, 6).astype(np.int32),
        "bs": _positive(6) / np.float32(5000), "bz": np.zeros(6, np.int32),
    }  # fmt: skip
    body: list[tuple[Any, ...]] = [
        ("DequantizeLinear", "w ws wz", "v", {"axis": 0}),
        ("DequantizeLinear", "b bs bz", "c", {"axis": 0}),
        ("Conv", "i v c", "h", {"pads": [1, 1, 1, 1]}),
        ("Relu", "h", "r"),
    ]
    for opset in (13, 19):
        nodes = [*pair("x", "i", "s", "z"), *body, *pair("r", "y", "s2", "z2")]
        yield f"qdq-{opset}", make(nodes, MAP, opset, **constants)
    one = {"x8s": np.float32(0.02), "x8z": np.uint8(128), "ys": np.float32(0.2),
           "w": weight, "ws": np.float32(0.01), "wz": np.int8(0), "yz": np.uint8(0)}  # fmt: skip
    nodes = [("QuantizeLinear", "x x8s x8z", "q"),
             ("QLinearConv", "q x8s x8z w ws wz ys yz", "p"),
             ("DequantizeLinear", "p ys yz", "y")]  # fmt: skip
    yield "qlinear-conv", make(nodes, MAP, 13, **one)
    more = {"domain": "com.microsoft"}
    nodes = [("QuantizeLinear", "x x8s x8z", "q"),
             ("QLinearAdd", "q x8s x8z q x8s x8z ys yz", "a", more),
             ("QLinearGlobalAveragePool", "a ys yz ys yz", "p", more),
             ("DequantizeLinear", "p ys yz", "y")]  # fmt: skip
    yield "qlinear-add", make(nodes, MAP, 13, **one)
    one["w"] = weight[:, :, 0, 0].T.copy()
    nodes = [("QuantizeLinear", "x x8s x8z", "q"),
             ("QLinearMatMul", "q x8s x8z w ws wz ys yz", "p"),
             ("DequantizeLinear", "p ys yz", "y")]  # fmt: skip
    yield "qlinear-matmul", make(nodes, (4,), 13, **one)


def generated_seeds() -> list[Seed]:
    """One small graph for each operator and each of its spellings."""
    seeds = []
    parts = (_convolutions, _poolings, _matrices, _elementwise, _movements, _reductions, _quantised)
    for part in parts:
        for name, model in part():
            seeds.append(Seed(name, lambda model=model: model))  # type: ignore[misc]
    return seeds


def file_seeds(paths: Iterable[Path]) -> list[Seed]:
    """ONNX files; the larger, the fewer mutants, and none of more than 4 MB."""
    seeds = []
    for path in paths:
        size = path.stat().st_size
        if size > 4_000_000:
            continue
        beside = tuple(sorted(path.parent.glob(f"{path.name}*.data")))
        weight = 8 if size < 64_000 else 4 if size < 600_000 else 1
        seeds.append(Seed(path.stem, lambda path=path: _read(path), weight, beside))  # type: ignore[misc]
    return seeds


def _read(path: Path) -> onnx.ModelProto:
    return onnx.load(str(path), load_external_data=False)


def backend_seeds(covered: frozenset[str]) -> list[Seed]:
    """ONNX's own test models: the old exports it ships, and node cases of `covered` operators."""
    from onnx.backend.test.loader import load_model_tests

    seeds = []
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for path in sorted(data.glob("pytorch-*/*/model.onnx")):
        model = _read(path)
        if _is_candidate(model):
            seeds.append(Seed(path.parent.name, lambda model=model: model, 1))  # type: ignore[misc]
    with np.errstate(all="ignore"):
        for case in load_model_tests(kind="node"):
            nodes = case.model.graph.node if case.model else []
            if not nodes or not {node.op_type for node in nodes} <= covered:
                continue
            inputs, outputs = case.data_sets[0]
            if inputs and len(outputs) == 1 and np.asarray(inputs[0]).dtype == np.float32:
                model = _freeze(case.model, inputs)
                if _is_candidate(model):
                    seeds.append(Seed(case.name, lambda model=model: model, 1))  # type: ignore[misc]
    return seeds


def _is_candidate(model: onnx.ModelProto) -> bool:
    """Whether it has one data input with a batch axis and more: others never import."""
    constants = {tensor.name for tensor in model.graph.initializer}
    data = [value for value in model.graph.input if value.name not in constants]
    return len(data) == 1 and len(data[0].type.tensor_type.shape.dim) > 1


def _freeze(model: onnx.ModelProto, inputs: list[Any]) -> onnx.ModelProto:
    """Every input but the first as an initialiser, as trained networks have them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for value, array in list(zip(copy.graph.input, inputs, strict=False))[1:]:
        if isinstance(array, np.ndarray | np.generic):
            copy.graph.initializer.append(numpy_helper.from_array(np.asarray(array), value.name))
    del copy.graph.input[1:]
    return copy
