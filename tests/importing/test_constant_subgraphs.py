"""Weights that a graph computes from initialisers alone, by whatever operators."""

import numpy as np
import pytest
from onnx import helper

from neurodeploy.importing import check
from neurodeploy.importing.limits import MAX_FOLDED

RNG = np.random.default_rng(21)
V = RNG.standard_normal((6, 4)).astype(np.float32)
K = RNG.standard_normal((3, 2, 3, 3)).astype(np.float32)


def f(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


CONSTANTS = {
    "v": V,
    "a": f(6, 2),
    "b": f(2, 4),
    "row": f(1, 4),
    "column": np.abs(f(6, 1)) + 0.5,
    "vector": f(6),
    "one": np.float32(1),
    "two": np.float32(2),
    "half": np.float32(0.5),
    "low": np.float32(-0.3),
    "high": np.float32(0.7),
    "step": np.float32(0.125),
    "eps": np.float32(1e-5),
    "axis": np.array([1]),
    "zero": np.array([0]),
    "pairs": np.array([[0, 1], [2, 3]]),
    "order": np.array([3, 1, 0, 2]),
    "mask": RNG.random((6, 4)) > 0.4,
    "cube": f(1, 6, 4),
    "s4": f(4),
    "z4": f(4),
    "mean": f(4),
    "var": np.abs(f(4)) + 0.5,
    "q": RNG.integers(-9, 9, (6, 4)).astype(np.int8),
    "qs": np.float32(0.1),
    "qz": np.int8(1),
    "square": f(4, 4),
    "form": np.array([6, 4]),
    "pads": np.array([0, 1, 0, 1]),
    "thin": f(6, 2),
    "three": f(3, 6, 4),
    "k3": np.array(2),
    "k6": np.array(6),
    "i64": RNG.integers(1, 9, (6, 4)),
    "i2": np.array(2),
    "tiny": f(1, 1, 6, 4),
    "ker": f(1, 1, 3, 3),
    "up": f(1, 1, 3, 2),
    "scales": np.array([1, 1, 2, 2], np.float32),
    "updates": f(2, 4),
    "rows": np.array([[1], [3]]),
    "flat24": f(24),
}

#: Each ends with ``w`` (6, 4), from constants alone.
FORMS = {
    "dynamically quantised": [
        ("DynamicQuantizeLinear", "v", "dq ds dz"),
        ("DequantizeLinear", "dq ds dz", "dd"),
        ("Mul", "dd two", "w"),  # read at once by a MatMul, ONNX Runtime quantises x as well
    ],
    "window": [("HannWindow", "k6", "hw"), ("Unsqueeze", "hw axis", "hc"), ("Mul", "v hc", "w")],
    "lora": [("MatMul", "a b", "m"), ("Mul", "m two", "s"), ("Add", "v s", "w")],
    "clamped": [("Clip", "v low high", "w")],
    "weight norm": [
        ("ReduceL2", "v", "n", {"axes": [1], "keepdims": 1}),
        ("Div", "v n", "d"),
        ("Mul", "d column", "w"),
    ],
    "weight standardisation": [
        ("ReduceMean", "v", "m", {"axes": [1], "keepdims": 1}),
        ("Sub", "v m", "c"),
        ("Mul", "c c", "q2"),
        ("ReduceMean", "q2", "r", {"axes": [1], "keepdims": 1}),
        ("Add", "r eps", "e"),
        ("Sqrt", "e", "d"),
        ("Div", "c d", "w"),
    ],
    "sigmoid gate": [("Sigmoid", "row", "g"), ("Mul", "v g", "w")],
    "tanh": [("Tanh", "v", "w")],
    "softmax": [("Softmax", "v", "w", {"axis": 1})],
    "log softmax": [("LogSoftmax", "v", "w")],
    "softplus": [("Softplus", "v", "w")],
    "softsign": [("Softsign", "v", "w")],
    "erf": [("Erf", "v", "w")],
    "gelu": [("Mul", "v half", "h"), ("Erf", "h", "e"), ("Add", "e one", "p"), ("Mul", "p h", "w")],
    "exp": [("Exp", "v", "w")],
    "sine": [("Sin", "v", "s"), ("Cos", "s", "w")],
    "elu": [("Elu", "v", "w")],
    "selu": [("Selu", "v", "w")],
    "leaky": [("LeakyRelu", "v", "w")],
    "hard sigmoid": [("HardSigmoid", "v", "w")],
    "einsum": [("Einsum", "a b", "w", {"equation": "ir,rj->ij"})],
    "einsum of three": [("Einsum", "a b row", "w", {"equation": "ir,rj,kj->ij"})],
    "gemm": [("Gemm", "a b v", "w", {"alpha": 0.5, "beta": 2.0})],
    "outer product": [("Mul", "column row", "w")],
    "where": [("Where", "mask v two", "w")],
    "masked": [("Cast", "mask", "c", {"to": 1}), ("Mul", "v c", "w")],
    "greater": [("Greater", "v low", "g"), ("Cast", "g", "c", {"to": 1}), ("Mul", "v c", "w")],
    "LSQ": [
        ("Div", "v step", "d"),
        ("Clip", "d minus4 plus3", "c"),
        ("Round", "c", "r"),
        ("Mul", "r step", "w"),
    ],
    "ternary": [("Sign", "v", "s"), ("Mul", "s column", "w")],
    "binary": [
        ("Sign", "v", "s"),
        ("Abs", "v", "a1"),
        ("ReduceMean", "a1", "m"),
        ("Mul", "s m", "w"),
    ],
    "integers": [("DequantizeLinear", "q qs qz", "z"), ("Mul", "z two", "w")],
    "fake quantised": [
        ("Tanh", "v", "t"),
        ("QuantizeLinear", "t qs qz", "i"),
        ("DequantizeLinear", "i qs qz", "z"),
        ("Mul", "z two", "w"),
    ],
    "layer norm": [("LayerNormalization", "v s4 z4", "w")],
    "batch norm": [("BatchNormalization", "v s4 z4 mean var", "w")],
    "lp norm": [("LpNormalization", "v", "w", {"p": 2, "axis": 0})],
    "hardmax": [("Hardmax", "v", "w")],
    "sum of four": [("Sum", "v v row column", "w")],
    "mean of two": [("Mean", "v row", "w")],
    "max": [("Max", "v row", "w")],
    "power": [("Abs", "v", "p"), ("Pow", "p half", "w")],
    "log": [("Abs", "v", "p"), ("Log", "p", "w")],
    "reciprocal": [("Reciprocal", "column", "r"), ("Mul", "v r", "w")],
    "cumulative sum": [("CumSum", "v k1", "w")],
    "reduce sum of squares": [("ReduceSumSquare", "three", "w", {"axes": [0], "keepdims": 0})],
    "reduce log sum exp": [("ReduceLogSumExp", "three", "w", {"axes": [0], "keepdims": 0})],
    "reduce l1": [("ReduceL1", "three", "w", {"axes": [0], "keepdims": 0})],
    "reduce max": [("ReduceMax", "three", "w", {"axes": [0], "keepdims": 0})],
    "reduce product": [("ReduceProd", "three", "w", {"axes": [0], "keepdims": 0})],
    "gathered": [("Gather", "v order", "w", {"axis": 1})],
    "scattered": [("ScatterND", "v rows updates", "w")],
    "one hot": [("OneHot", "class depth offon", "h"), ("MatMul", "h square", "w")],
    "triangle": [("Trilu", "v", "w", {"upper": 0})],
    "convolution": [
        ("Conv", "tiny ker", "c", {"pads": [1, 1, 1, 1]}),
        ("Reshape", "c form", "w"),
    ],
    "transposed convolution": [
        ("ConvTranspose", "up up2", "c", {"strides": [2, 2]}),
        ("Reshape", "c form", "w"),
    ],
    "pooled": [
        ("AveragePool", "tiny", "c", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
        ("Reshape", "c form", "w"),
    ],
    "resized": [("Resize", "up - scales", "c"), ("Reshape", "c form", "w")],
    "hypernetwork": [
        ("Gemm", "row square", "h"),
        ("Relu", "h", "r"),
        ("Gemm", "r wide", "o"),
        ("Reshape", "o form", "w"),
    ],
    "spectral": [
        ("MatMul", "v col4", "wv"),
        ("Transpose", "row6 ", "t", {"perm": [1, 0]}),
        ("MatMul", "row6 wv", "sigma"),
        ("Div", "v sigma", "w"),
    ],
    "cayley": [
        ("Transpose", "square", "t", {"perm": [1, 0]}),
        ("Sub", "square t", "k"),
        ("MatMul", "k square", "p"),
        ("MatMul", "v p", "w"),
    ],
    "top values": [
        ("TopK", "v k4", "t i"),
        ("Identity", "t", "w"),
    ],
    "sorted positions": [
        ("TopK", "v k4", "t i"),
        ("GatherElements", "v i", "w", {"axis": 1}),
    ],
    "split": [
        ("Split", "v", "l r", {"axis": 1}),
        ("Tanh", "r", "t"),
        ("Concat", "l t", "w", {"axis": 1}),
    ],
    "codebook": [
        ("ArgMax", "three2", "i", {"axis": 2, "keepdims": 0}),
        ("Gather", "flat24", "w"),
    ],
    "nonzero": [
        ("NonZero", "mask", "n"),
        ("Transpose", "n", "t", {"perm": [1, 0]}),
        ("GatherND", "v t", "g"),
        ("ReduceSum", "g", "s", {"keepdims": 0}),
        ("Mul", "v s", "w"),
    ],
}
CONSTANTS |= {
    "minus4": np.float32(-4),
    "plus3": np.float32(3),
    "k1": np.array(1),
    "class": np.array([0, 3, 1, 2, 2, 0]),
    "depth": np.array([4]),
    "offon": np.array([0, 1], np.float32),
    "up2": f(1, 1, 2, 2),
    "wide": f(4, 24),
    "col4": f(4, 1),
    "row6": f(1, 6),
    "k4": np.array([4]),
    "three2": f(6, 4, 24),
}
FORMS["codebook"][1] = ("Gather", "flat24 i", "w")


def used(nodes):
    reads = {word for node in nodes for word in node[1].split()}
    return {name: value for name, value in CONSTANTS.items() if name in reads}


def test_there_are_enough_forms():
    assert len(FORMS) >= 31
    assert len({node[0] for nodes in FORMS.values() for node in nodes}) >= 50


@pytest.mark.parametrize("form", FORMS)
def test_becomes_a_weight(model, agree, form):
    """The same numbers as ONNX Runtime's on the whole model, and nothing of the formula left."""
    nodes = FORMS[form]
    proto = model([*nodes, ("MatMul", "x w", "y")], (6,), **used(nodes))
    imported = agree(proto)
    assert len(imported.network) == 3  # input, layer, output
    verdicts = {finding.node: finding.verdict for finding in imported.findings}
    assert verdicts.pop("n-y") == "converts"
    assert set(verdicts.values()) == {"folds"}


@pytest.mark.parametrize("form", ["lora", "clamped", "LSQ", "softmax", "gathered", "integers"])
def test_shared_with_a_bias_and_used_twice(model, agree, form):
    nodes = FORMS[form]
    tail = [
        ("Gemm", "x w", "first"),
        ("Relu", "first", "fires"),
        ("Transpose", "w", "turned", {"perm": [1, 0]}),
        ("ReduceMean", "w", "middle", {"axes": [0], "keepdims": 0}),
        ("Add", "fires middle", "shifted"),
        ("Gemm", "shifted turned", "y"),
    ]
    agree(model([*nodes, *tail], (6,), **used(nodes)))


def test_kernel_of_a_convolution(model, agree):
    nodes = [
        ("ReduceL2", "k", "n", {"axes": [1, 2, 3], "keepdims": 1}),
        ("Div", "k n", "d"),
        ("Sigmoid", "gain", "s"),
        ("Mul", "d s", "w"),
        ("Conv", "x w bias", "y"),
    ]
    gain, bias = f(3, 1, 1, 1), f(3)
    agree(model(nodes, (2, 5, 5), k=K, gain=gain, bias=bias))


def test_repeatable(model, save):
    nodes = [*FORMS["hypernetwork"], ("MatMul", "x w", "y")]
    path = save(model(nodes, (6,), **used(nodes)))
    from neurodeploy.importing import load_network

    first, second = (load_network(path).network["n-y"].weight for _ in range(2))
    assert np.array_equal(first, second)


def big(*shape):
    return np.zeros(shape, np.float32)


TOO_LARGE = {
    "a product that grows": ([("Einsum", "p q", "m", {"equation": "i,j->ij"})], 2**14),
    "an inner sum": ([("Einsum", "p q", "m", {"equation": "i,j->"})], 2**17),
    "a chain of outer products": (
        [("Einsum", "p q p q", "m", {"equation": "a,b,c,d->abcd"})],
        2**8,
    ),
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_too_large_is_said(model, save, case):
    """Refused before it is computed, in words about constants."""
    nodes, size = TOO_LARGE[case]
    tail = [("ReduceSum", "m", "s", {"keepdims": 0}), ("Mul", "x s", "y")]
    path = save(model([*nodes, *tail], (4,), p=big(size), q=big(size)))
    report = check(path)
    first = report.refused[0]
    assert first.node == "n-m"
    assert "depends on constants alone" in first.reason
    assert f"{MAX_FOLDED:,}" in first.reason
    assert "onnxslim" in first.remedy or "before" in first.remedy


def test_multiplications_are_bounded(model, save):
    """Squares of a matrix again and again: each is small, the sum is not."""
    nodes = [("MatMul", f"m{i} m{i}", f"m{i + 1}") for i in range(200)]
    nodes.append(("MatMul", "x m200", "y"))
    report = check(save(model(nodes, (1024,), m0=np.eye(1024, dtype=np.float32))))
    assert any("depends on constants alone" in finding.reason for finding in report.refused)


@pytest.mark.parametrize(
    "kind", ["RandomNormalLike", "RandomUniformLike", "Bernoulli", "Frobnicate"]
)
def test_never_computed(model, save, kind):
    report = check(save(model([(kind, "v", "w"), ("MatMul", "x w", "y")], (6,), v=np.abs(V) / 9)))
    assert [finding.node for finding in report.refused] == ["n-w"]


def test_random_without_input(model, save):
    nodes = [("RandomNormal", "", "w", {"shape": [6, 4]}), ("MatMul", "x w", "y")]
    report = check(save(model(nodes, (6,))))
    assert "random" in report.refused[0].reason


def test_dropout_of_weights(model, agree, save):
    nodes = [("Dropout", "v half no", "w"), ("MatMul", "x w", "y")]
    agree(model(nodes, (6,), v=V, half=np.float32(0.5), no=np.array(False)))
    wild = model(nodes, (6,), v=V, half=np.float32(0.5), no=np.array(True))
    assert [finding.node for finding in check(save(wild)).refused] == ["n-w"]


@pytest.mark.parametrize("kind", ["Div", "Mod"])
@pytest.mark.parametrize("divisor", [0, -1])
def test_a_division_that_would_end_the_process(model, save, kind, divisor):
    lowest = np.full((6, 4), np.iinfo(np.int64).min)
    nodes = [(kind, "n d", "i"), ("Cast", "i", "w", {"to": 1}), ("MatMul", "x w", "y")]
    report = check(save(model(nodes, (6,), n=lowest, d=np.array(divisor))))
    assert report.findings


def test_other_domains_are_left_alone(model, save):
    proto = model([("MatMul", "x w", "y")], (6,))
    node = helper.make_node("Gelu", ["v"], ["w"], "n-w", domain="com.microsoft")
    proto.graph.node.insert(0, node)
    from onnx import numpy_helper

    proto.graph.initializer.append(numpy_helper.from_array(V, "v"))
    proto.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    assert [finding.node for finding in check(save(proto)).refused] == ["n-w"]


def test_malformed_ones_are_refused(model, save):
    for node in (
        ("MatMul", "v v", "w"),
        ("Einsum", "v v", "w", {"equation": "ij->"}),
        ("Einsum", "v", "w", {"equation": "...,,->x"}),
        ("Conv", "v v", "w"),
        ("Det", "v", "w"),
        ("Gather", "v far", "w"),
        ("Clip", "v", "w", {"frob": 1}),
    ):
        nodes = [node, ("MatMul", "x w", "y")]
        report = check(save(model(nodes, (6,), v=V, far=np.array([99]))))
        assert not report.ok
        assert "internal" not in str(report.findings).lower()
