"""Synaptic input gathered output by output: rows of weights summed in vector registers.

The accumulators of a few neighbouring outputs stay in registers while the weights of every
spike that reaches them are added, and are stored once.
"""

from __future__ import annotations

from numba import njit

from neurodeploy.simulator.kernels.lanes import load, spread, store
from neurodeploy.simulator.kernels.sums import put_sums, sum_rows

__all__ = ["LANES", "gather", "pool_events"]

#: Lengths of a vector of accumulators that the kernel has code for.
LANES = (16, 32, 64, 128, 256)
_COPIED = 16


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
                            put_sums(into, run, scratch, r * tile * outputs, size, keep)


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
