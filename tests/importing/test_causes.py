"""A refusal names the layer that is in the way, not the nodes that serve it."""

import numpy as np
import onnx
import pytest

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing import check, load_network

RNG = np.random.default_rng(8)


def f(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@pytest.mark.parametrize("kind", GATES)
def test_recurrent(model, save, kind):
    """As PyTorch exports batch_first=True: transposes around the layer."""
    gates = GATES[kind]
    nodes = [
        ("Transpose", "x", "t", {"perm": [1, 0, 2]}),
        (kind, "t w r", "o h", {"hidden_size": 4}),
        ("Squeeze", "o one", "s"),
        ("Transpose", "s", "b", {"perm": [1, 0, 2]}),
        ("Gather", "b last", "l", {"axis": 1}),
        ("Gemm", "l v", "y"),
    ]
    path = save(
        model(
            nodes,
            (6, 3),
            w=f(1, 4 * gates, 3),
            r=f(1, 4 * gates, 4),
            v=f(4, 2),
            one=np.array([1]),
            last=np.array(5),
        )
    )
    report = check(path)
    assert [(finding.node, finding.op_type) for finding in report.refused] == [("n-o", kind)]
    assert "keeps a state" in report.refused[0].reason
    by_node = {finding.node: finding for finding in report.findings}
    assert by_node["n-t"].reason == f"belongs to {kind} 'n-o', which is refused"
    with pytest.raises(UnsupportedError, match="1 node cannot become spikes") as caught:
        load_network(path)
    assert "Transpose" not in str(caught.value)


def test_attention(model, save):
    nodes = [
        ("MatMul", "x wq", "q"),
        ("MatMul", "x wk", "k"),
        ("MatMul", "x wv", "v"),
        ("Transpose", "k", "kt", {"perm": [0, 2, 1]}),
        ("MatMul", "q kt", "s"),
        ("Div", "s root", "d"),
        ("Softmax", "d", "a", {"axis": -1}),
        ("MatMul", "a v", "o"),
        ("MatMul", "o wo", "y"),
    ]
    weights = {name: f(8, 8) for name in ("wq", "wk", "wv", "wo")}
    report = check(save(model(nodes, (5, 8), root=np.float32(2.8), **weights)))
    assert {finding.node for finding in report.refused} == {"n-s", "n-a", "n-o"}
    assert all("attention" in finding.reason for finding in report.refused)
    assert all("attention" in finding.remedy for finding in report.refused)


def spiking(steps, compare="Greater", cast="Cast"):
    """Leaky neurons as snnTorch's export unrolls them: decay, reset by subtraction, threshold."""
    nodes = [("Clip", "beta zero one", "b")]
    memory = ""
    for t in range(steps):
        nodes.append(("Gemm", "x w", f"i{t}"))
        now = f"i{t}"
        if memory:
            nodes += [
                ("Mul", f"b {memory}", f"d{t}"),
                ("Add", f"d{t} i{t}", f"u{t}"),
                ("Mul", f"s{t - 1} threshold", f"r{t}"),
                ("Sub", f"u{t} r{t}", f"m{t}"),
            ]
            now = f"m{t}"
        nodes += [("Sub", f"{now} threshold", f"e{t}"), (compare, f"e{t} zero", f"g{t}")]
        if cast == "Cast":
            nodes.append(("Cast", f"g{t}", f"s{t}", {"to": 1}))
        else:
            nodes.append(("Where", f"g{t} one zero", f"s{t}"))
        memory = now
        nodes.append(("Gemm", f"s{t} v", f"y{t}"))
    nodes.append(("Sum", " ".join(f"y{t}" for t in range(steps)), "y"))
    constants = {
        "beta": np.float32(0.9),
        "zero": np.float32(0),
        "one": np.float32(1),
        "threshold": np.float32(1),
        "w": f(4, 6),
        "v": f(6, 3),
    }
    return nodes, constants


def test_axes_moved_for_attention(model, save):
    """As PyTorch's MultiheadAttention begins and ends: the batch behind the sequence."""
    nodes = [
        ("Transpose", "x", "t", {"perm": [1, 0, 2]}),
        ("MatMul", "t wq", "q"),
        ("Transpose", "q", "qb", {"perm": [1, 0, 2]}),
        ("Transpose", "qb", "kt", {"perm": [0, 2, 1]}),
        ("MatMul", "qb kt", "s"),
        ("Softmax", "s", "a", {"axis": -1}),
        ("MatMul", "a qb", "o"),
        ("Transpose", "o", "y", {"perm": [1, 0, 2]}),
    ]
    report = check(save(model(nodes, (5, 4), wq=f(4, 4))))
    assert {finding.op_type for finding in report.refused} <= {"MatMul", "Softmax"}
    assert all("attention" in finding.reason for finding in report.refused)
    by_node = {finding.node: finding for finding in report.findings}
    assert by_node["n-t"].reason == "belongs to attention (softmax 'n-a'), which is refused"


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_a_cell_written_out(model, save, cell):
    """One step of a cell, as PyTorch's LSTMCell and GRUCell export."""
    gates = [("Gemm", "x wi", "gi"), ("Sigmoid", "gi", "i"), ("Gemm", "x wg", "gg")]
    if cell == "LSTM":
        nodes = [
            *gates,
            ("Tanh", "gg", "g"),
            ("Mul", "i g", "c"),
            ("Tanh", "c", "tc"),
            ("Gemm", "x wo", "go"),
            ("Sigmoid", "go", "o"),
            ("Mul", "o tc", "h"),
        ]
    else:
        nodes = [
            *gates,
            ("Gemm", "x wo", "go"),
            ("Sigmoid", "go", "r"),
            ("Mul", "r gg", "rg"),
            ("Tanh", "rg", "n"),
            ("Sub", "one i", "k"),
            ("Mul", "k n", "h"),
        ]
    one = {} if cell == "LSTM" else {"one": np.float32(1)}
    proto = model(
        [*nodes, ("Gemm", "h v", "y")], (3,), wi=f(3, 4), wg=f(3, 4), wo=f(3, 4), v=f(4, 2), **one
    )
    (refused,) = check(save(proto)).refused
    assert refused.node == "n-i"
    assert "an LSTM or GRU cell" in refused.reason


@pytest.mark.parametrize("cast", ["Cast", "Where"])
@pytest.mark.parametrize("compare", ["Greater", "GreaterOrEqual", "Less"])
@pytest.mark.parametrize("steps", [1, 3, 30])
def test_spiking(model, save, steps, compare, cast):
    nodes, constants = spiking(steps, compare, cast)
    path = save(model(nodes, (4,), **constants))
    with pytest.raises(UnsupportedError, match="already spikes") as caught:
        load_network(path)
    assert "NIR" in str(caught.value)
    assert "snntorch" in str(caught.value)
    comparisons = [f for f in check(path).refused if f.op_type == compare]
    assert len(comparisons) == 1
    assert (f"{steps - 1} more" in comparisons[0].reason) == (steps > 1)


def test_several_spikes_a_step(model, save):
    """As sinabs exports integrate-and-fire: ``(v > 0) * sign(v) * floor(abs(v))``, then a reset."""
    nodes = [
        ("Gemm", "x w", "v"),
        ("Greater", "v zero", "g"),
        ("Abs", "v", "size"),
        ("Floor", "size", "whole"),
        ("Sign", "v", "side"),
        ("Mul", "side whole", "count"),
        ("Cast", "g", "m", {"to": 1}),
        ("Mul", "m count", "s"),
        ("Sub", "v s", "rest"),
        ("Add", "rest s", "both"),
        ("Gemm", "both u", "y"),
    ]
    path = save(model(nodes, (4,), zero=np.float32(0), w=f(4, 6), u=f(6, 3)))
    with pytest.raises(UnsupportedError, match="already spikes") as caught:
        load_network(path)
    assert "NIR" in str(caught.value)
    assert [finding.op_type for finding in check(path).refused] == ["Greater"]


def test_a_last_comparison_alone_is_no_spike(model, save):
    nodes = [
        ("Gemm", "x w", "v"),
        ("Greater", "v zero", "g"),
        ("Cast", "g", "y", {"to": 1}),
    ]
    report = check(save(model(nodes, (4,), zero=np.float32(0), w=f(4, 3))))
    assert "spik" not in str([finding.reason for finding in report.refused])


def test_a_mask_is_no_spike(model, save):
    nodes = [
        ("Greater", "x half", "g"),
        ("Cast", "g", "m", {"to": 1}),
        ("Mul", "x m", "p"),
        ("Gemm", "p w", "y"),
    ]
    report = check(save(model(nodes, (4,), half=np.float32(0.5), w=f(4, 3))))
    assert not report.ok
    assert "spik" not in str([finding.reason for finding in report.refused])


@pytest.mark.parametrize("kind", ["Floor", "Round"])
def test_levels(model, save, kind):
    nodes = [
        ("Gemm", "x w", "g"),
        ("Div", "g t", "d"),
        ("Clip", "d zero", "c"),  # without an upper end
        ("Mul", "c four", "m"),
        ("Add", "m half", "a"),
        (kind, "a", "f"),
        ("Div", "f four", "q"),
        ("Gemm", "q v", "y"),
    ]
    constants = {
        "t": np.float32(1.7),
        "zero": np.float32(0),
        "four": np.float32(4),
        "half": np.float32(0.5),
    }
    report = check(save(model(nodes, (4,), w=f(4, 4), v=f(4, 3), **constants)))
    (finding,) = report.refused
    assert finding.node == "n-f"
    assert "few levels" in finding.reason
    assert "Clip alone" in finding.remedy


@pytest.mark.parametrize(("frames", "channels"), [(8, 2), (3, 1)])
def test_frames_in_the_batch(model, save, frames, channels):
    nodes = [
        ("Reshape", "x folded", "r"),
        ("Conv", "r k", "c"),
        ("Relu", "c", "a"),
        ("Flatten", "a", "fl"),
        ("Gemm", "fl w", "o"),
        ("Reshape", "o back", "b"),
        ("ReduceMean", "b", "y", {"axes": [1], "keepdims": 0}),
    ]
    constants = {
        "folded": np.array([-1, channels, 4, 4]),
        "back": np.array([-1, frames, 2]),
        "k": f(2, channels, 3, 3),
        "w": f(8, 2),
    }
    path = save(model(nodes, (frames, channels, 4, 4), **constants))
    with pytest.raises(UnsupportedError, match=f"folds {frames} frames") as caught:
        load_network(path)
    assert f"(batch, {channels}, 4, 4)" in str(caught.value)
    assert "sample of its own" in str(caught.value)


def test_comparisons_of_scikit_learn_are_no_spikes(save):
    """Its classifiers compare scores, as truth values made numbers, to choose classes."""
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("MatMul", ["x", "w"], ["g"], "n-g"),
            onnx.helper.make_node("Greater", ["g", "t"], ["c"], "n-c"),
            onnx.helper.make_node("Cast", ["c"], ["f"], "n-f", to=1),
            onnx.helper.make_node("MatMul", ["f", "v"], ["y"], "n-y"),
            onnx.helper.make_node(
                "Binarizer", ["y"], ["z"], "n-z", domain="ai.onnx.ml", threshold=0.5
            ),
        ],
        "classes",
        [onnx.helper.make_tensor_value_info("x", 1, ["n", 3])],
        [onnx.helper.make_tensor_value_info("z", 1, ["n", 2])],
        [
            onnx.numpy_helper.from_array(value, name)
            for name, value in (("w", f(3, 4)), ("v", f(4, 2)), ("t", np.float32(0)))
        ],
    )
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("ai.onnx.ml", 1)]
    path = save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8))
    by_node = {finding.node: finding for finding in check(path).refused}
    assert "spik" not in by_node["n-c"].reason
    assert "jump" in by_node["n-c"].reason
