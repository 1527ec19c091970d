"""Activations of a few levels, written out: clip, scale, shift, round, scale back.

Exporters write ``A * clip(floor(a * x + b), low, high) + B`` in many ways: the clip before or
behind the rounding, Floor with a shift of 1/2, Round, a cast to integers, with the
straight-through form ``clip + (rounded - clip)`` around it. All of them are brought into that one
form here, value by value; what serves only such a form is not imported node by node.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

import numpy as np
import onnx_ir as ir

__all__ = ["Staircase", "Staircases", "find_staircases"]

_ROUNDING = frozenset({"Floor", "Round", "Ceil", "Cast"})
#: Nodes from the base of a form; constants with more values than this are no channel's.
_MAX_DEPTH, _MAX_VALUES = 64, 65536
#: A window is not longer.
_MAX_LEVELS = 65536
_FLOATS = frozenset({ir.DataType.FLOAT, ir.DataType.DOUBLE, ir.DataType.FLOAT16})
_INTEGERS = frozenset({ir.DataType.INT32, ir.DataType.INT64, ir.DataType.UINT8, ir.DataType.INT8})
_INFINITE = np.full((), np.inf)
_ONE, _ZERO = np.ones(()), np.zeros(())


@dataclass(frozen=True, eq=False)
class Staircase:
    """``scale * f(a * x + b) + shift`` of a base value x, element by element.

    Attributes
    ----------
    kind
        f is ``line``: the identity; ``clip``: ``clip(., low, high)``; ``stairs``:
        ``clip(floor(.), low, high)``.
    a, b, low, high, scale, shift
        float64, in shapes that broadcast against the value in ONNX (batch axis first).
    depth
        Nodes from the base.
    """

    base: ir.Value
    kind: Literal["line", "clip", "stairs"] = "line"
    a: np.ndarray = field(default_factory=lambda: _ONE)
    b: np.ndarray = field(default_factory=lambda: _ZERO)
    low: np.ndarray = field(default_factory=lambda: -_INFINITE)
    high: np.ndarray = field(default_factory=lambda: _INFINITE)
    scale: np.ndarray = field(default_factory=lambda: _ONE)
    shift: np.ndarray = field(default_factory=lambda: _ZERO)
    depth: int = 0

    @property
    def levels(self) -> int | None:
        """Steps of the staircase: L above its lowest value; None where it is none."""
        if self.kind != "stairs":
            return None
        count = np.unique(self.high - self.low)
        if count.size != 1 or not 1 <= count[0] <= _MAX_LEVELS:
            return None
        return int(count[0])

    def scaled(self, factor: np.ndarray, offset: np.ndarray) -> Staircase | None:
        """``factor * value + offset``."""
        if not (np.isfinite(factor).all() and np.isfinite(offset).all() and (factor != 0).all()):
            return None
        if self.kind == "line":
            return replace(self, a=self.a * factor, b=self.b * factor + offset)
        return replace(self, scale=self.scale * factor, shift=self.shift * factor + offset)

    def limited(self, low: np.ndarray, high: np.ndarray) -> Staircase | None:
        """``min(max(value, low), high)``; of a staircase only at one of its steps."""
        if (low > high).any():
            return None
        if self.kind == "line":
            return replace(self, kind="clip", low=low, high=high)
        ends = (low - self.shift) / self.scale, (high - self.shift) / self.scale
        low, high = np.minimum(*ends), np.maximum(*ends)
        if self.kind == "stairs":
            if not (_whole(low) and _whole(high)):
                return None
            low, high = np.rint(low), np.rint(high)
        within = np.clip(self.low, low, high), np.clip(self.high, low, high)
        return replace(self, low=within[0], high=within[1])

    def rounded(self, how: str) -> Staircase | None:
        """The value rounded: down, to the nearest, up. A tie may go the other way."""
        add = {"Floor": 0.0, "Round": 0.5, "Ceil": 1.0}[how]
        if self.kind == "stairs":
            if not _whole(self.shift) or (self.scale != 1).any():
                return None
            return replace(self, shift=np.rint(self.shift))
        a, b = self.a * self.scale, self.b * self.scale + self.shift
        ends = self.low * self.scale + self.shift, self.high * self.scale + self.shift
        # rounding rises with its argument, so it commutes with the clip
        to = {"Floor": np.floor, "Round": np.rint, "Ceil": np.ceil}[how]
        low, high = (to(_cleared(end)) for end in (np.minimum(*ends), np.maximum(*ends)))
        return Staircase(self.base, "stairs", a, b + add, low, high, depth=self.depth)

    def same(self, other: Staircase) -> bool:
        """Whether both are one function of one value."""
        mine = (self.a, self.b, self.low, self.high, self.scale, self.shift)
        theirs = (other.a, other.b, other.low, other.high, other.scale, other.shift)
        return (self.base, self.kind) == (other.base, other.kind) and all(
            np.shape(p) == np.shape(q) and np.array_equal(p, q)
            for p, q in zip(mine, theirs, strict=True)
        )


def _cleared(x: np.ndarray) -> np.ndarray:
    """Without what float32 constants leave beside a whole number."""
    near = np.rint(x)
    with np.errstate(invalid="ignore"):
        close = np.isfinite(x) & (np.abs(x - near) <= 1e-6 * np.maximum(1, np.abs(x)))
    return np.where(close, near, x)


def _whole(x: np.ndarray) -> bool:
    known = x[np.isfinite(x)]
    return bool((np.abs(known - np.rint(known)) <= 1e-5 * np.maximum(1, np.abs(known))).all())


@dataclass(frozen=True, eq=False)
class Staircases:
    """Where a graph's activations of a few levels are.

    Attributes
    ----------
    ends
        The node that makes each one's result.
    inner
        Nodes that serve nothing else, with the name of an end.
    """

    ends: dict[ir.Node, Staircase]
    inner: dict[ir.Node, str]


def find_staircases(
    exit_value: ir.Value, needed: Iterable[ir.Node], keep: Iterable[ir.Node]
) -> Staircases:
    """The staircases that a value depends on, each as far along as it goes.

    1. Clip (or Relu, Max, Min with constants) before or behind the rounding.
    2. Floor, Round, Ceil, and a cast to integers of what is never negative.
    3. Constants that are one number or one a channel, in any place.
    4. The straight-through form: ``x + (y - x)``, whichever way round, is y.
    5. Left alone: steps without an upper or a lower end; clips that end between two steps; numbers
       of levels that differ between channels. The nodes of these are imported one by one.

    Parameters
    ----------
    needed
        Nodes that the value depends on.
    keep
        Nodes that are not touched.
    """
    needed, kept = dict.fromkeys(needed), set(keep)
    if not any(node.op_type in _ROUNDING for node in needed):
        return Staircases({}, {})
    forms = _Forms(kept)
    ends: dict[ir.Node, Staircase] = {}
    visited: set[ir.Node] = set()
    stack: list[ir.Value | None] = [exit_value]
    while stack:
        value = stack.pop()
        node = None if value is None else value.producer()
        if value is None or node is None or node in visited:
            continue
        visited.add(node)
        form = None if node in kept or len(node.outputs) != 1 else forms.of(value)
        if form is not None and form.levels is not None and value.dtype in _FLOATS:
            ends[node] = form
            stack.append(form.base)
            continue
        stack.extend(node.inputs)
        for attribute in node.attributes.values():
            if attribute.type == ir.AttributeType.GRAPH and not attribute.is_ref():
                stack.extend(v for inner in attribute.as_graph().all_nodes() for v in inner.inputs)
    if not ends:
        return Staircases({}, {})
    names = ", ".join(node.name or node.op_type for node in ends)
    inner: dict[ir.Node, str] = {}
    reader = {}
    for end in ends:  # which end an inner node leads to: seen from the end
        stack = list(end.inputs)
        while stack:
            value = stack.pop()
            node = None if value is None else value.producer()
            if node is not None and node in needed and node not in visited and node not in reader:
                reader[node] = end.name or end.op_type
                stack.extend(node.inputs)
    for node in needed:
        if node not in visited:
            inner[node] = reader.get(node, names)
    return Staircases(ends, inner)


class _Forms:
    """The form of each value, computed once."""

    def __init__(self, kept: set[ir.Node]) -> None:
        self._kept = kept
        self._known: dict[ir.Value, Staircase] = {}

    def of(self, value: ir.Value) -> Staircase:
        """Its form; the value itself as a line where nothing better is known."""
        todo = [value]
        while todo:  # without recursion: graphs may be deep
            last = todo[-1]
            if last in self._known:
                todo.pop()
                continue
            node = last.producer()
            if node is None or node in self._kept or node.domain not in ("", "ai.onnx"):
                self._known[last] = Staircase(last)
                continue
            open_ = [
                v
                for v in node.inputs
                if v is not None and v.const_value is None and v not in self._known
            ]
            if open_ and node.op_type in _KINDS:
                todo.extend(open_)
                continue
            form = self._made(node) if node.op_type in _KINDS else None
            if form is None or form.depth >= _MAX_DEPTH:
                form = Staircase(last)
            self._known[last] = form
        return self._known[value]

    def _made(self, node: ir.Node) -> Staircase | None:
        values = list(node.inputs)
        if not values or any(v is None and node.op_type != "Clip" for v in values):
            return None
        signals = [v for v in values if v is not None and v.const_value is None]
        with np.errstate(all="ignore"):
            if len(signals) == 2 and len(values) == 2:
                return self._straight_through(node, *signals)
            if len(signals) != 1:
                return None
            x = self._known[signals[0]]
            form = _KINDS[node.op_type](node, x, values)
        if form is None:
            return None
        parts = (form.a, form.b, form.low, form.high, form.scale, form.shift)
        if (
            not _fits(parts, form.base)
            or np.isnan(np.concatenate([p.ravel() for p in parts])).any()
        ):
            return None
        return replace(form, depth=x.depth + 1)

    def _straight_through(self, node: ir.Node, u: ir.Value, v: ir.Value) -> Staircase | None:
        """``u + (y - u)``, ``(y - v) + v``, ``u - (u - y)``: y."""
        pairs = [(u, v), (v, u)] if node.op_type == "Add" else [(u, v)]
        for x, difference in pairs if node.op_type in ("Add", "Sub") else ():
            inner = difference.producer()
            if inner is None or inner.op_type != "Sub" or len(inner.inputs) != 2:
                continue
            first, second = inner.inputs
            if first is None or second is None:
                continue
            gone, y = (second, first) if node.op_type == "Add" else (first, second)
            if y not in self._known or gone not in self._known:
                continue
            if (gone is x or self._known[gone].same(self._known[x])) and y.dtype in _FLOATS:
                found = self._known[y]
                return replace(found, depth=found.depth + 1)
        return None


def _fits(parts: Iterable[np.ndarray], base: ir.Value) -> bool:
    """Whether constants meet the base without enlarging it."""
    shape = [d if isinstance(d, int) else None for d in base.shape or ()]
    if None in shape or base.shape is None:
        return False
    try:
        return all(
            p.size <= _MAX_VALUES
            and tuple(np.broadcast_shapes(p.shape, tuple(shape))) == tuple(shape)  # type: ignore[arg-type]
            for p in parts
        )
    except ValueError:
        return False


def _number(value: ir.Value | None, empty: float | None = None) -> np.ndarray | None:
    """A constant's values, if they are few; `empty` where there is none."""
    if value is None or value.const_value is None:
        return None if empty is None else np.full((), empty)
    tensor = value.const_value
    if prod(int(n) for n in tensor.shape if isinstance(n, int)) > _MAX_VALUES:
        return None
    numbers = np.asarray(tensor.numpy())
    return numbers.astype(np.float64) if numbers.dtype.kind in "fiu" else None


