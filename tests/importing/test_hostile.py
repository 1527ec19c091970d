"""Files made to break the importer: one clear ModelError, within seconds, within little memory."""

import os

import numpy as np
import onnx
import pytest
from hostile import modest, normal
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from neurodeploy.errors import ModelError
from neurodeploy.importing import check, load_network


def small(model):
    nodes = [
        ("Conv", "x w b", "c", {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ("Relu", "c", "r"),
        ("MaxPool", "r", "p", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Reshape", "p s", "f"),
        ("Gemm", "f v", "y", {"transB": 1}),
    ]
    constants = {"w": normal(2, 1, 3, 3), "b": normal(2), "s": np.array([0, -1])}
    return model(nodes, (1, 8, 8), v=normal(3, 8), **constants)


# The file


def test_no_file(tmp_path, invalid):
    invalid(tmp_path / "nothing.onnx", match="no such file")
    invalid(tmp_path, match="folder")
    empty = tmp_path / "empty.onnx"
    empty.touch()
    invalid(empty, match="empty")
    pipe = tmp_path / "pipe.onnx"
    os.mkfifo(pipe)
    invalid(pipe, match="regular file")
    with pytest.raises(ModelError):
        load_network("a\0b")


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_random_bytes(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        load_network(path)
    assert not check(path).ok


def test_truncated(model, tmp_path):
    content = small(model).SerializeToString()
    path = tmp_path / "cut.onnx"
    for length in range(1, len(content) - 1, 7):
        path.write_bytes(content[:length])
        report = check(path)
        assert not report.ok, length


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes(model, tmp_path_factory, changes):
    content = bytearray(small(model).SerializeToString())
    for position, value in changes:
        content[position % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "changed.onnx"
    path.write_bytes(content)
    report = check(path)  # must not raise, whatever it says
    if report.ok:
        load_network(path)
    else:
        with pytest.raises(ModelError):
            load_network(path)


@pytest.mark.parametrize("version", [0, -1, 1, 5, 999, 2**40])
def test_operator_sets(model, invalid, version):
    proto = model([("Relu", "x", "y")], (4,))
    proto.opset_import[0].version = version
    invalid(proto, match="operator set")


def test_operator_sets_missing_or_twice(model, invalid):
    proto = model([("Relu", "x", "y")], (4,))
    proto.opset_import.append(helper.make_opsetid("", 13))
    invalid(proto, match="operator set")
    del proto.opset_import[:]
    invalid(proto, match="no ONNX graph")


@pytest.mark.parametrize("name", [b"n-c", b"Relu", b"pads", b"w", b"x"])
def test_names_that_are_no_text(model, tmp_path, invalid, name):
    content = small(model).SerializeToString()
    field = bytes([len(name)]) + name
    assert field in content
    path = tmp_path / "text.onnx"
    path.write_bytes(content.replace(field, bytes([len(name)]) + b"\xff" * len(name)))
    invalid(path, match="not text")


# Tensors


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ([2**29], "elements"),
        ([2**20], "bytes of values"),
        ([2**40, 2**40], "impossible shape"),
        ([2**31 - 1, 2**31 - 1], "elements"),
        ([-4], "impossible shape"),
        ([1] * 5000, "impossible shape"),
        ([5], "bytes of values"),
        ([3], "bytes of values"),
        ([0], "bytes of values"),
    ],
)
def test_claimed_sizes(model, invalid, dims, words):
    for typed in (False, True):
        proto = model([("Mul", "x c", "y")], (4,), c=normal(4))
        tensor = proto.graph.initializer[0]
        if typed:
            tensor.float_data.extend([1.0] * 4)
            tensor.ClearField("raw_data")
        del tensor.dims[:]
        tensor.dims.extend(dims)
        with modest(2, 50):
            invalid(proto, match=words)


def test_claimed_size_in_a_nested_constant(model, invalid):
    proto = model([("Constant", "", "c", {"value": helper.make_tensor("t", 1, [1], [0.0])}),
                   ("Mul", "x c", "y")], (4,))  # fmt: skip
    proto.graph.node[0].attribute[0].t.dims[0] = 2**28
    invalid(proto, match="elements")


def test_element_types(model, invalid, refuses):
    proto = model([("Mul", "x c", "y")], (4,), c=normal(4))
    for kind in (TensorProto.COMPLEX64, TensorProto.FLOAT8E4M3FN, 0, 99):
        proto.graph.initializer[0].data_type = kind
        invalid(proto, match="element type")
    words = np.array([b"a"] * 4, dtype=object)
    refuses(model([("Mul", "x c", "y")], (4,), c=words), "n-y")


def test_values_that_are_no_numbers(model, refuses):
    for bad in (np.nan, np.inf, -np.inf):
        weight = normal(4, 4)
        weight[1, 2] = bad
        proto = model([("Gemm", "x w", "y")], (4,), w=weight)
        refuses(proto, "n-y", match="initialiser 'w' holds 1 values that are NaN")


# External data


def external(model, tmp_path, location, offset=None, length=None, size=4096):
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    (tmp_path / "secret.bin").write_bytes(normal(4096).tobytes())
    (folder / "weights.bin").write_bytes(normal(16 * 16).tobytes()[:size])
    proto = model([("Gemm", "x w", "y")], (16,), w=normal(16, 16))
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_external_data(model, tmp_path, agree):
    imported = agree(external(model, tmp_path, "weights.bin", 0, 1024))
    assert list(imported.external_sha256) == ["weights.bin"]
    agree(external(model, tmp_path, "./weights.bin"))


@pytest.mark.parametrize(
    ("location", "offset", "length", "words"),
    [
        ("../secret.bin", None, None, "inside the model's folder"),
        ("sub/../../secret.bin", None, None, "inside the model's folder"),
        ("ABSOLUTE", None, None, "inside the model's folder"),
        ("", None, None, "inside the model's folder"),
        ("link.bin", None, None, "leads out"),
        ("linked/secret.bin", None, None, "leads out"),
        ("nothing.bin", None, None, "missing"),
        (".", None, None, "missing"),
        ("a\0b", None, None, "cannot be read|missing"),
        ("sparse.bin", None, None, "can be read"),
        ("weights.bin", -8, None, "claims bytes"),
        ("weights.bin", 8, None, "claims bytes"),
        ("weights.bin", 10**15, None, "claims bytes"),
        ("weights.bin", 0, 10**15, "claims bytes"),
        ("weights.bin", 0, 16, "claims bytes"),
        ("weights.bin", "x", None, "cannot be read"),
    ],
)
def test_external_data_refused(model, tmp_path, invalid, location, offset, length, words):
    if location == "ABSOLUTE":
        location = tmp_path / "model" / "weights.bin"
    path = external(model, tmp_path, location, offset, length)
    (path.parent / "link.bin").symlink_to(tmp_path / "secret.bin")
    (path.parent / "linked").symlink_to(tmp_path)
    (path.parent / "sparse.bin").touch()
    os.truncate(path.parent / "sparse.bin", 2**40)
    invalid(path, match=words)


# The graph


def test_structure(model, invalid):
    cycle = model([("Add", "x b", "a"), ("Relu", "a", "b"), ("Relu", "b", "y")], (4,))
    invalid(cycle, match="not a valid graph|cycle")
    twice = model([("Relu", "x", "y"), ("Neg", "x", "y")], (4,))
    invalid(twice, match="two values are called 'y'")
    shadow = model([("Relu", "x", "x")], (4,), output="x")
    invalid(shadow, match="two values are called 'x'")
    invalid(model([("Relu", "nobody", "y")], (4,)), match="'nobody', which nothing produces")
    invalid(model([("Relu", "x", "a")], (4,)), match="output 'y'")
    loop = model([("Relu", "y", "y")], (4,))
    invalid(loop, match="not a valid graph|cycle|depend")


def test_missing_inputs_and_outputs_of_nodes(model, save):
    kinds = "Conv Gemm MatMul Add Clip BatchNormalization Reshape Slice Pad Concat Split Max Cast"
    for kind in [*kinds.split(), "MaxPool", "ReduceMean", "Transpose", "Unsqueeze", "Gather"]:
        for reads in ("x", "-", "", "- x", "x - -", "x x x x x x x"):
            report = check(save(model([(kind, reads, "y")], (4, 4, 4))))
            assert report.findings, (kind, reads)


KINDS = """
    Conv MaxPool AveragePool Gemm Flatten Concat Transpose ReduceMean Split Gather Softmax Squeeze
    Dropout LeakyRelu BatchNormalization Cast Pad Slice Clip
"""
ATTRIBUTES = """
    axis axes strides pads dilations kernel_shape group perm keepdims alpha beta transB ceil_mode to
    auto_pad split starts ends min max mode epsilon
"""


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(KINDS.split()),
    st.dictionaries(
        st.sampled_from(ATTRIBUTES.split()),
        st.one_of(
            st.sampled_from([0, 1, -1, 2, 2**31, 2**62, -(2**63)]),
            st.lists(st.sampled_from([0, 1, -1, 2, 3, 2**40, -(2**62)]), min_size=1, max_size=6),
            st.sampled_from([0.5, 1e38, float("inf"), float("nan"), "SAME_UPPER", "reflect", ""]),
        ),
        max_size=4,
    ),
    st.sampled_from([8, 11, 13, 18]),
)
def test_absurd_attributes(model, save, kind, attributes, opset):
    reads = {"Conv": "x w", "Gemm": "x v", "BatchNormalization": "x b b b b"}.get(kind, "x")
    shape = (4,) if kind == "Gemm" else (4, 6, 6)
    constants = {"w": normal(2, 4, 3, 3), "v": normal(4, 4), "b": np.ones(4, np.float32)}
    path = save(model([(kind, reads, "y", attributes)], shape, opset=opset, **constants))
    with modest(3, 300):
        if check(path).ok:
            load_network(path)


BOMBS = {
    "ConstantOfShape": ([("ConstantOfShape", "n", "c")], {"n": np.array([10**12])}),
    "ConstantOfShape 2": ([("ConstantOfShape", "n", "c")], {"n": np.array([10**6, 10**6, 10**6])}),
    "Expand": ([("Expand", "one n", "c")], {"n": np.array([10**6, 10**6])}),
    "Tile": ([("Tile", "one n", "c")], {"n": np.array([10**12])}),
    "Range": ([("Range", "a b s", "c")], {"a": 0, "b": 10**12, "s": 1}),
    "Range float": (
        [("Range", "a b s", "c")],
        {"a": np.float32(0), "b": np.float32(1e12), "s": np.float32(1e-12)},
    ),
    "Pad": ([("Pad", "one n", "c")], {"n": np.array([10**12, 0])}),
    "Resize": ([("Resize", "four - k", "c")], {"k": np.array([1, 1, 1e5, 1e5], np.float32)}),
    "OneHot": ([("OneHot", "i d v", "c")], {"i": np.array([0]), "d": 10**12, "v": normal(2)}),
    "EyeLike": (
        [("ConstantOfShape", "n", "big"), ("EyeLike", "big", "c")],
        {"n": np.array([10**6, 10**6])},
    ),
    "Outer": ([("Mul", "col row", "c")], {"col": normal(10**5, 1), "row": normal(1, 10**5)}),
    "Doubling": (
        [("Concat", f"d{i} d{i}", f"d{i + 1}", {"axis": 0}) for i in range(40)]
        + [("Identity", "d40", "c")],
        {"d0": normal(16)},
    ),
    "SplitToSequence": (
        [("SplitToSequence", "long", "q", {"axis": 0}), ("SequenceAt", "q z", "c")],
        {"long": normal(10**6), "z": np.int64(0)},
    ),
    "Loop": (
        [("Loop", "n t", "c", {"body": helper.make_graph([], "b", [], [])})],
        {"n": 10**12, "t": np.array(True)},
    ),
    "Pow tower": (
        [("Pow", f"p{i} p{i}", f"p{i + 1}") for i in range(30)] + [("Identity", "p30", "c")],
        {"p0": np.int64(9)},
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(model, save, name):
    nodes, constants = BOMBS[name]
    constants = {"one": normal(1), "four": normal(1, 1, 1, 1), **constants}
    path = save(model([*nodes, ("Add", "x c", "y")], (4,), **constants))
    with modest():
        report = check(path)
        assert not report.ok
        with pytest.raises(ModelError):
            load_network(path)


def test_many_small_bombs_share_a_budget(model, save):
    nodes = [("Expand", f"one{i} n", f"e{i}") for i in range(200)]
    nodes += [("ReduceMax", f"e{i}", f"m{i}", {"keepdims": 0}) for i in range(200)]
    nodes += [("Add", "x m0", "a0")] + [("Add", f"a{i} m{i + 1}", f"a{i + 1}") for i in range(199)]
    constants = {f"one{i}": normal(1) for i in range(200)}
    proto = model(nodes, (4,), n=np.array([4 * 10**6]), output="a199", **constants)
    with modest(20, 900):
        check(save(proto))


def test_large_activations(model, refuses, invalid):
    invalid(model([("Relu", "x", "y")], (10**5, 10**5)), match="too large")
    invalid(model([("Relu", "x", "y")], (2**40, 2**40)), match="too large")
    wide = {"pads": [10**6] * 4}
    proto = model([("Conv", "x w", "y", wide)], (1, 8, 8), w=normal(1, 1, 3, 3))
    refuses(proto, "n-y", match="too large")
    many = [("Concat", "x " * 6000, "c", {"axis": 1}), ("Concat", "c " * 6000, "y", {"axis": 1})]
    with modest():
        refuses(model(many, (4,)), "n-y", match="too large")


def function_model(model, calls):
    """Functions f0, f1, ...; each calls the next twice, by `calls` of (name, callee)."""
    proto = model([("f0", "x", "y")], (4,))
    proto.graph.node[0].domain = "local"
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for name, callee in calls:
        domain = "" if callee == "Relu" else "local"
        body = [
            helper.make_node(callee, ["i"], ["m"], domain=domain),
            helper.make_node(callee, ["m"], ["o"], domain=domain),
        ]
        proto.functions.append(helper.make_function("local", name, ["i"], ["o"], body, opsets))
    proto.opset_import.append(helper.make_opsetid("local", 1))
    return proto


def test_functions(model, agree, invalid):
    chain = [(f"f{i}", f"f{i + 1}") for i in range(60)]
    agree(function_model(model, [*chain[:3], ("f3", "Relu")]))
    with modest():
        invalid(function_model(model, [*chain, ("f60", "Relu")]), match="written out")
        invalid(function_model(model, [("f0", "f1"), ("f1", "f0")]), match="calls itself")
        invalid(function_model(model, [("f0", "f0")]), match="calls itself")
        deep = [(f"f{i}", f"f{i + 1}") for i in range(3000)]
        invalid(function_model(model, deep))


def test_many_nodes(model, invalid, save):
    count = 30_000
    nodes = [("Relu", f"v{i}", f"v{i + 1}") for i in range(count)]
    proto = model([("Relu", "x", "v0"), *nodes], (4,), output=f"v{count}")
    with modest(10):
        invalid(proto, match="nodes")
    short = model([("Relu", "x", "v0"), *nodes[:2000]], (4,), output="v2000")
    with modest(20):
        assert check(save(short)).ok


def test_nested_graphs(model, save):
    inner = helper.make_graph([helper.make_node("Relu", ["x"], ["r"])], "g", [], [
        onnx.ValueInfoProto(name="r")])  # fmt: skip
    for level in range(25):
        node = helper.make_node("If", ["t"], [f"r{level}"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "g", [], [onnx.ValueInfoProto(name=f"r{level}")])
        if level > 8:  # both branches double the file
            break
    nodes = [("If", "t", "y", {"then_branch": inner, "else_branch": inner})]
    with modest(20):
        check(save(model(nodes, (4,), t=np.array(True))))


def test_a_long_chain_of_constants(model, save):
    count = 3000
    nodes = [("Conv", "x w", "v0")]
    nodes += [("Add", f"v{i} one", f"v{i + 1}") for i in range(count)]
    constants = {"w": normal(2, 2, 3, 3), "one": np.float32(1)}
    path = save(model(nodes, (2, 8, 8), output=f"v{count}", **constants))
    with modest(10):
        assert len(load_network(path).network) == 3


def test_sparse_initialisers(model, invalid):
    proto = model([("Relu", "x", "y")], (4,))
    proto.graph.sparse_initializer.add()
    invalid(proto, match="sparse")
