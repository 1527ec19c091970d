"""Vectors of 32-bit integers in kernels: what NumPy does with short arrays, in registers.

In compiled code a vector is one value of LLVM, split into whatever registers the machine has; in
pure Python (NUMBA_DISABLE_JIT) it is a NumPy array, and the same kernel runs. Only what the
kernels use is here; vectors take + - * << and >>.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

from neurodeploy.simulator.kernels.mode import either

__all__ = [
    "above",
    "bits",
    "choose",
    "flags",
    "load",
    "move",
    "place_of",
    "population_count",
    "splat",
    "spread",
    "store",
    "store_flags",
]

_WORD = ir.IntType(32)


class _Vector(types.Type):
    """So many integers, or (`flag`) truth values."""

    def __init__(self, lanes: int, flag: bool = False) -> None:
        self.lanes, self.flag = lanes, flag
        super().__init__(name=f"{'flags' if flag else 'int32'}x{lanes}")

    @property
    def llvm(self) -> ir.VectorType:
        return ir.VectorType(ir.IntType(1) if self.flag else _WORD, self.lanes)


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: _Vector) -> None:
        super().__init__(manager, kind, kind.llvm)


def place_of(context: Any, builder: Any, kind: Any, where: Any, lanes: int) -> tuple:
    """Pointer to `lanes` elements of a flat array, `where` = (array, index), and their type."""
    array, at = where
    data = cgutils.create_struct_proxy(kind)(context, builder, array).data
    vector = ir.VectorType(context.get_value_type(kind.dtype), lanes)
    return builder.bitcast(builder.gep(data, [at]), vector.as_pointer()), vector


def splat(builder: ir.IRBuilder, value: ir.Value, vector: ir.VectorType) -> ir.Value:
    """A number in each lane of a vector of its type."""
    hole, first = ir.Constant(vector, ir.Undefined), ir.Constant(_WORD, 0)
    lanes = ir.VectorType(_WORD, vector.count)
    value = builder.insert_element(hole, value, first)
    return builder.shuffle_vector(value, hole, ir.Constant(lanes, None))


@intrinsic(prefer_literal=True)
def _load(typing: Any, array: Any, at: Any, lanes: Any) -> Any:
    kind = _Vector(lanes.literal_value)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place, vector = place_of(context, builder, signature.args[0], values[:2], kind.lanes)
        found = builder.load(place, align=1)
        narrow = vector.element.width
        if narrow == _WORD.width:
            return found
        return builder.sext(found, kind.llvm) if narrow < 32 else builder.trunc(found, kind.llvm)

    return kind(array, at, lanes), emit


@intrinsic
def _store(typing: Any, array: Any, at: Any, vector: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> None:
        lanes = signature.args[2].lanes
        place, vector = place_of(context, builder, signature.args[0], values[:2], lanes)
        narrow = vector.element.width < _WORD.width
        value = builder.trunc(values[2], vector) if narrow else values[2]
        builder.store(value, place, align=1)

    return types.void(array, at, vector), emit


@intrinsic(prefer_literal=True)
def _move(typing: Any, target: Any, to: Any, source: Any, at: Any, lanes: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> None:
        width = signature.args[4].literal_value
        begin, _ = place_of(context, builder, signature.args[2], values[2:4], width)
        end, _ = place_of(context, builder, signature.args[0], values[:2], width)
        builder.store(builder.load(begin, align=1), end, align=1)

    return types.void(target, to, source, at, lanes), emit


@intrinsic(prefer_literal=True)
def _spread(typing: Any, value: Any, lanes: Any) -> Any:
    kind = _Vector(lanes.literal_value)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        one = context.cast(builder, values[0], signature.args[0], types.int32)
        return splat(builder, one, kind.llvm)

    return kind(value, lanes), emit


@intrinsic
def _above(typing: Any, left: Any, right: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.icmp_signed(">", *values)

    return _Vector(left.lanes, flag=True)(left, right), emit


@intrinsic
def _choose(typing: Any, flags: Any, yes: Any, no: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(*values)

    return yes(flags, yes, no), emit


@intrinsic
def _bits(typing: Any, flags: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        packed = builder.bitcast(values[0], ir.IntType(signature.args[0].lanes))
        word = ir.IntType(64)
        return packed if packed.type == word else builder.zext(packed, word)

    return types.uint64(flags), emit


@intrinsic(prefer_literal=True)
def _flags(typing: Any, word: Any, lanes: Any) -> Any:
    kind = _Vector(lanes.literal_value, flag=True)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        narrow = ir.IntType(kind.lanes)
        word = values[0] if kind.lanes == 64 else builder.trunc(values[0], narrow)
        return builder.bitcast(word, kind.llvm)

    return kind(word, lanes), emit


@intrinsic
def _store_flags(typing: Any, array: Any, at: Any, word: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> None:
        place, vector = place_of(context, builder, signature.args[0], values[:2], 64)
        flags = builder.bitcast(values[2], ir.VectorType(ir.IntType(1), 64))
        builder.store(builder.zext(flags, vector), place, align=1)

    return types.void(array, at, types.uint64), emit


@intrinsic
def _population_count(typing: Any, word: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ctpop(values[0])

    return types.int64(types.uint64), emit


def _operation(name: str) -> Any:
    def typed(typing: Any, left: Any, right: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, name)(*values)

        return left(left, right), emit

    return intrinsic(typed)


def _overload(symbol: Any, name: str) -> None:
    call = _operation(name)

    @overload(symbol)
    def chosen(left, right):  # numba compares the signature with the one it returns
        vectors = isinstance(left, _Vector) and isinstance(right, _Vector)
        return (lambda left, right: call(left, right)) if vectors else None


for _symbol, _name in (
    (operator.add, "add"),
    (operator.sub, "sub"),
    (operator.mul, "mul"),
    (operator.lshift, "shl"),
    (operator.rshift, "ashr"),
):
    _overload(_symbol, _name)


def _load_array(array: np.ndarray, at: int, lanes: int) -> np.ndarray:
    """``array[at : at + lanes]`` as int32."""
    return array[at : at + lanes].astype(np.int32)


def _store_array(array: np.ndarray, at: int, vector: np.ndarray) -> None:
    array[at : at + vector.size] = vector


def _move_array(target: np.ndarray, to: int, source: np.ndarray, at: int, lanes: int) -> None:
    """Copy `lanes` elements between arrays of one dtype."""
    target[to : to + lanes] = source[at : at + lanes]


def _spread_array(value: int, lanes: int) -> np.ndarray:
    """`lanes` times the same."""
    return np.full(lanes, value, np.int32)


def _bits_of_array(flags: np.ndarray) -> np.uint64:
    """Truth values as one number, the first in the lowest bit."""
    return np.uint64(int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little"))


def _flags_of_word(word: int, lanes: int) -> np.ndarray:
    """The lowest bits of a number as truth values, the inverse of `bits`."""
    return (int(word) >> np.arange(lanes).astype(object)).astype(object) % 2 == 1


def _store_flags_of_word(array: np.ndarray, at: int, word: int) -> None:
    """Write the 64 bits of a word as elements of 0 and 1."""
    array[at : at + 64] = _flags_of_word(word, 64)


def _count_of_word(word: int) -> int:
    """How many bits are set."""
    return int(word).bit_count()


load, store = either(_load, _load_array), either(_store, _store_array)
move, spread = either(_move, _move_array), either(_spread, _spread_array)
bits, flags = either(_bits, _bits_of_array), either(_flags, _flags_of_word)
store_flags = either(_store_flags, _store_flags_of_word)
above, choose = either(_above, np.greater), either(_choose, np.where)
population_count = either(_population_count, _count_of_word)
