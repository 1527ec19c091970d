"""Sums of rows of weights: in vector registers, or in memory.

Nothing of it depends on a processor's instruction set: LLVM splits a vector of any length into
those that the machine has. Pairs of weights are read as words of a little-endian machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from neurodeploy.simulator.kernels.lanes import move, place_of, splat
from neurodeploy.simulator.kernels.mode import either

__all__ = ["PAIRED_BIAS", "add_row", "put_sums", "sum_rows"]

#: Added to the lower weight of a pair, which is kept as an unsigned byte.
PAIRED_BIAS = 128
_BYTE = 8
_MOVED = 32


def _sum_rows(
    out: np.ndarray,
    at: int,
    table: np.ndarray,
    entries: np.ndarray,
    starts: np.ndarray,
    lines: np.ndarray,
    count: int,
    begin: int,
    end: int,
    offset: int,
    shift: int,
    keep: bool,
    lanes: int,
) -> None:
    """Sum rows of a table, each `lanes` weights, chosen by lists of entries.

    Parameters
    ----------
    out
        ``out[at : at + lanes]`` becomes (`keep`: grows by) the sum, shifted left by `shift`. Where
        it is int16, sums are taken modulo 2**16.
    table
        int8, flat, a row after the other. For int32 sums a row holds its weights in order. For
        int16 sums it holds pairs of weights half a row apart, the one of the first half (plus
        `PAIRED_BIAS`, unsigned) before the one of the second: as words of 16 bits they are added
        two at a time, with nothing but the upper ones taken apart.
    starts
        Where the entries of each position begin.
    lines
        (lines, 2): for each of the first `count` lines of positions the number of its first one,
        and what is added to an entry, with `offset`, to find its row.
    begin, end
        Positions of each line whose entries are summed.
    """
    paired = out.dtype == np.int16
    total = np.zeros(lanes, np.int64)
    for j in range(count):
        line, base = lines[j]
        for e in range(starts[line + begin], starts[line + end]):
            row = (base + offset + int(entries[e])) * lanes
            weights = table[row : row + lanes]
            if paired:
                total[: lanes // 2] += weights[::2].view(np.uint8).astype(np.int64) - PAIRED_BIAS
                total[lanes // 2 :] += weights[1::2]
            else:
                total += weights
    held = out[at : at + lanes].astype(np.int64) if keep else 0
    out[at : at + lanes] = held + (total << int(shift))


def _emit_sum_rows(
    typing: Any, out: Any, at: Any, table: Any, entries: Any, starts: Any, lines: Any, count: Any,
    begin: Any, end: Any, offset: Any, shift: Any, keep: Any, lanes: Any,
) -> Any:  # fmt: skip
    """The same in LLVM's terms; `lanes` is known when the kernel is compiled."""
    signature = types.void(
        out, at, table, entries, starts, lines, count, begin, end, offset, shift, keep, lanes
    )
    width = lanes.literal_value

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> None:
        def data(k: int) -> ir.Value:
            proxy = cgutils.create_struct_proxy(signature.args[k])
            return proxy(context, builder, values[k]).data

        def element(k: int) -> ir.Type:
            return context.get_value_type(signature.args[k].dtype)

        word = ir.IntType(64)
        sums = ir.VectorType(element(0), width)
        summed = _Pairs(builder, width) if element(0).width == 16 else _Single(builder, sums)
        out, table, entries, starts, lines = (data(k) for k in (0, 2, 3, 4, 5))
        count, begin, end, offset, shift, keep = values[6:12]
        zero, one, two = (ir.Constant(word, k) for k in range(3))
        with cgutils.for_range_slice(builder, zero, count, one) as (j, _):
            place = builder.mul(j, two)
            line = builder.load(builder.gep(lines, [place]))
            base = builder.load(builder.gep(lines, [builder.add(place, one)]))
            base = builder.mul(builder.add(base, offset), ir.Constant(word, width))
            base = builder.gep(table, [base])
            first, last = (
                builder.load(builder.gep(starts, [builder.add(line, edge)]))
                for edge in (begin, end)
            )
            summed.expect(builder.sub(last, first))
            with cgutils.for_range_slice(builder, first, last, one) as (e, _):
                entry = builder.sext(builder.load(builder.gep(entries, [e])), word)
                summed.add(builder.gep(base, [builder.mul(entry, ir.Constant(word, width))]))
                body = builder.basic_block
            # lists are short: every loop that unrolling adds is one more wrong guess
            body.terminator.set_metadata("llvm.loop", _rolled(builder.module))
        place = builder.bitcast(builder.gep(out, [values[1]]), sums.as_pointer())
        held = builder.select(keep, builder.load(place, align=1), ir.Constant(sums, None))
        shift = splat(builder, builder.trunc(shift, sums.element), sums)
        shifted = builder.shl(summed.total(), shift)
        builder.store(builder.add(held, shifted), place, align=1)

    return signature, emit


