"""Spike flags to event lists, sixteen neurons at a time and without a branch that spikes decide."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from neurodeploy.simulator.kernels.mode import CAN_COMPRESS, either

__all__ = ["WIDTH", "collect", "locate"]

#: Neurons looked at together; an event list has room for so many entries more than it holds.
WIDTH = 16
_NONE, _ONE = np.uint64(0), np.uint64(1)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
#: Position of the single bit in a word, by the top six bits of its de Bruijn product.
_BIT = np.zeros(64, np.int64)
for _position in range(64):
    _BIT[(int(_DE_BRUIJN) << _position) % 2**64 >> 58] = _position


def _append(index: np.ndarray, count: int, spikes: int, first: int) -> int:
    """Append ``first + k`` for each bit k of 16 that is set; returns the new count.

    The `WIDTH` entries after `count` may be overwritten.
    """
    word = np.uint64(spikes)
    while word != _NONE:
        lowest = word & (~word + _ONE)
        bit = _BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)]
        index[count] = first + bit
        count += 1
        word ^= lowest
    return count


def _emit_append(typing: Any, index: Any, count: Any, spikes: Any, first: Any) -> Any:
    """The same without a branch, by AVX-512's compression of vectors."""
    signature = types.intp(index, types.intp, spikes, types.intp)

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> ir.Value:
        data = cgutils.create_struct_proxy(signature.args[0])(context, builder, values[0]).data
        word = ir.VectorType(ir.IntType(32), WIDTH)
        chosen = builder.trunc(values[2], ir.IntType(WIDTH))
        mask = builder.bitcast(chosen, ir.VectorType(ir.IntType(1), WIDTH))
        base = builder.trunc(values[3], ir.IntType(32))
        zero = ir.Constant(ir.IntType(32), 0)
        base = builder.insert_element(ir.Constant(word, ir.Undefined), base, zero)
        base = builder.shuffle_vector(
            base, ir.Constant(word, ir.Undefined), ir.Constant(word, None)
        )
        numbers = builder.add(base, ir.Constant(word, list(range(WIDTH))))
        compress = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(word, [word, word, mask.type]),
            "llvm.x86.avx512.mask.compress.v16i32",
        )
        packed = builder.call(compress, [numbers, ir.Constant(word, None), mask])
        to = builder.bitcast(builder.gep(data, [values[1]]), word.as_pointer())
        builder.store(packed, to, align=1)
        return builder.add(values[1], builder.zext(builder.ctpop(chosen), ir.IntType(64)))

    return signature, emit


append = either(intrinsic(_emit_append) if CAN_COMPRESS else njit(nogil=True)(_append), _append)


@njit(nogil=True, cache=True)
def locate(index, start, channels, place):
    """Where the events of each position begin, of lists whose events come in order."""
    for s in range(place.shape[0]):
        e = start[s]
        for position in range(place.shape[1]):
            while e < start[s + 1] and index[e] < position * channels:
                e += 1
            place[s, position] = e


@njit(nogil=True, cache=True)
def collect(spikes, size, channels, index, start, place, first):
    """Append the spikes of a block to an event list.

    Parameters
    ----------
    spikes
        uint16 (steps, at least neurons / 16): one bit a neuron, channels last.
    size, channels
        Neurons, and how many of them make a position.
    index
        int32, the neuron of each event, with room for `WIDTH` more.
    start, place
        Where the events of each step begin, int64 (steps + 1,), and those of each position,
        int64 (steps, positions + 1).
    first
        Step of the block's first row.
    """
    count = start[first]
    words = (size + WIDTH - 1) // WIDTH
    pieces = channels // WIDTH if channels % WIDTH == 0 else words
    for s in range(spikes.shape[0]):
        row = spikes[s]
        into = place[first + s]
        # unsigned: no look for indices that count from the end
        position, k = np.uint64(0), np.uint64(0)
        for _ in range(words // pieces):
            into[position] = count
            position += _ONE
            for _ in range(pieces):
                count = append(index, count, row[k], np.int64(k) * WIDTH)
                k += _ONE
        into[position] = count
        start[first + s + 1] = count
    if channels % WIDTH:
        locate(index, start[first:], channels, place[first : first + spikes.shape[0]])
