"""Random changes of an ONNX model, from plausible to absurd; the same seed makes the same ones."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

__all__ = ["mutate"]

#: Changes the model and says how, or None where it has nothing to change.
Mutation = Callable[[onnx.ModelProto, random.Random], "str | None"]

NUMBERS = [0, 1, -1, 2, 3, 4, 5, 7, -2, -3, 127, 255, 1000, 2**31 - 1, 2**31, -(2**31), 2**40,
           2**62, 2**63 - 1, -(2**63)]  # fmt: skip
FLOATS = [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 6.0, 0.1, 1e-5, 1e-30, 1e30, -1e30, 3e38,
          float("inf"), float("-inf"), float("nan")]  # fmt: skip
TEXTS = ["", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "constant", "reflect", "edge", "wrap",
         "nearest", "linear", "cubic", "asymmetric", "half_pixel", "align_corners",
         "pytorch_half_pixel", "floor", "ceil", "round_prefer_ceil", "DCR", "CRD", "bi,io->bo",
         "b...->b", "x" * 5000, "none"]  # fmt: skip
_ATTRIBUTES = """
    axis axes perm keepdims strides pads dilations kernel_shape group auto_pad ceil_mode
    count_include_pad output_padding output_shape alpha beta gamma transA transB epsilon momentum
    training_mode is_test spatial to saturate mode value min max starts ends split num_outputs
    allowzero noop_with_empty_axes blocksize broadcast nearest_mode coordinate_transformation_mode
    exclude_outside extrapolation_value cubic_coeff_a keep_aspect_ratio_policy antialias scales
    height_scale storage_order p ratio equation block_size output_dtype select_last_index batch_dims
    consumed_inputs
"""
_UNARY = """
    Relu Neg Identity Sigmoid Tanh LeakyRelu Softmax LogSoftmax Dropout Flatten Transpose Abs Cast
    Squeeze Clip HardSigmoid Elu GlobalAveragePool GlobalMaxPool MaxPool AveragePool ReduceMean
    ReduceMax ReduceSum Shape Size Not Exp Sqrt Sign Ceil Round Erf Softplus Hardmax ArgMax
    InstanceNormalization LRN MeanVarianceNormalization DepthToSpace SpaceToDepth Split Concat Sum
    Max Min Mean Mish HardSwish Gelu Reciprocal Loop If Scan SequenceConstruct Optional NonZero
"""
_BINARY = """
    Add Sub Mul Div Max Min Pow PRelu Sum MatMul Gemm Concat Gather Mod And Where Mean
"""
_OTHERS = """
    Conv ConvTranspose BatchNormalization Reshape Unsqueeze Expand Tile Pad Slice Resize Upsample
    QuantizeLinear DequantizeLinear TopK ConstantOfShape Constant LpPool GlobalLpPool
    GroupNormalization LayerNormalization CastLike Einsum Nonsense
