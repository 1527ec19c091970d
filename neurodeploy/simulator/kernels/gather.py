"""Synaptic input gathered output by output: rows of weights summed in vector registers.

The accumulators of a few neighbouring outputs stay in registers while the weights of every
spike that reaches them are added, and are stored once. Nothing of it depends on a processor's
instruction set: LLVM splits a vector of any length into those that the machine has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from neurodeploy.simulator.kernels.lanes import load, move, spread, store
from neurodeploy.simulator.kernels.mode import either

__all__ = ["LANES", "gather", "pool_events"]

#: Lengths of a vector of accumulators that the kernel has code for.
LANES = (16, 32, 64, 128, 256)
_COPIED = 16
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
        ``out[at : at + lanes]`` becomes (`keep`: grows by) the sum, shifted left by `shift`.
    starts
        Where the entries of each position begin.
    lines
        (lines, 2): for each of the first `count` lines of positions the number of its first one,
        and what is added to an entry, with `offset`, to find its row.
    begin, end
        Positions of each line whose entries are summed.
    """
    total = np.zeros(lanes, np.int64)
    for j in range(count):
        line, base = lines[j]
        for e in range(starts[line + begin], starts[line + end]):
            row = (base + offset + int(entries[e])) * lanes
            total += table[row : row + lanes]
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
        weights = ir.VectorType(element(2), width)
        out, table, entries, starts, lines = (data(k) for k in (0, 2, 3, 4, 5))
        count, begin, end, offset, shift, keep = values[6:12]
        zero, one, two = (ir.Constant(word, k) for k in range(3))
        total = cgutils.alloca_once(builder, sums)
        builder.store(ir.Constant(sums, None), total)
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
            with cgutils.for_range_slice(builder, first, last, one) as (e, _):
                entry = builder.sext(builder.load(builder.gep(entries, [e])), word)
                row = builder.gep(base, [builder.mul(entry, ir.Constant(word, width))])
                row = builder.load(builder.bitcast(row, weights.as_pointer()), align=1)
                row = builder.sext(row, sums) if weights != sums else row
                builder.store(builder.add(builder.load(total), row), total)
                body = builder.basic_block
            # lists are short: every loop that unrolling adds is one more wrong guess
            body.terminator.set_metadata("llvm.loop", _rolled(builder.module))
        place = builder.bitcast(builder.gep(out, [values[1]]), sums.as_pointer())
        held = builder.select(keep, builder.load(place, align=1), ir.Constant(sums, None))
        shift = builder.trunc(shift, element(0))
        shift = builder.insert_element(ir.Constant(sums, ir.Undefined), shift, ir.Constant(word, 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), width), None)
        shift = builder.shuffle_vector(shift, ir.Constant(sums, ir.Undefined), mask)
        shifted = builder.shl(builder.load(total), shift)
        builder.store(builder.add(held, shifted), place, align=1)

    return signature, emit


def _rolled(module: ir.Module) -> ir.MDValue:
    """What marks a loop that is not to be unrolled."""
    loop = module.add_metadata([module.add_metadata(["llvm.loop.unroll.disable"])])
    loop.operands = (loop, *loop.operands)  # by its first operand a loop is told from others
    return loop


sum_rows = either(intrinsic(prefer_literal=True)(_emit_sum_rows), _sum_rows)


@njit(nogil=True, cache=True)
def _put(into, to, sums, at, size, keep):
    """Part of a vector of sums in its place, or (keep) added to what is there."""
    whole = 0 if keep else size - size % _MOVED
    for k in range(0, whole, _MOVED):
        move(into, to + k, sums, at + k, _MOVED)
    for k in range(whole, size):
        into[to + k] = into[to + k] + sums[at + k] if keep else sums[at + k]