class _Single:
    """Sums as wide as their type, each weight widened before it is added."""

    def __init__(self, builder: ir.IRBuilder, sums: ir.VectorType) -> None:
        self._builder, self._sums = builder, sums
        self._weights = ir.VectorType(ir.IntType(_BYTE), sums.count)
        self._total = _zeroed(builder, sums)

    def expect(self, events: ir.Value) -> None:
        """So many rows more."""

    def add(self, row: ir.Value) -> None:
        builder = self._builder
        weights = builder.load(builder.bitcast(row, self._weights.as_pointer()), align=1)
        _grow(builder, self._total, builder.sext(weights, self._sums))

    def total(self) -> ir.Value:
        return self._builder.load(self._total)


class _Pairs:
    """Sums of 16 bits of weights in pairs, modulo 2**16.

    A word is ``256 * upper + (lower + PAIRED_BIAS)``. The sum of words and, by an arithmetic shift,
    that of the upper weights are kept; the rest follows at the end.
    """

    def __init__(self, builder: ir.IRBuilder, width: int) -> None:
        self._builder = builder
        self._words = ir.VectorType(ir.IntType(16), width // 2)
        self._sum, self._upper = _zeroed(builder, self._words), _zeroed(builder, self._words)
        self._events = _zeroed(builder, ir.IntType(64))

    def expect(self, events: ir.Value) -> None:
        """So many rows more."""
        _grow(self._builder, self._events, events)

    def add(self, row: ir.Value) -> None:
        builder = self._builder
        pairs = builder.load(builder.bitcast(row, self._words.as_pointer()), align=1)
        _grow(builder, self._sum, pairs)
        _grow(builder, self._upper, builder.ashr(pairs, _constant(self._words, _BYTE)))

    def total(self) -> ir.Value:
        builder, words = self._builder, self._words
        upper, events = builder.load(self._upper), builder.load(self._events)
        bias = builder.mul(events, ir.Constant(events.type, PAIRED_BIAS))
        lower = builder.sub(builder.load(self._sum), builder.shl(upper, _constant(words, _BYTE)))
        lower = builder.sub(lower, splat(builder, builder.trunc(bias, words.element), words))
        both = list(range(2 * words.count))
        joined = ir.VectorType(ir.IntType(32), len(both))
        return builder.shuffle_vector(lower, upper, ir.Constant(joined, both))


def _zeroed(builder: ir.IRBuilder, kind: ir.Type) -> ir.Value:
    """A variable that is 0 at first; LLVM keeps it in registers."""
    variable = cgutils.alloca_once(builder, kind)
    builder.store(ir.Constant(kind, None), variable)
    return variable


def _grow(builder: ir.IRBuilder, variable: ir.Value, by: ir.Value) -> None:
    builder.store(builder.add(builder.load(variable), by), variable)


def _constant(vector: ir.VectorType, value: int) -> ir.Constant:
    """The same number in each lane."""
    return ir.Constant(vector, [value] * vector.count)


def _rolled(module: ir.Module) -> ir.MDValue:
    """What marks a loop that is not to be unrolled."""
    loop = module.add_metadata([module.add_metadata(["llvm.loop.unroll.disable"])])
    loop.operands = (loop, *loop.operands)  # by its first operand a loop is told from others
    return loop


sum_rows = either(intrinsic(prefer_literal=True)(_emit_sum_rows), _sum_rows)


def _add_row(out: np.ndarray, at: int, table: np.ndarray, row: int, lanes: int) -> None:
    """Add `lanes` weights from `row` on to the sums from `at` on, of one dtype, modulo its size."""
    out[at : at + lanes] += table[row : row + lanes]


def _emit_add_row(typing: Any, out: Any, at: Any, table: Any, row: Any, lanes: Any) -> Any:
    """The same in LLVM's terms; `lanes` is known when the kernel is compiled."""

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> None:
        def vector(k: int) -> ir.Value:
            where = values[k : k + 2]
            return place_of(context, builder, signature.args[k], where, lanes.literal_value)[0]

        sums, weights = vector(0), vector(2)
        total = builder.add(builder.load(sums, align=1), builder.load(weights, align=1))
        builder.store(total, sums, align=1)

    return types.void(out, at, table, row, lanes), emit


add_row = either(intrinsic(prefer_literal=True)(_emit_add_row), _add_row)


@njit(nogil=True)
def put_sums(into, to, sums, at, size, keep):
    """Some sums in their place, or (keep) added to what is there."""
    whole = 0 if keep else size - size % _MOVED
    for k in range(0, whole, _MOVED):
        move(into, to + k, sums, at + k, _MOVED)
    for k in range(whole, size):
        into[to + k] = into[to + k] + sums[at + k] if keep else sums[at + k]