"""
ATTRIBUTES, UNARY = _ATTRIBUTES.split(), _UNARY.split()
BINARY, OTHERS = _BINARY.split(), _OTHERS.split()
TYPES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 22, 0, 23, 99]
DTYPES = ["float64", "float16", "int64", "int32", "int8", "uint8", "bool", "float32", "uint64"]


def _pick_node(model: onnx.ModelProto, rng: random.Random) -> onnx.NodeProto | None:
    return rng.choice(model.graph.node) if model.graph.node else None


def _pick_tensor(model: onnx.ModelProto, rng: random.Random) -> onnx.TensorProto | None:
    return rng.choice(model.graph.initializer) if model.graph.initializer else None


def _values(model: onnx.ModelProto) -> list[str]:
    names = [value.name for value in model.graph.input]
    names += [name for node in model.graph.node for name in node.output]
    return [name for name in names if name]


def _fresh(model: onnx.ModelProto, rng: random.Random) -> str:
    return f"m{len(model.graph.node)}_{rng.randrange(10**6)}"


def _array(tensor: onnx.TensorProto) -> np.ndarray | None:
    """Values of a small, well-formed tensor."""
    if tensor.data_location == TensorProto.EXTERNAL or len(tensor.dims) > 8:
        return None
    if tensor.ByteSize() > 10**6 or any(not 0 <= n <= 10**6 for n in tensor.dims):
        return None
    try:
        return np.array(numpy_helper.to_array(tensor))
    except Exception:  # an earlier mutation broke it
        return None


def _put(tensor: onnx.TensorProto, values: np.ndarray) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))


# Attributes


def _random_value(rng: random.Random) -> object:
    kind = rng.randrange(7)
    if kind <= 1:
        return rng.choice(NUMBERS)
    if kind <= 3:
        pool = NUMBERS[:9] if rng.random() < 0.7 else NUMBERS
        return [rng.choice(pool) for _ in range(rng.choice([1, 2, 3, 4, 6, 8, 40]))]
    if kind == 4:
        return rng.choice(FLOATS)
    if kind == 5:
        return rng.choice(TEXTS)
    return [rng.choice(FLOATS) for _ in range(rng.randrange(1, 5))]


def _schema_attributes() -> dict[str, dict[str, int]]:
    """Attributes of each operator in any version, and their types."""
    known: dict[str, dict[str, int]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        for name, attribute in schema.attributes.items():
            known.setdefault(schema.name, {})[name] = int(attribute.type.value)
    return known


KNOWN = _schema_attributes()


def _value_of(kind: int, rng: random.Random) -> object:
    """A value of the type that the schema asks for."""
    if kind == onnx.AttributeProto.INT:
        return rng.choice(NUMBERS[:9])
    if kind == onnx.AttributeProto.INTS:
        return [rng.choice(NUMBERS[:9]) for _ in range(rng.choice([1, 2, 2, 3, 4, 4, 6, 8]))]
    if kind == onnx.AttributeProto.FLOAT:
        return rng.choice(FLOATS[:9])
    if kind == onnx.AttributeProto.STRING:
        return rng.choice(TEXTS)
    return _random_value(rng)


def _set(node: onnx.NodeProto, name: str, value: object) -> None:
    for index, attribute in enumerate(node.attribute):
        if attribute.name == name:
            del node.attribute[index]
            break
    node.attribute.append(helper.make_attribute(name, value))


def tweak_attribute(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """A number of an attribute that is there becomes a near or an absurd one."""
    nodes = [node for node in model.graph.node if node.attribute]
    if not nodes:
        return None
    node = rng.choice(nodes)
    attribute = rng.choice(node.attribute)
    if attribute.type == onnx.AttributeProto.INT:
        attribute.i = rng.choice([max(attribute.i - 1, -(2**63)), 0, 1, -1, 2, *NUMBERS])
    elif attribute.type == onnx.AttributeProto.INTS and attribute.ints:
        index = rng.randrange(len(attribute.ints))
        old = attribute.ints[index]
        near = [n for n in (old - 1, old + 1, -old) if -(2**63) <= n < 2**63]
        attribute.ints[index] = rng.choice([*near, *near, *near, 0, 1, rng.choice(NUMBERS)])
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = rng.choice(FLOATS)
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = rng.choice(TEXTS).encode()
    else:
        return None
    return f"{node.op_type}.{attribute.name} = {str(helper.get_attribute_value(attribute))[:60]}"


def set_attribute(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """An attribute that the operator knows, of its type; or any, of any type."""
    node = _pick_node(model, rng)
    if node is None:
        return None
    known = KNOWN.get(node.op_type, {})
    if known and rng.random() < 0.8:
        name = rng.choice(sorted(known))
        value = _value_of(known[name], rng) if rng.random() < 0.8 else _random_value(rng)
    else:
        name, value = rng.choice(ATTRIBUTES), _random_value(rng)
    _set(node, name, value)
    return f"{node.op_type}.{name} := {str(value)[:60]}"


def drop_attribute(model: onnx.ModelProto, rng: random.Random) -> str | None:
    node = _pick_node(model, rng)
    if node is None or not node.attribute:
        return None
    index = rng.randrange(len(node.attribute))
    name = node.attribute[index].name
    if rng.random() < 0.2:
        node.attribute.append(node.attribute[index])
        return f"{node.op_type}.{name} twice"
    if rng.random() < 0.1:
        node.attribute[index].type = rng.choice([0, 1, 2, 3, 4, 5, 7])
        return f"{node.op_type}.{name} of another type"
    del node.attribute[index]
    return f"{node.op_type}.{name} removed"


# Initialisers


def change_values(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Other numbers in the same shape."""
    tensor = _pick_tensor(model, rng)
    values = None if tensor is None else _array(tensor)
    if tensor is None or values is None or not values.size or values.dtype.kind not in "fiub":
        return None
    flat = values.reshape(-1)
    index = rng.randrange(flat.size)
    with np.errstate(all="ignore"):
        if values.dtype.kind == "f":
            what = rng.choice(["one", "all", "scale", "negate", "zero"])
            if what == "one":
                flat[index] = np.asarray(rng.choice(FLOATS)).astype(values.dtype)
            elif what == "all":
                flat[:] = np.asarray(rng.choice(FLOATS)).astype(values.dtype)
            elif what == "scale":
                flat *= np.asarray(rng.choice([1e-20, 1e-3, 3, 1e4, 1e20])).astype(values.dtype)
            elif what == "negate":
                flat *= -1
            else:
                flat[:] = 0
        else:
            limits = np.iinfo(values.dtype) if values.dtype.kind != "b" else None
            old = int(flat[index])
            new = rng.choice([old - 1, old + 1, old + 2, -old, 0, -1, 1, 2, *NUMBERS])
            if limits is not None:
                new = min(max(new, int(limits.min)), int(limits.max))
            flat[index], what = new, f"one to {new}"
    _put(tensor, flat.reshape(values.shape))
    return f"values of {tensor.name}: {what} [{index}]"