@njit(nogil=True, cache=True)
def gather(block, first, index, place, table, geometry, shift, keep, scratch, lines):
    """Currents of some steps: (keep: added to) the weights of all spikes that arrive.

    Parameters
    ----------
    block
        Integers (steps, neurons), channels last.
    first
        Event step of the block's first row; steps before 0 hold no events.
    index, place
        Spikes, and where those of each position begin, int64 (event steps, positions + 1).
    table, geometry
        See `gathering.Gathered`.
    scratch, lines
        Room for one vector of the block's dtype, and int64 (kernel rows, 2).
    """
    channels, width, height = geometry[0], geometry[1], geometry[2]
    rows, row_pitch, span = geometry[3], geometry[4], geometry[5]
    stride_y, stride_x, top, left = geometry[6], geometry[7], geometry[8], geometry[9]
    out_width, out_height, outputs = geometry[10], geometry[11], geometry[12]
    tile, lanes, panels, tile_rows = geometry[13], geometry[14], geometry[15], geometry[16]
    for s in range(block.shape[0]):
        into = block[s]
        if first + s < 0:
            if not keep:
                into[:] = 0
            continue
        starts = place[first + s]
        for y in range(0, out_height, tile_rows):
            count = 0
            for j in range(rows):
                from_y = y * stride_y - top + j * row_pitch
                if 0 <= from_y < height:
                    lines[count, 0] = from_y * width
                    lines[count, 1] = (j * span - from_y * width) * channels
                    count += 1
            for x in range(0, out_width, tile):
                reach = x * stride_x - left
                # a tile of padding alone reads an empty list
                begin = min(max(reach, 0), width)
                end = max(min(reach + span, width), begin)
                wanted = min(tile, out_width - x) * outputs
                to = (y * out_width + x) * outputs
                for panel in range(panels):
                    size = max(min(lanes, wanted - panel * lanes), 0)
                    whole = size == lanes and tile_rows == 1
                    target = into if whole else scratch
                    at = to + panel * lanes if whole else 0
                    add = keep and whole
                    offset = (panel * rows * span - reach) * channels
                    if lanes == 128:
                        sum_rows(
                            target, at, table, index, starts, lines, count, begin, end, offset,
                            shift, add, 128,
                        )  # fmt: skip
                    elif lanes == 64:
                        sum_rows(
                            target, at, table, index, starts, lines, count, begin, end, offset,
                            shift, add, 64,
                        )  # fmt: skip
                    elif lanes == 256:
                        sum_rows(
                            target, at, table, index, starts, lines, count, begin, end, offset,
                            shift, add, 256,
                        )  # fmt: skip
                    elif lanes == 32:
                        sum_rows(
                            target, at, table, index, starts, lines, count, begin, end, offset,
                            shift, add, 32,
                        )  # fmt: skip
                    else:
                        sum_rows(
                            target, at, table, index, starts, lines, count, begin, end, offset,
                            shift, add, 16,
                        )  # fmt: skip
                    if not whole:
                        for r in range(min(tile_rows, out_height - y)):
                            run = to + panel * lanes + r * out_width * outputs
                            _put(into, run, scratch, r * tile * outputs, size, keep)


@njit(nogil=True, cache=True)
def pool_events(index, place, first, steps, width, channels, high, wide, out_index, out_place):
    """Events of a map whose positions are taken together in windows of `high` x `wide`.

    What a window holds becomes one position: a neuron that stands for several spikes comes as
    often. Both lists have room for `_COPIED` entries more. Returns how many events there are.
    """
    positions = place.shape[1] - 1
    height = positions // width
    count = 0
    for s in range(steps):
        starts = place[first + s]
        at = 0
        for y in range(0, height, high):
            for x in range(0, width, wide):
                out_place[s, at] = count
                for j in range(high):
                    for i in range(wide):
                        position = (y + j) * width + x + i
                        moved = spread((at - position) * channels, _COPIED)
                        e, last = starts[position], starts[position + 1]
                        # mostly all there is; what is copied beyond, the next copy mends
                        store(out_index, count, load(index, e, _COPIED) + moved)
                        for k in range(_COPIED, last - e, _COPIED):
                            store(out_index, count + k, load(index, e + k, _COPIED) + moved)
                        count += last - e
                at += 1
        out_place[s, at] = count
    return count
