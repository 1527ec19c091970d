"""Add, Sub, Mul, Div, Neg, Sum and BatchNormalization against ONNX Runtime."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.network import Add, Conv, Dense

RNG = np.random.default_rng(2)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


def positive(*shape):
    return RNG.uniform(0.5, 2, shape).astype(np.float32)


CONSTANTS = {
    (4,): [(), (1,), (4,), (1, 4)],
    (3, 5): [(), (3, 1), (5,), (3, 5), (1, 3, 1)],
    (3, 4, 4): [(), (3, 1, 1), (1, 3, 1, 1), (4,), (4, 4), (3, 4, 4), (1, 1, 1, 1)],
}


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([(s, c) for s, cs in CONSTANTS.items() for c in cs]),
    st.sampled_from(["Add", "Sub", "Mul", "Div"]),
    st.booleans(),
    st.sampled_from(["input", "linear", "relu"]),
)
def test_constant_operand(model, agree, shapes, kind, swapped, before):
    shape, constant = shapes
    swapped = swapped and kind != "Div"
    nodes, source, constants = [], "x", {"c": positive(*constant)}
    if before != "input":
        source = "l"
        if len(shape) == 1:
            nodes.append(("Gemm", "x w", "l"))
            constants["w"] = normal(shape[0], shape[0])
        else:
            nodes.append(("Conv", "x w", "l"))
            constants["w"] = normal(shape[0], shape[0], *(1,) * (len(shape) - 1))
    if before == "relu":
        nodes.append(("Relu", "l", "r"))
        source = "r"
    nodes.append((kind, f"c {source}" if swapped else f"{source} c", "y"))
    imported = agree(model(nodes, shape, **constants))
    if before == "linear" and (len(shape) == 1 or constant in [(), (3, 1), (3, 1, 1)]):
        assert [type(node) for node in imported.network][1:-1] in ([Conv], [Dense])


def test_not_folded_where_others_read(model, agree):
    nodes = [
        ("Gemm", "x w", "g"),
        ("Mul", "g c", "m"),
        ("Relu", "g", "r"),
        ("Add", "m r", "y"),
    ]
    imported = agree(model(nodes, (4,), w=normal(4, 4), c=normal(4)))
    assert isinstance(imported.network["n-m"], Dense)


def test_not_folded_where_others_read_through_a_cast(model, agree):
    nodes = [
        ("Gemm", "x w", "g"),
        ("Cast", "g", "k", {"to": 1}),
        ("Dropout", "k", "d"),
        ("Mul", "d c", "m"),
        ("Relu", "g", "r"),
        ("Add", "m r", "y"),
    ]
    imported = agree(model(nodes, (4,), opset=13, w=normal(4, 4), c=normal(4)))
    assert isinstance(imported.network["n-m"], Dense)


def test_folds_through_a_chain(model, agree):
    nodes = [
        ("Conv", "x w b", "c1"),
        ("Add", "c1 p", "c2"),
        ("Mul", "c2 s", "c3"),
        ("Sub", "q c3", "y"),
    ]
    constants = {"w": normal(3, 2, 1, 1), "b": normal(3), "p": normal(3, 1, 1)}
    constants |= {"s": normal(1, 3, 1, 1), "q": np.float32(2)}
    imported = agree(model(nodes, (2, 3, 3), **constants))
    assert len(imported.network) == 3


@pytest.mark.parametrize("kind", ["Add", "Sub", "Sum"])
def test_two_activations(model, agree, kind):
    nodes = [("Relu", "x", "r"), ("Conv", "x w", "c"), (kind, "r c", "y")]
    imported = agree(model(nodes, (3, 4, 4), w=normal(3, 3, 1, 1)))
    assert sum(isinstance(node, Add) for node in imported.network) == 1


def test_an_activation_with_itself(model, agree):
    agree(model([("Add", "x x", "y")], (3, 4)))
    agree(model([("Sum", "x x x", "y")], (3, 4)))
    agree(model([("Sub", "x h", "y"), ("Relu", "x", "h")], (3, 4)))


def test_neg(model, agree):
    agree(model([("Neg", "x", "n"), ("Relu", "n", "y")], (3, 4, 4)))
    imported = agree(model([("Gemm", "x w", "g"), ("Neg", "g", "y")], (3,), w=normal(3, 2)))
    assert len(imported.network) == 3


def test_neutral_constants_leave_no_trace(model, agree):
    nodes = [("Mul", "x c", "a"), ("Relu", "a", "y")]
    imported = agree(model(nodes, (3, 4), c=np.ones((3, 1), np.float32)))
    assert [node.name for node in imported.network] == ["x", "n-y", "output"]


def test_long_flat_constant_is_no_square_matrix(model, agree):
    imported = agree(model([("Mul", "x c", "y")], (6000,), c=normal(6000)))
    assert all(getattr(n, "weight", np.zeros(0)).size <= 6000 for n in imported.network)


def test_refusals(model, refuses):
    refuses(model([("Mul", "x x", "y")], (3,)), "n-y", match="two activations")
    refuses(model([("Div", "c x", "y")], (3,), c=normal(3)), "n-y", match="divides a constant")
    refuses(model([("Div", "x c", "y")], (3,), c=np.zeros(3, np.float32)), "n-y", match="zero")
    refuses(model([("Add", "x c", "y")], (3,), c=normal(1, 2, 3)), "n-y", match="does not fit")
    refuses(model([("Add", "x c", "y")], (3,), c=normal(4)), "n-y", match="does not fit")
    proto = model([("Add", "x c", "y")], (3,), batch=2, c=normal(2, 3))
    refuses(proto, "n-y", match="between the samples")
    nodes = [("Flatten", "x", "f"), ("Add", "x f", "y")]
    refuses(model(nodes, (3, 4)), "n-y", match="batch axis of one meets")
    nodes = [("GlobalMaxPool", "x", "g"), ("Concat", "g g", "c", {"axis": 2}), ("Add", "x c", "y")]
    refuses(model(nodes, (3, 4)), "n-y", match="do not fit")
    refuses(model([("Sum", "c c", "s"), ("Sum", "x s d", "y")], (3,), c=normal(3), d=normal(4)),
            "n-y", match="does not fit")  # fmt: skip


@pytest.mark.parametrize("opset", [8, 13, 17])
@pytest.mark.parametrize("kind", ["Add", "Sub", "Sum", "Mean", "Max", "Min"])
def test_activations_that_broadcast(model, agree, kind, opset):
    nodes = [("GlobalMaxPool", "x", "g"), (kind, "g x", "a"), (kind, "x a", "y")]
    agree(model(nodes, (3, 4, 4), opset=opset))
    nodes = [("Relu", "x", "r"), ("Transpose", "r", "t", {"perm": [0, 2, 1]}), (kind, "t x", "y")]
    agree(model(nodes, (1, 5), opset=opset))


@pytest.mark.parametrize("kind", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("constant", [(3, 5), (1, 5), (1, 3, 5), (5,)])
def test_constant_that_enlarges(model, agree, kind, constant):
    agree(model([(kind, "x c", "y")], (3, 1), c=positive(*constant)))


def test_constant_that_is_too_large(model, refuses):
    nodes = [("Transpose", "x", "t", {"perm": [0, 2, 1]}), ("Add", "t c", "y")]
    refuses(model(nodes, (1, 8000), c=normal(1, 8000)), "n-y", match="64000000 elements")


@pytest.mark.parametrize("kind", ["Sum", "Mean"])
def test_sums_with_constants(model, agree, kind):
    agree(model([(kind, "c x d", "y")], (3, 4), c=normal(3, 1), d=normal(1, 3, 4)))
    agree(model([(kind, "x c", "y")], (3, 1), c=normal(3, 4)))
    agree(model([("Relu", "x", "r"), (kind, "x c r x", "y")], (4,), c=normal(4)))
    imported = agree(model([(kind, "x", "a"), ("Relu", "a", "y")], (4,)))
    assert [node.name for node in imported.network] == ["x", "n-y", "output"]


def test_shift_of_each_element_is_a_bias(model, agree):
    nodes = [("Conv", "x w", "c"), ("Add", "c s", "a"), ("Mul", "a p", "m"), ("Add", "m s", "y")]
    constants = {"w": normal(4, 2, 3, 3), "s": normal(1, 3, 1), "p": normal(4, 1, 1)}
    imported = agree(model(nodes, (2, 5, 5), **constants))
    assert [type(node) for node in imported.network][1:-1] == [Conv]
    imported = agree(model([("Add", "x s", "y")], (4, 5, 5), s=normal(4, 5, 5)))
    assert [type(node) for node in imported.network][1:-1] == [Conv]


def test_one_number_a_sample(model, agree):
    nodes = [("ReduceSum", "x a", "s", {"keepdims": 0}), ("Mul", "s c", "y")]
    agree(model(nodes, (4,), a=np.array([1]), c=np.float32(3)))


@pytest.mark.parametrize("shape", [(4,), (4, 6), (4, 3, 3), (4, 2, 3, 2)])
@pytest.mark.parametrize("place", ["first", "after relu", "before relu"])
@pytest.mark.parametrize("opset", [8, 13, 17])
def test_batch_normalization(model, agree, shape, place, opset):
    nodes = {
        "first": [("BatchNormalization", "x g o m v", "y", {"epsilon": 0.01})],
        "after relu": [("Relu", "x", "r"), ("BatchNormalization", "r g o m v", "y")],
        "before relu": [("BatchNormalization", "x g o m v", "r"), ("Relu", "r", "y")],
    }[place]
    constants = {"g": normal(4), "o": normal(4), "m": normal(4), "v": positive(4)}
    imported = agree(model(nodes, shape, opset=opset, **constants))
    kind = Dense if len(shape) == 1 else Conv
    assert sum(isinstance(node, kind) for node in imported.network) == 1


def test_batch_normalization_refusals(model, refuses):
    constants = {"g": normal(4), "o": normal(4), "m": normal(4), "v": positive(4)}
    node = ("BatchNormalization", "x g o m v", "y a b", {"training_mode": 1})
    refuses(model([node], (4,), **constants), "n-y", match="training mode")
    plain = [("BatchNormalization", "x g o m v", "y")]
    refuses(model(plain, (5,), **constants), "n-y", match="do not fit")
    refuses(model(plain, (4,), **{**constants, "v": -positive(4)}), "n-y", match="not positive")
    nan = np.full(4, np.nan, np.float32)
    refuses(model(plain, (4,), **{**constants, "m": nan}), "n-y", match="initialiser 'm'")