def change_shape(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Another shape for the same numbers, or for other ones, or only a claim."""
    tensor = _pick_tensor(model, rng)
    if tensor is None:
        return None
    dims = list(tensor.dims)
    what = rng.choice(["claim", "claim", "ones", "flat", "turn", "cut", "repeat", "empty"])
    values = _array(tensor)
    if what == "claim" or values is None:
        position = rng.randrange(len(dims) + 1)
        size = rng.choice([0, 1, 2, -1, 2**20, 2**28, 2**31, 2**62, -(2**63)])
        if position < len(dims) and rng.random() < 0.7:
            tensor.dims[position] = size
        else:
            tensor.dims.insert(position, size)
        return f"{tensor.name} claims {list(tensor.dims)}"
    if what == "ones":
        values = np.expand_dims(values, rng.randrange(values.ndim + 1))
    elif what == "flat":
        values = values.reshape(-1)
    elif what == "turn":
        values = values.T
    elif what == "cut" and values.ndim and values.size:
        values = np.delete(values, 0, axis=rng.randrange(values.ndim))
    elif what == "repeat" and values.ndim and values.size < 10**4:
        values = np.repeat(values, 2, axis=rng.randrange(values.ndim))
    elif what == "empty":
        values = values[:0] if values.ndim else values.reshape(-1)[:0]
    _put(tensor, values)
    return f"{tensor.name}: {what}, {list(tensor.dims)}"


def change_type(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Another element type, with the numbers or as a mere label."""
    tensor = _pick_tensor(model, rng)
    if tensor is None:
        return None
    values = _array(tensor)
    if rng.random() < 0.4 or values is None or values.dtype.kind not in "fiub":
        tensor.data_type = rng.choice(TYPES)
        return f"{tensor.name} labelled as type {tensor.data_type}"
    kind = rng.choice(DTYPES)
    with np.errstate(all="ignore"):
        _put(tensor, values.astype(kind))
    return f"{tensor.name} as {kind}"


def change_initializer(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Drop, duplicate, shadow, or move into another place."""
    tensor = _pick_tensor(model, rng)
    if tensor is None:
        return None
    name = tensor.name
    what = rng.choice(["drop", "twice", "shadow", "input", "constant", "typed", "sparse"])
    if what == "drop":
        model.graph.initializer.remove(tensor)
    elif what == "twice":
        model.graph.initializer.append(tensor)
    elif what == "shadow":
        tensor.name = rng.choice(_values(model) or ["x"])
    elif what == "input":
        entry = helper.make_tensor_value_info(name, tensor.data_type or 1, [1])
        del entry.type.tensor_type.shape.dim[:]
        for n in tensor.dims:
            entry.type.tensor_type.shape.dim.add().dim_value = n
        model.graph.input.append(entry)
    elif what == "constant":
        node = onnx.NodeProto(op_type="Constant", output=[name])
        attribute = node.attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
        attribute.t.CopyFrom(tensor)
        model.graph.initializer.remove(tensor)
        model.graph.node.insert(0, node)
    elif what == "typed":
        values = _array(tensor)
        if values is None or tensor.data_type != TensorProto.FLOAT:
            return None
        tensor.ClearField("raw_data")
        tensor.float_data.extend(values.reshape(-1).tolist())
    else:
        model.graph.sparse_initializer.add().dims.extend([3])
    return f"initialiser {name}: {what}"


def external(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Claim that the numbers lie elsewhere."""
    tensor = _pick_tensor(model, rng)
    if tensor is None:
        return None
    location = rng.choice(["", ".", "..", "/etc/passwd", "../x", "a/../../b", "nothing.bin",
                           "a\0b", "/dev/zero", "/proc/self/mem", "x" * 5000, "\\\\host\\x",
                           "file:///etc/passwd", "./", "~"])  # fmt: skip
    tensor.data_location = TensorProto.EXTERNAL
    if rng.random() < 0.7:
        tensor.ClearField("raw_data")
    tensor.external_data.add(key="location", value=location)
    for key in ("offset", "length"):
        if rng.random() < 0.5:
            value = rng.choice(["0", "-1", str(2**62), "x", "", "1e9", "9" * 5000])
            tensor.external_data.add(key=key, value=value)
    return f"{tensor.name} external at {location[:40]!r}"


# Edges and nodes


def rewire(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """An input reads something else: an earlier value, a later one, a constant, nothing."""
    nodes = [node for node in model.graph.node if node.input]
    if not nodes:
        return None
    node = rng.choice(nodes)
    index = rng.randrange(len(node.input))
    constants = [tensor.name for tensor in model.graph.initializer]
    pool = rng.choice([_values(model), _values(model), constants, ["", "nobody"]])
    if not pool:
        return None
    what = rng.choice(["change", "change", "add", "remove", "swap"])
    if what == "change":
        node.input[index] = rng.choice(pool)
    elif what == "add":
        node.input.append(rng.choice(pool))
    elif what == "remove":
        del node.input[index]
    else:
        node.input[0], node.input[index] = node.input[index], node.input[0]
    return f"{node.op_type}: {what} input {index}, now {[name[:20] for name in node.input[:8]]}"


def cycle(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """A node reads what it or a later node makes."""
    nodes = [node for node in model.graph.node if node.input and node.output]
    if not nodes:
        return None
    first = rng.randrange(len(nodes))
    later = nodes[rng.randrange(first, len(nodes))]
    nodes[first].input[0] = later.output[0]
    return f"{nodes[first].op_type} reads {later.output[0]}"


def drop_node(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Without a node, its readers read what it read."""
    node = _pick_node(model, rng)
    if node is None:
        return None
    kind = node.op_type
    outputs, source = list(node.output), node.input[0] if node.input else ""
    model.graph.node.remove(node)
    if rng.random() < 0.8:
        for other in model.graph.node:
            for index, name in enumerate(other.input):
                if name in outputs:
                    other.input[index] = source
        for value in model.graph.output:
            if value.name in outputs and source:
                value.name = source
    return f"{kind} dropped"


def double_node(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """The node again: as it is, under new names, or elsewhere in the file."""
    node = _pick_node(model, rng)
    if node is None or not node.output:
        return None
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    what = rng.choice(["as it is", "new output", "new output in use", "moved", "many"])
    if what in ("new output", "new output in use"):
        old, new = copy.output[0], _fresh(model, rng)
        del copy.output[1:]
        copy.output[0] = new
        if what == "new output in use":
            readers = [n for n in model.graph.node if old in n.input]
            if readers:
                reader = rng.choice(readers)
                reader.input[list(reader.input).index(old)] = new
    elif what == "moved":
        model.graph.node.remove(node)
    elif what == "many":
        last = copy.output[0]
        for index in range(rng.choice([5, 300])):
            copy.input[:] = [last, *list(copy.input)[1:]]
            last = f"{node.output[0]}~{index}"
            copy.output[:] = [last]
            model.graph.node.append(copy)
        for value in model.graph.output:
            if value.name == node.output[0]:
                value.name = last
        return f"{copy.op_type} many times"
    model.graph.node.insert(rng.randrange(len(model.graph.node) + 1), copy)
    return f"{copy.op_type} doubled: {what}"


def _constant(model: onnx.ModelProto, rng: random.Random) -> str:
    """A new initialiser: a number, a channel vector, a matrix, positions."""
    shapes = [(), (1,), (4,), (4, 1, 1), (1, 4, 1, 1), (1, 1), (2, 1, 1, 1), (4, 4), (6,), (8, 5),
              (1, 4, 6, 6), (3, 4, 3, 3), (0,), (1, 1, 1, 1, 1)]  # fmt: skip
    shape = rng.choice(shapes)
    if rng.random() < 0.4:
        values = np.array([rng.choice(NUMBERS[:11]) for _ in range(rng.randrange(5))], np.int64)
        values = values if rng.random() < 0.8 else values[:1].reshape(values[:1].shape[:0] or (-1,))
    elif rng.random() < 0.5:
        values = np.full(shape, rng.choice(FLOATS[:9]), np.float32)
    else:
        values = np.random.default_rng(rng.randrange(2**32)).standard_normal(shape)
        values = values.astype(np.float32)
    name = f"c{len(model.graph.initializer)}_{rng.randrange(10**6)}"
    model.graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def insert_node(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """A new node on an edge, or between the last value and the output."""
    nodes = [node for node in model.graph.node if node.input]
    if not nodes:
        return None
    new = _fresh(model, rng)
    reader = rng.choice([*nodes, None])
    if reader is None:
        if not model.graph.output:
            return None
        source = model.graph.output[0].name
        model.graph.output[0].name = new
    else:
        # Mostly the activation, which is most often the first input.
        index = 0 if rng.random() < 0.8 else rng.randrange(len(reader.input))
        source = reader.input[index]
        reader.input[index] = new
    family = rng.random()
    reads = [source]
    if family < 0.5:
        kind = rng.choice(UNARY)
    elif family < 0.85:
        kind = rng.choice(BINARY)
        second = rng.choice([source, rng.choice(_values(model) or [source])])
        reads.append(_constant(model, rng) if rng.random() < 0.7 else second)
        if rng.random() < 0.3:
            reads.reverse()
    else:
        kind = rng.choice(OTHERS)
        reads += [_constant(model, rng) for _ in range(rng.randrange(5))]
    node = helper.make_node(kind, reads, [new], rng.choice(["", new, "same"]))
    known = KNOWN.get(kind, {})
    for _ in range(rng.choice([0, 0, 1, 2])):
        if known:
            name = rng.choice(sorted(known))
            _set(node, name, _value_of(known[name], rng))
    if kind in ("MaxPool", "AveragePool") and rng.random() < 0.8:
        _set(node, "kernel_shape", [rng.choice([1, 2, 3])] * 2)
    if kind == "Concat":
        _set(node, "axis", rng.choice([1, 1, -1, 0, 2]))
    if kind == "Cast":
        _set(node, "to", rng.choice(TYPES))
    position = list(model.graph.node).index(reader) if reader is not None else len(nodes)
    model.graph.node.insert(position, node)
    return f"{kind}({', '.join(name[:16] for name in reads)}) before {reader and reader.op_type}"


def change_kind(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Another operator in the same place."""
    node = _pick_node(model, rng)
    if node is None:
        return None
    old = node.op_type
    if rng.random() < 0.1:
        node.domain = rng.choice(["ai.onnx", "com.microsoft", "ai.onnx.ml", "nowhere"])
        return f"{old} of domain {node.domain}"
    for family in (UNARY, BINARY, OTHERS):
        if old in family and rng.random() < 0.7:
            node.op_type = rng.choice(family)
            break
    else:
        node.op_type = rng.choice(UNARY + BINARY + OTHERS)
    return f"{old} becomes {node.op_type}"


def swap_nodes(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Two nodes exchange operator and attributes, or only their places in the file."""
    if len(model.graph.node) < 2:
        return None
    first, second = rng.sample(range(len(model.graph.node)), 2)
    a, b = model.graph.node[first], model.graph.node[second]
    kinds = f"{a.op_type} and {b.op_type}"
    copy = onnx.NodeProto()
    copy.CopyFrom(a)
    if rng.random() < 0.5:
        a.CopyFrom(b)
        b.CopyFrom(copy)
        return f"{kinds} exchange places"
    a.op_type, b.op_type = b.op_type, a.op_type
    del a.attribute[:]
    a.attribute.extend(b.attribute)
    del b.attribute[:]
    b.attribute.extend(copy.attribute)
    return f"{kinds} exchange operators"


# The graph's ends, names and versions


def change_input(model: onnx.ModelProto, rng: random.Random) -> str | None:
    if not model.graph.input:
        return None
    value = rng.choice(model.graph.input)
    kind = value.type.tensor_type
    dims = kind.shape.dim
    what = rng.choice(
        ["dim", "dim", "batch", "batch", "axis", "type", "lost", "second", "typeless"]
    )
    if what in ("dim", "batch") and dims:
        dim = dims[0 if what == "batch" else rng.randrange(len(dims))]
        size = rng.choice([0, 1, 2, 3, 5, -1, 2**20, 2**40, 2**63 - 1])
        if rng.random() < 0.2:
            dim.dim_param = rng.choice(["n", "", "batch", "?"])
        else:
            dim.dim_value = size
        return f"input {value.name}: {[d.dim_value or d.dim_param for d in dims]}"
    if what == "axis" and dims:
        if rng.random() < 0.5:
            del dims[rng.randrange(len(dims))]
        else:
            dims.add().dim_value = rng.choice([0, 1, 2, 2**33])
    elif what == "type":
        kind.elem_type = rng.choice(TYPES)
        return f"input {value.name} of type {kind.elem_type}"
    elif what == "lost":
        kind.ClearField("shape")
    elif what == "typeless":
        value.ClearField("type")
    else:
        copy = model.graph.input.add()
        copy.CopyFrom(value)
        copy.name = rng.choice(["second", value.name, *_values(model)])
    return f"input {value.name}: {what}"


def change_output(model: onnx.ModelProto, rng: random.Random) -> str | None:
    outputs = model.graph.output
    values = _values(model)
    what = rng.choice(["drop", "inner", "add", "twice", "shape", "type", "node"])
    if not outputs or not values or not model.graph.node:
        return None
    if what == "drop":
        del outputs[:]
    elif what == "inner":
        outputs[0].name = rng.choice(values)
        outputs[0].ClearField("type")
        what = f"now {outputs[0].name}"
    elif what == "add":
        outputs.add().name = rng.choice(values)
    elif what == "twice":
        outputs.append(outputs[0])
    elif what == "shape":
        for size in (3, 2**40):
            outputs[0].type.tensor_type.shape.dim.add().dim_value = size
    elif what == "type":
        outputs[0].type.tensor_type.elem_type = rng.choice(TYPES)
    else:
        node = rng.choice(model.graph.node)
        if rng.random() < 0.5:
            node.output.append(rng.choice(["further", "", *values]))
        else:
            del node.output[:]
        return f"outputs of {node.op_type}: {[name[:20] for name in node.output]}"
    return f"output: {what}"


def rename(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Nodes, values or constants get a name that is taken, empty, long or odd."""
    odd = rng.choice(["output", "", "x", "y", "a\nb", "\x00", "n" * 100_000, "../..", "?", "ü%s{}"])
    node = _pick_node(model, rng)
    if node is None:
        return None
    if rng.random() < 0.5:
        node.name = odd if rng.random() < 0.6 else rng.choice(model.graph.node).name
        return f"a {node.op_type} is named {node.name[:20]!r}"
    values = _values(model)
    if not values:
        return None
    old = rng.choice(values)
    new = odd if rng.random() < 0.6 else rng.choice(values)
    for other in model.graph.node:
        other.input[:] = [new if name == old else name for name in other.input]
        other.output[:] = [new if name == old else name for name in other.output]
    for value in (*model.graph.input, *model.graph.output):
        if value.name == old:
            value.name = new
    return f"value {old[:20]} is called {new[:20]!r}"


def change_version(model: onnx.ModelProto, rng: random.Random) -> str | None:
    what = rng.random()
    if what < 0.7 and model.opset_import:
        model.opset_import[0].version = rng.choice([*range(6, 26), *range(7, 24), 0, -1, 1, 2**40])
        return f"opset {model.opset_import[0].version}"
    if what < 0.8:
        model.opset_import.append(helper.make_opsetid(rng.choice(["", "ai.onnx", "other"]), 13))
        return "a further opset"
    if what < 0.9:
        model.ir_version = rng.choice([0, 1, 3, 4, 9, 12, 99, 2**62])
        return f"ir_version {model.ir_version}"
    del model.opset_import[:]
    return "no opset"


def false_claims(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """Shapes of inner values that are not true."""
    values = _values(model)
    if not values:
        return None
    name = rng.choice(values)
    shape = [rng.choice([0, 1, 2, 3, 5, 2**33]) for _ in range(rng.randrange(5))]
    model.graph.value_info.append(
        helper.make_tensor_value_info(name, rng.choice([1, 1, 7, 10]), shape)
    )
    return f"{name} is said to be {shape}"


def nest(model: onnx.ModelProto, rng: random.Random) -> str | None:
    """A node goes into a function, into branches of an If, or deep into nested graphs."""
    node = _pick_node(model, rng)
    if node is None or not node.output or not node.input or "uantize" in node.op_type:
        return None  # the oracle spells out the quantisers of the main graph only
    inner = onnx.NodeProto()
    inner.CopyFrom(node)
    what = rng.choice(["function", "If", "deep"])
    if what == "function":
        name = f"F{rng.randrange(3)}"
        opsets = list(model.opset_import)
        inputs = [name for name in dict.fromkeys(inner.input) if name]
        if rng.random() < 0.2:
            inner.op_type, inner.domain = name, "local"
        function = helper.make_function("local", name, inputs, list(inner.output), [inner], opsets)
        model.functions.append(function)
        node.op_type, node.domain = name, "local"
        del node.attribute[:]
        node.input[:] = inputs
        if all(opset.domain != "local" for opset in model.opset_import):
            model.opset_import.append(helper.make_opsetid("local", 1))
        return f"{inner.op_type} in function {name}"
    flag = f"flag{len(model.graph.initializer)}"
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), flag))
    results = [onnx.ValueInfoProto(name=name) for name in inner.output]
    other = helper.make_graph([inner], "other", [], results)
    graph = other
    for _ in range(1 if what == "If" else rng.choice([3, 10, 25])):
        branches = {"then_branch": graph, "else_branch": other}
        wrapped = helper.make_node("If", [flag], list(inner.output), **branches)
        graph = helper.make_graph([wrapped], "branch", [], results)
    node.CopyFrom(wrapped)
    return f"{inner.op_type} in If: {what}"


GRAPH: list[tuple[int, Mutation]] = [
    (10, tweak_attribute),
    (8, set_attribute),
    (3, drop_attribute),
    (6, change_values),
    (5, change_shape),
    (3, change_type),
    (2, change_initializer),
    (1, external),
    (6, rewire),
    (1, cycle),
    (3, drop_node),
    (3, double_node),
    (14, insert_node),
    (4, change_kind),
    (3, swap_nodes),
    (5, change_input),
    (3, change_output),
    (2, rename),
    (4, change_version),
    (2, false_claims),
    (2, nest),
]


def _bytes(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Damage the serialised file."""
    data = bytearray(content)
    what = rng.choice(["truncated", "flipped", "flipped", "repeated", "grown"])
    if what == "truncated":
        return bytes(data[: rng.randrange(1, len(data))]), what
    if what == "flipped":
        # The structure lies at the ends, the weights in the middle.
        for _ in range(rng.choice([1, 2, 8])):
            near = rng.randrange(min(len(data), 600))
            position = rng.choice([near, len(data) - 1 - near, rng.randrange(len(data))])
            data[position] = rng.randrange(256)
    elif what == "repeated":
        start = rng.randrange(len(data))
        data[start:start] = data[start : start + rng.randrange(1, 200)]
    else:
        data += bytes(rng.randrange(256) for _ in range(rng.randrange(1, 50)))
    return bytes(data), f"file {what}"


def mutate(model: onnx.ModelProto, rng: random.Random) -> tuple[bytes, list[str]]:
    """One to four changes; the file's bytes and what was done to it.

    Parameters
    ----------
    model
        Left as it is.
    rng
        Decides everything.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    weights, mutations = zip(*GRAPH, strict=True)
    done: list[str] = []
    wanted = rng.choice([1, 1, 1, 2, 2, 3, 4])
    for _ in range(20):
        if len(done) == wanted:
            break
        (mutation,) = rng.choices(mutations, weights)
        try:
            said = mutation(copy, rng)
        except (
            DecodeError,
            ValueError,
        ):  # nested too deep, or two mutations that do not go together
            continue
        if said:
            done.append(said)
    content = copy.SerializeToString()
    if rng.random() < 0.03 and content:
        content, said = _bytes(content, rng)
        done.append(said)
    return content, done
