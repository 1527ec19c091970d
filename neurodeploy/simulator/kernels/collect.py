"""Spike flags to event lists, a word of them at a time and without a branch that one spike decides.

Processors with AVX-512 pack the numbers of the bits that are set: 64 at once where they pack bytes
(VBMI2), 16 at once where they pack words of 32 bits. Others take one bit after the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from neurodeploy.simulator.kernels.lanes import place_of, population_count, splat
from neurodeploy.simulator.kernels.mode import CAN_PACK_BYTES, CAN_PACK_WORDS, either
from neurodeploy.simulator.kernels.registers import WORD

__all__ = ["WIDTH", "collect", "locate"]

#: Entries written at once; an event list has room for so many more than it holds.
WIDTH = 16
_NUMBERS = ir.VectorType(ir.IntType(32), WIDTH)
_NONE, _ONE, _QUARTER = np.uint64(0), np.uint64(1), np.uint64(2**16 - 1)
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
#: Position of the single bit in a word, by the top six bits of its de Bruijn product.
_BIT = np.zeros(64, np.int64)
for _position in range(64):
    _BIT[(int(_DE_BRUIJN) << _position) % 2**64 >> 58] = _position


def _append(index: np.ndarray, count: int, spikes: np.uint64, first: int) -> int:
    """Append ``first + k`` for each bit k of 64 that is set; returns the new count.

    The `WIDTH` entries after those may be overwritten.
    """
    word = spikes
    while word != _NONE:
        lowest = word & (~word + _ONE)
        bit = _BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)]
        index[count] = first + bit
        count += 1
        word ^= lowest
    return count


def _emit_append(typing: Any, index: Any, count: Any, spikes: Any, first: Any) -> Any:
    """The same in LLVM's terms, by AVX-512's packing of vectors."""
    signature = types.intp(index, types.intp, spikes, types.intp)

    def emit(context: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> ir.Value:
        base = splat(builder, builder.trunc(values[3], _NUMBERS.element), _NUMBERS)

        def write(packed: ir.Value, at: ir.Value) -> None:
            where = values[0], at
            to, _ = place_of(context, builder, signature.args[0], where, WIDTH)
            builder.store(builder.add(packed, base), to, align=1)

        pack = _pack_bytes if CAN_PACK_BYTES else _pack_words
        pack(builder, values[2], values[1], write)
        return builder.add(values[1], builder.ctpop(values[2]))

    return signature, emit


def _pack_bytes(builder: ir.IRBuilder, word: ir.Value, count: ir.Value, write: Any) -> None:
    """All 64 at once; so many of `WIDTH` are written as there are."""
    packed = _packed(builder, ir.VectorType(ir.IntType(8), WORD), word, 0)
    found = builder.ctpop(word)
    for begin in range(0, WORD, WIDTH):
        part = ir.Constant(_NUMBERS, list(range(begin, begin + WIDTH)))
        # the first always: most words hold a few spikes
        wanted = builder.icmp_signed(">=", found, ir.Constant(found.type, begin and begin + 1))
        with builder.if_then(wanted):
            numbers = builder.shuffle_vector(packed, packed, part)
            write(
                builder.zext(numbers, part.type), builder.add(count, ir.Constant(count.type, begin))
            )


def _pack_words(builder: ir.IRBuilder, word: ir.Value, count: ir.Value, write: Any) -> None:
    """A quarter after the other."""
    for begin in range(0, WORD, WIDTH):
        quarter = builder.lshr(word, ir.Constant(word.type, begin))
        quarter = builder.trunc(quarter, ir.IntType(WIDTH))
        write(_packed(builder, _NUMBERS, quarter, begin), count)
        count = builder.add(count, builder.zext(builder.ctpop(quarter), count.type))


def _packed(builder: ir.IRBuilder, kind: ir.VectorType, chosen: ir.Value, first: int) -> ir.Value:
    """The numbers from `first` on of the bits that are set, beside one another."""
    flags = ir.VectorType(ir.IntType(1), kind.count)
    compress = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(kind, [kind, kind, flags]),
        f"llvm.x86.avx512.mask.compress.v{kind.count}i{kind.element.width}",
    )
    numbers = ir.Constant(kind, list(range(first, first + kind.count)))
    return builder.call(
        compress, [numbers, ir.Constant(kind, None), builder.bitcast(chosen, flags)]
    )


_pack = intrinsic(_emit_append) if CAN_PACK_WORDS else njit(nogil=True)(_append)
append = either(_pack, _append)


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
def collect(spikes, size, channels, index, start, place):
    """The spikes of some steps as an event list.

    Parameters
    ----------
    spikes
        uint64 (steps, words): one bit a neuron, channels last.
    size, channels
        Neurons, and how many of them make a position.
    index
        int32, the neuron of each event, with room for `WIDTH` more.
    start, place
        Where the events of each step begin, int64 (steps + 1,), and those of each position,
        int64 (steps, positions + 1).
    """
    start[0] = count = 0
    whole = channels % WIDTH == 0
    pieces, quarters = channels // WIDTH, size // WIDTH
    for s in range(spikes.shape[0]):
        row, into = spikes[s], place[s]
        # unsigned: no look for indices that count from the end
        position, piece = np.uint64(0), 0
        for k in range(row.size):
            word = row[np.uint64(k)]
            if whole:
                before, rest = count, word
                for _ in range(min(WORD // WIDTH, quarters - k * (WORD // WIDTH))):
                    if piece == 0:
                        into[position] = before
                        position += _ONE
                        piece = pieces
                    piece -= 1
                    before += population_count(rest & _QUARTER)
                    rest >>= np.uint64(WIDTH)
            count = append(index, count, word, k * WORD)
        if whole:
            into[position] = count
        start[s + 1] = count
    if not whole:
        locate(index, start, channels, place[: spikes.shape[0]])
