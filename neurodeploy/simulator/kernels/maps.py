"""Maps of small integers, channels last: laid out for products, divided, pooled and counted."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.lanes import move
from neurodeploy.simulator.kernels.patches import MOVED

__all__ = [
    "add_by_channel",
    "add_scaled",
    "count_by_table",
    "count_words",
    "extremes",
    "lay_out_maps",
    "pool_maps",
    "quotients",
]


@njit(nogil=True, cache=True)
def lay_out_maps(values, maps, height, run, plane, places, corner, pitch):
    """Rows of maps into padded planes, zeros around them.

    Parameters
    ----------
    values
        uint8, flat: `maps` maps of `height` rows of `run` bytes.
    plane
        uint8, flat, `places` bytes a map; rows that would not fit are left out.
    corner, pitch
        Place of the first byte, and from one row to the next.
    """
    for m in range(maps):
        done, last = m * places, (m + 1) * places
        for y in range(height):
            line = min(m * places + corner + y * pitch, last)
            plane[done:line] = 0
            size, at = min(run, last - line), (m * height + y) * run
            whole = size - size % MOVED
            for i in range(0, whole, MOVED):
                move(plane, line + i, values, at + i, MOVED)
            for i in range(whole, size):
                plane[line + i] = values[at + i]
            done = line + size
        plane[done:last] = 0


@njit(nogil=True, cache=True)
def add_scaled(total, values, factor):
    """Add values uint8 times `factor` int32, both flat; factors repeat."""
    size = factor.size
    for first in range(0, total.size, size):
        into, row = total[first : first + size], values[first : first + size]
        for i in range(size):
            into[i] += np.int32(row[i]) * factor[i]


@njit(nogil=True, cache=True)
def add_by_channel(
    total, plane, maps, places, weights, rows, columns, step_y, step_x, height, width
):
    """Add a convolution channel by channel.

    Parameters
    ----------
    total
        int32, flat: (maps, height, width, channels).
    plane
        As of `lay_out_maps`.
    weights
        int32 (kernel rows, kernel columns, channels).
    rows, columns
        Offsets in the plane of the kernel's rows and columns, int64.
    step_y, step_x
        Bytes from one output's neighbourhood to the next below, and to the right.
    """
    channels = weights.shape[2]
    to = 0
    for m in range(maps):
        for y in range(height):
            for x in range(width):
                corner = m * places + y * step_y + x * step_x
                into = total[to : to + channels]
                for j in range(rows.size):
                    for k in range(columns.size):
                        at = corner + rows[j] + columns[k]
                        row, weight = plane[at : at + channels], weights[j, k]
                        for c in range(channels):
                            into[c] += np.int32(row[c]) * weight[c]
                to += channels


@njit(nogil=True, cache=True)
def quotients(total, bias, inverse, top, out):
    """``clip(floor((total + bias) * inverse), 0, top)`` as uint8; parameters repeat."""
    size = bias.size
    zero, most = inverse.dtype.type(0), inverse.dtype.type(top)
    for first in range(0, total.size, size):
        row, into = total[first : first + size], out[first : first + size]
        for i in range(size):
            level = inverse.dtype.type(row[i] + bias[i]) * inverse[i]
            level = min(max(level, zero), most)
            into[i] = np.uint8(np.int32(level))


@njit(nogil=True, cache=True)
def extremes(total, bias, low, high):
    """Lowest and highest of ``total + bias`` of each map, int64; `bias` repeats."""
    each = total.size // low.size
    for m in range(low.size):
        least, most = np.int64(2**62), np.int64(-(2**62))
        row = total[m * each : (m + 1) * each]
        for i in range(each):
            v = np.int64(row[i]) + bias[i % bias.size]
            least, most = min(least, v), max(most, v)
        low[m], high[m] = least, most


@njit(nogil=True, cache=True)
def pool_maps(values, shape, kernel, stride, corner, dilation, out_shape, out):
    """The largest of each window; beyond the border there is nothing.

    `shape`: (maps, height, width, channels); `corner`: rows above and columns left of the map that
    the first window begins at; `out_shape`: (height, width).
    """
    maps, height, width, channels = shape
    out[:] = 0
    to = 0
    for m in range(maps):
        for oy in range(out_shape[0]):
            for ox in range(out_shape[1]):
                into = out[to : to + channels]
                for j in range(kernel[0]):
                    y = oy * stride[0] - corner[0] + j * dilation[0]
                    if y < 0 or y >= height:
                        continue
                    for k in range(kernel[1]):
                        x = ox * stride[1] - corner[1] + k * dilation[1]
                        if x < 0 or x >= width:
                            continue
                        at = ((m * height + y) * width + x) * channels
                        row = values[at : at + channels]
                        for c in range(channels):
                            into[c] = max(into[c], row[c])
                to += channels


@njit(nogil=True, cache=True)
def count_words(words, digit, lowest, fan_out, spikes, operations):
    """Messages of maps, and the synaptic operations that they cause.

    Parameters
    ----------
    words
        uint64 (n, positions, words): bytes of integers, whose digits that are not 0 are sent.
    digit, lowest
        Bits of one, and the lowest bit of each digit of each byte: uint64 (groups, words), 0 for
        the channels that are not in a group.
    fan_out
        int64 (connections, groups, positions): neurons that a message reaches.
    spikes, operations
        int64 (n,) and (n, connections), written.
    """
    for m in range(words.shape[0]):
        spikes[m] = 0
        operations[m] = 0
        for p in range(words.shape[1]):
            for g in range(lowest.shape[0]):
                total = np.uint64(0)
                for k in range(words.shape[2]):
                    x = words[m, p, k]
                    y = x
                    for b in range(1, digit):
                        y |= x >> np.uint64(b)
                    y &= lowest[g, k]
                    y -= (y >> np.uint64(1)) & np.uint64(0x5555555555555555)
                    y = (y & np.uint64(0x3333333333333333)) + (
                        (y >> np.uint64(2)) & np.uint64(0x3333333333333333)
                    )
                    y = (y + (y >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
                    total += (y * np.uint64(0x0101010101010101)) >> np.uint64(56)
                sent = np.int64(total)
                spikes[m] += sent
                for c in range(fan_out.shape[0]):
                    operations[m, c] += sent * fan_out[c, g, p]


@njit(nogil=True, cache=True)
def count_by_table(values, group, table, fan_out, spikes, operations):
    """As `count_words` of bytes (n, positions, channels), with messages looked up in a table.

    `group`: of each channel, int64.
    """
    sent = np.zeros(fan_out.shape[1], np.int64)
    for m in range(values.shape[0]):
        spikes[m] = 0
        operations[m] = 0
        for p in range(values.shape[1]):
            row = values[m, p]
            sent[:] = 0
            for i in range(row.size):
                sent[group[i]] += table[row[i]]
            for g in range(sent.size):
                spikes[m] += sent[g]
                for c in range(fan_out.shape[0]):
                    operations[m, c] += sent[g] * fan_out[c, g, p]
