"""The closed form of a program of a window code on ONNX Runtime, exact in float32."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.errors import ProgramError
from neurodeploy.onnx_tensors import named_tensor
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Dense,
    Population,
    Program,
)
from neurodeploy.program.bounds import bounds, end_limits, weight_sums
from neurodeploy.program.neurons.closed_form import FieldMaximum, Maximum, Quotient
from neurodeploy.program.neurons.mask_maximum import MASK_BITS
from neurodeploy.program.window_codes import Digits, OneMessage
from neurodeploy.simulator import kernels
from neurodeploy.simulator.closed_form import Swept, check
from neurodeploy.simulator.kernels.counting import lowest_bits
from neurodeploy.simulator.message_counts import channel_groups
from neurodeploy.simulator.sparse_forms import simpler

__all__ = ["DenseSweep", "can_sweep"]

_OPSET = 19
#: Whole numbers below it are exact in float32, in whatever order they are added up.
_FLOAT_LIMIT = 2**24
#: Values of a constant from which on it is handed to ONNX Runtime beside the model.
_APART = 2**20
#: Samples at once: a layer's values stay in a core's cache.
_SAMPLES = 8
#: Neurons that a sweep looks at in NumPy before it loads a compiled kernel (about 0.2 s).
_FEW = 1 << 18


def _is_pooling(synapses: object) -> bool:
    """Whether a convolution has one channel of ones a group: the windows of a pooling."""
    return (
        isinstance(synapses, Convolution)
        and synapses.weights.shape[1] == 1
        and synapses.weights.shape[0] == synapses.groups
        and bool((synapses.weights == 1).all())
    )


def _is_max_pool(synapses: object, source: tuple[int, ...]) -> bool:
    """Whether ones make it a MaxPool of ONNX: less padding than kernel, a source in all windows."""
    return _is_pooling(synapses) and _has_sources(synapses, source)


def _is_field_pool(program: Program, p: Population, digit: int) -> bool:
    """Whether its connections put each tap of a MaxPool of ONNX into a field of its own."""
    arriving = program.incoming(p.name)
    first = arriving[0].synapses
    if not isinstance(first, Convolution) or not _has_sources(
        first, program.shape_of(arriving[0].source)
    ):
        return False
    total: np.ndarray = np.zeros(first.weights.shape, np.int64)
    for c in arriving:
        s = c.synapses
        alike = isinstance(s, Convolution) and (
            (s.weights.shape, s.stride, s.padding, s.dilation, s.groups, c.source)
            == (
                first.weights.shape, first.stride, first.padding, first.dilation, first.groups,
                arriving[0].source,
            )
        )  # fmt: skip
        if not alike or s.weights.min(initial=0) < 0:
            return False
        total += s.weights.astype(np.int64) << c.exponent
    channels, per_group = first.weights.shape[0], first.weights.shape[1]
    if per_group != 1 or channels != first.groups:
        return False
    fields = 1 << (digit * np.arange(MASK_BITS // digit, dtype=np.int64))
    taps = np.sort(total.reshape(channels, -1), axis=1)
    return bool(np.isin(taps, fields).all() and (np.diff(taps, axis=1) > 0).all())


def _has_sources(synapses: object, source: tuple[int, ...]) -> bool:
    """Whether windows pad less than their kernel, and there is a source in each."""
    assert isinstance(synapses, Convolution)
    out, kernel = synapses.output_shape(source)[1:], synapses.weights.shape[2:]
    for axis in (0, 1):
        before, after = synapses.padding[axis], synapses.padding[axis + 2]
        if before >= kernel[axis] or after >= kernel[axis]:
            return False
        first = np.arange(out[axis])[:, None] * synapses.stride[axis] - before
        read = first + np.arange(kernel[axis]) * synapses.dilation[axis]
        if not ((read >= 0) & (read < source[1 + axis])).any(1).all():
            return False
    return True


def can_sweep(program: Program) -> bool:
    """Whether the program has an ONNX form that equals it.

    1. The decoder reads the membrane of a population that has one.
    2. Something reaches each population, and every source fires.
    3. Every maximum is the pooling of one source, of which each tap has a field of its own where
       it goes by fields.
    4. Lists of synapses are something simpler (`sparse_forms.simpler`).
    5. Sums stay below 2**24, which float32 holds, or are those of dense layers alone, in float64,
       or the largest messages of a sample tell that they do (`_Guard`).
    """
    forms = {p.name: p.neuron.closed_form(program.period) for p in program.populations}
    if not isinstance(forms[program.decoder.population], Quotient):
        return False
    for p in program.populations:
        arriving = program.incoming(p.name)
        if not arriving:
            return False
        for c in arriving:
            shape = program.shape_of(c.source)
            if c.source != INPUT and not program.population(c.source).neuron.fires:
                return False
            form = forms[p.name]
            if isinstance(form, Maximum) and (
                len(arriving) > 1 or not _is_max_pool(c.synapses, shape)
            ):
                return False
            if isinstance(form, FieldMaximum) and not _is_field_pool(program, p, form.digit):
                return False
            if simpler(c.synapses, shape, p.shape) is None:
                return False
    return True


def _in_double(program: Program, name: str) -> bool:
    """Whether all that reaches a population of wide sums is dense."""
    return all(isinstance(c.synapses, Dense) for c in program.incoming(name))


class _Guard:
    """Sums that float32 may not hold: of a sample they are bounded by its largest messages.

    Every partial sum is at most the sum of the weights' magnitudes times the largest message, for
    each connection, and the bias.
    """

    def __init__(self, program: Program, name: str) -> None:
        form = program.population(name).neuron.closed_form(program.period)
        assert isinstance(form, Quotient)
        self._bias = int(np.abs(form.bias).max(initial=0)) + int(np.max(form.half, initial=0))
        self.weights: dict[str, int] = {}
        for c in program.incoming(name):
            negative, positive = weight_sums(c)
            most = int((positive - negative).max(initial=0))
            self.weights[c.source] = self.weights.get(c.source, 0) + most

    def exceeded(self, largest: dict[str, np.ndarray]) -> np.ndarray:
        """Of samples (n,), from the largest magnitude that each source sent, int64 (n,)."""
        total = sum(most * largest[source] for source, most in self.weights.items())
        return np.asarray(total + self._bias >= _FLOAT_LIMIT)


def _wide(program: Program) -> set[str]:
    """Populations whose sums may reach 2**24."""
    found = set()
    for name, proof in bounds(program).items():
        form = program.population(name).neuron.closed_form(program.period)
        if isinstance(form, Quotient) and proof.membrane is not None:
            half = int(np.max(form.half, initial=0))
            if max(-proof.membrane[0], proof.membrane[1]) + half >= _FLOAT_LIMIT:
                found.add(name)
    return found


class _Graph:
    """ONNX nodes under construction."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        #: Large ones, which a protobuf would copy several times.
        self.apart: dict[str, Any] = {}

    def constant(self, values: Any) -> str:
        name = f"c{len(self.constants)}"
        values = np.ascontiguousarray(values)
        if values.size > _APART:
            self.apart[name] = ort.OrtValue.ortvalue_from_numpy(values)
            self.constants.append(named_tensor(name, values))
        else:
            self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name