def _arithmetic(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    first = values[0] is not None and values[0].const_value is None
    constant = _number(values[1 if first else 0]) if len(values) == 2 else None
    if constant is None:
        return None
    if node.op_type == "Add":
        return x.scaled(_ONE, constant)
    if node.op_type == "Sub":
        return x.scaled(_ONE, -constant) if first else x.scaled(-_ONE, constant)
    if node.op_type == "Mul":
        return x.scaled(constant, _ZERO)
    return x.scaled(1 / constant, _ZERO) if first else None


def _negated(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    return x.scaled(-_ONE, _ZERO)


def _kept_as_is(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    return x


def _extremum(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    found = [_number(v) for v in values if v is not None and v.const_value is not None]
    if len(values) != 2 or len(found) != 1 or found[0] is None:
        return None
    high = node.op_type == "Min"
    return x.limited(-_INFINITE, found[0]) if high else x.limited(found[0], _INFINITE)


def _clipped(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    ends = []
    for index, (name, default) in enumerate((("min", -np.inf), ("max", np.inf)), start=1):
        value = values[index] if index < len(values) else None
        attribute = node.attributes.get(name)
        if attribute is not None and attribute.type == ir.AttributeType.FLOAT:
            ends.append(np.full((), float(attribute.as_float())))
        elif value is not None and value.const_value is None:
            return None
        else:
            number = _number(value, default)
            if number is None or number.size != 1:
                return None
            ends.append(number.reshape(()))
    return x.limited(*ends)


def _relu(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    return x.limited(_ZERO, _INFINITE)


def _rounded(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    return x.rounded(node.op_type)


def _cast(node: ir.Node, x: Staircase, values: list[ir.Value | None]) -> Staircase | None:
    """To integers: down, if it is never negative; back to floats: nothing."""
    source = values[0].dtype if values[0] is not None else None
    target = node.outputs[0].dtype
    if target in _FLOATS and (source in _FLOATS or (source in _INTEGERS and x.kind == "stairs")):
        return x
    if source not in _FLOATS or target not in _INTEGERS or x.kind == "line":
        return None
    ends = x.low * x.scale + x.shift, x.high * x.scale + x.shift
    if not (np.minimum(*ends) >= 0).all() or not np.isfinite(np.maximum(*ends)).all():
        return None
    info = np.iinfo(target.numpy())  # type: ignore[union-attr]
    return x.rounded("Floor") if (np.maximum(*ends) <= info.max).all() else None


_KINDS = {
    "Add": _arithmetic,
    "Cast": _cast,
    "Ceil": _rounded,
    "Clip": _clipped,
    "Div": _arithmetic,
    "Floor": _rounded,
    "Identity": _kept_as_is,
    "Max": _extremum,
    "Min": _extremum,
    "Mul": _arithmetic,
    "Neg": _negated,
    "Relu": _relu,
    "Round": _rounded,
    "Sub": _arithmetic,
}