class DenseSweep:
    """The program as one float32 graph of integers.

    Raises
    ------
    ProgramError
        Not `can_sweep`, or a sum that could leave 2**24.
    """

    def __init__(self, program: Program) -> None:
        check(program)
        if not can_sweep(program):
            raise ProgramError("a connection has no ONNX form")
        self.program = program
        self._outputs: list[str] = []
        self._counted = 0
        wide = _wide(program)
        self._wide = {name for name in wide if _in_double(program, name)}
        self._guards = [_Guard(program, name) for name in sorted(wide - self._wide)]
        self._limits = end_limits(program)
        # of populations that are not proved: the lowest and highest sums, what is in them besides
        self._ends: dict[str, tuple[str, str, int]] = {}
        self._doubles: set[str] = set()
        graph = _Graph()
        values = {INPUT: "x"}
        self._fired: dict[str, str] = {}
        for p in program.order:
            values[p.name] = self._population(graph, p, values)
        model = self._model(graph)
        options = ort.SessionOptions()
        if graph.apart:
            options.add_external_initializers(list(graph.apart), list(graph.apart.values()))
        options.intra_op_num_threads = 1  # samples go to threads, not parts of a layer
        options.log_severity_level = 3
        self._session = ort.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._groups: dict[str, np.ndarray] = {}
        self._fan_out: list[np.ndarray] = [np.zeros(0)] * len(program.connections)
        for name in (INPUT, *self._fired):
            self._group(name)

    @property
    def is_guarded(self) -> bool:
        """Whether samples may exceed what it computes exactly."""
        return bool(self._guards or self._limits)

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`."""
        starts = range(0, max(1, len(level)), _SAMPLES)
        return Swept.join([self._part(level[at : at + _SAMPLES], every) for at in starts])

    def _part(self, level: np.ndarray, every: bool) -> Swept:
        program, n = self.program, len(level)
        x = level.reshape(n, *program.encoder.shape).astype(np.float32)
        found = dict(zip(self._outputs, self._session.run(self._outputs, {"x": x}), strict=True))
        counts = {INPUT: self._count(INPUT, x)}
        counts |= {name: self._count(name, found[output]) for name, output in self._fired.items()}
        flat = {name: count.astype(np.float64) for name, count in counts.items()}
        spikes = {
            p.name: flat[p.name].sum(1).astype(np.int64)
            if p.name in flat
            else np.zeros(n, np.int64)
            for p in program.populations
        }
        operations = [
            (flat[c.source] @ fan_out).astype(np.int64)
            if c.source in flat
            else np.zeros(n, np.int64)
            for c, fan_out in zip(program.connections, self._fan_out, strict=True)
        ]
        membrane = found[self._membrane].reshape(n, -1).astype(np.int64) - self._half
        silent = {p.name: np.zeros((n, p.size), np.int32) for p in program.populations if every}
        fired = {
            name: found[output].reshape(n, -1).astype(np.int32)
            for name, output in self._fired.items()
            if every
        }
        exceeded = np.zeros(n, bool)
        for name, (low, high, half) in self._ends.items():
            least, most = (found[end].reshape(n) for end in (low, high))
            exceeded |= (least - half < -self._limits[name]) | (most > self._limits[name])
        sources = {source for guard in self._guards for source in guard.weights}
        sent = {s: x if s == INPUT else found[self._fired[s]] for s in sources}
        largest = {s: np.abs(m).reshape(n, -1).max(1).astype(np.int64) for s, m in sent.items()}
        for guard in self._guards:
            exceeded |= guard.exceeded(largest)
        return Swept(membrane, spikes, operations, silent | fired, exceeded)

    def _group(self, name: str) -> None:
        """See `channel_groups`."""
        self._groups[name], fan_out = channel_groups(self.program, name)
        for k, reached in fan_out.items():
            self._fan_out[k] = reached

    def _watch(self, graph: _Graph, p: Population, total: str, half: int) -> None:
        """Have the lowest and the highest sum of each sample told."""
        flat = graph.node("Flatten", [total])
        axes = graph.constant(np.array([1]))
        low, high = (
            graph.node(kind, [flat, axes], keepdims=0) for kind in ("ReduceMin", "ReduceMax")
        )
        self._ends[p.name] = low, high, half
        self._outputs += [low, high]
        if p.name in self._wide:
            self._doubles |= {low, high}

    def _count(self, name: str, fired: np.ndarray) -> np.ndarray:
        """Messages of each position over each group of channels, int32 (n, groups * positions)."""
        code = self.program.window_code(name)
        shape = self.program.shape_of(name)
        channels = shape[0] if len(shape) == 3 else 1
        values, group = fired.reshape(len(fired), channels, -1), self._groups[name]
        counts = np.zeros((len(fired), int(group.max()) + 1, values.shape[2]), np.int32)
        if isinstance(code, Digits) and code.number > 1:
            kernels.count_digits(values, group, code.digit, lowest_bits(code.digit), counts)
        elif self._counted + values.size < _FEW:
            self._counted += values.size
            active = values != 0 if isinstance(code, OneMessage) else values > 0
            np.add.at(counts.transpose(1, 0, 2), group, active.transpose(1, 0, 2))
        else:
            kernels.count_active(values, group, isinstance(code, OneMessage), counts)
        return counts.reshape(len(fired), -1)

    def _population(self, graph: _Graph, p: Population, values: dict[str, str]) -> str:
        """Nodes for one population; returns the name of the integers it fires."""
        program = self.program
        arriving = program.incoming(p.name)
        form = p.neuron.closed_form(program.period)
        if isinstance(form, Maximum | FieldMaximum):
            fired = _max_pool(graph, arriving[0], values[arriving[0].source])
        else:
            assert isinstance(form, Quotient)
            # the rounding half goes in with the bias
            half = form.half
            dtype = np.float64 if p.name in self._wide else np.float32
            bias = (form.bias.astype(np.int64) + half).astype(dtype).reshape(p.shape)
            parts = [
                _connection(graph, program, c, values[c.source], p, bias if i == 0 else None, dtype)
                for i, c in enumerate(arriving)
            ]
            total = parts[0] if len(parts) == 1 else graph.node("Sum", parts)
            if p.name in self._limits:
                self._watch(graph, p, total, int(np.max(half, initial=0)))
            if p.name == program.decoder.population:
                self._membrane, self._half = total, half
                self._outputs.append(total)
                if p.name in self._wide:
                    self._doubles.add(total)
            if not form.fires:
                return total
            fired = _quotient(graph, total, form, p.shape, dtype)
        self._fired[p.name] = fired
        self._outputs.append(fired)
        return fired

    def _model(self, graph: _Graph) -> onnx.ModelProto:
        shape: list[str | int | None] = ["n", *self.program.encoder.shape]
        made = helper.make_graph(
            graph.nodes,
            "program",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [
                helper.make_tensor_value_info(
                    o, TensorProto.DOUBLE if o in self._doubles else TensorProto.FLOAT, None
                )
                for o in self._outputs
            ],
            graph.constants,
        )
        return helper.make_model(
            made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9
        )


def _quotient(
    graph: _Graph, total: str, form: Quotient, shape: tuple[int, ...], dtype: type
) -> str:
    """``clip(floor(total / slope), low, top)``.

    Exact: for whole numbers below 2**24 the rounded quotient of floats reaches a whole number only
    where the exact one does.
    """
    slopes: np.ndarray = np.broadcast_to(np.asarray(form.slope, dtype), prod(shape)).reshape(shape)
    if (slopes == slopes.reshape(-1)[0]).all():
        # clip first: ONNX Runtime then does it inside the convolution
        slope = int(slopes.reshape(-1)[0])
        low = graph.constant(dtype(max(slope * form.low, -_FLOAT_LIMIT)))
        top = graph.constant(dtype(min(slope * (form.top + 1) - 1, _FLOAT_LIMIT)))
        level = graph.node("Clip", [total, low, top])
        level = graph.node("Floor", [graph.node("Div", [level, graph.constant(dtype(slope))])])
        return level if dtype is np.float32 else graph.node("Cast", [level], to=TensorProto.FLOAT)
    if len(shape) == 3 and (slopes == slopes[:, :1, :1]).all():
        slopes = slopes[:, :1, :1]
    level = graph.node("Div", [total, graph.constant(slopes)])
    low = graph.constant(dtype(form.low))
    level = graph.node("Floor", [graph.node("Clip", [level, low, graph.constant(dtype(form.top))])])
    return level if dtype is np.float32 else graph.node("Cast", [level], to=TensorProto.FLOAT)


def _max_pool(graph: _Graph, connection: Connection, source: str) -> str:
    synapses = connection.synapses
    assert isinstance(synapses, Convolution)
    return graph.node(
        "MaxPool",
        [source],
        kernel_shape=list(synapses.weights.shape[2:]),
        strides=list(synapses.stride),
        pads=list(synapses.padding),
        dilations=list(synapses.dilation),
    )


def _connection(
    graph: _Graph,
    program: Program,
    connection: Connection,
    source: str,
    target: Population,
    bias: np.ndarray | None,
    dtype: type,
) -> str:
    """The integer sums that a connection brings, `bias` added."""
    scale = np.float32(2**connection.exponent)
    shape = program.shape_of(connection.source)
    synapses = simpler(connection.synapses, shape, target.shape)
    assert synapses is not None  # `can_sweep`
    if isinstance(synapses, Convolution):
        weights = synapses.weights.astype(np.float32) * scale
        return _convolution(graph, synapses, weights, source, bias)
    if isinstance(synapses, Dense):
        weights = synapses.weights.astype(dtype) * dtype(scale)
        if dtype is np.float64:
            source = graph.node("Cast", [source], to=TensorProto.DOUBLE)
        return _dense(graph, synapses, weights, source, shape, target, bias)
    total = source if shape == target.shape else _reshaped(graph, source, target.shape)
    factors = synapses.astype(np.float32).reshape(target.shape) * scale
    if (factors != 1).any():
        total = graph.node("Mul", [total, graph.constant(factors)])
    return total if bias is None else graph.node("Add", [total, graph.constant(bias)])


def _pooled(weights: np.ndarray, height: int, width: int) -> int:
    """Side of the square blocks in which weights (..., height, width) repeat: 4, 2 or 1."""
    for side in (4, 2):
        if height % side == 0 and width % side == 0:
            first = weights[..., ::side, ::side]
            repeated = first.repeat(side, -2).repeat(side, -1)
            if np.array_equal(repeated, weights):
                return side
    return 1


def _average(graph: _Graph, source: str, side: int) -> str:
    """Mean over blocks; exact, for it divides by a power of two."""
    return graph.node(
        "AveragePool",
        [source],
        kernel_shape=[side, side],
        strides=[side, side],
    )


def _convolution(
    graph: _Graph,
    synapses: Convolution,
    weights: np.ndarray,
    source: str,
    bias: np.ndarray | None,
) -> str:
    stride, padding = synapses.stride, synapses.padding
    side = _pooled(weights, *weights.shape[2:]) if synapses.dilation == (1, 1) else 1
    if side > 1 and not any(n % side for n in (*stride, *padding)):
        # a kernel of repeated weights is a pooling and a small kernel: a quarter of the work
        source = _average(graph, source, side)
        weights = weights[..., ::side, ::side] * np.float32(side * side)
        stride = (stride[0] // side, stride[1] // side)
        padding = tuple(n // side for n in padding)  # type: ignore[assignment]
    inputs = [source, graph.constant(weights)]
    channel = None if bias is None else bias.reshape(bias.shape[0], -1)
    shared = channel is not None and bool((channel == channel[:, :1]).all())
    if channel is not None and shared:
        inputs.append(graph.constant(channel[:, 0]))
    total = graph.node(
        "Conv",
        inputs,
        strides=list(stride),
        pads=list(padding),
        dilations=list(synapses.dilation),
        group=synapses.groups,
    )
    if bias is None or shared:
        return total
    return graph.node("Add", [total, graph.constant(bias)])


def _dense(
    graph: _Graph,
    synapses: Dense,
    weights: np.ndarray,
    source: str,
    shape: tuple[int, ...],
    target: Population,
    bias: np.ndarray | None,
) -> str:
    if len(shape) == 3:
        maps = weights.reshape(weights.shape[0], *shape)
        side = _pooled(maps, *shape[1:]) if weights.dtype == np.float32 else 1
        if side > 1:
            source = _average(graph, source, side)
            weights = (maps[..., ::side, ::side] * weights.dtype.type(side * side)).reshape(
                weights.shape[0], -1
            )
    if len(shape) != 1:
        source = graph.node("Flatten", [source])
    inputs = [source, graph.constant(weights)]
    if bias is not None:
        inputs.append(graph.constant(bias.reshape(-1)))
    total = graph.node("Gemm", inputs, transB=1)
    return total if len(target.shape) == 1 else _reshaped(graph, total, target.shape)


def _reshaped(graph: _Graph, values: str, shape: tuple[int, ...]) -> str:
    """Samples of another shape, C order."""
    return graph.node("Reshape", [values, graph.constant(np.array([-1, *shape]))])
