"""The inner loops of the engine, compiled by Numba and cached on disk.

Conventions: an event list is `index` (int32, internal neuron numbers) cut by `start`
(int64, one more than steps); a block holds the currents of a few steps, (steps, neurons);
internal neuron numbers run channels last, so that a spike adds contiguous rows.
All kernels release the interpreter lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = [
    "collect",
    "count_active",
    "count_fan_out",
    "scatter_grouped",
    "scatter_rows",
    "scatter_sparse",
    "step_earliest",
    "step_lif",
    "step_plain",
    "step_ttfs",
]

_LIMIT = np.int64(2**23 - 1)
_WRAP = np.int64(2**23)
_CHUNK = 2048
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
#: Position of the single bit in a word, by the top six bits of its de Bruijn product.
_BIT = np.zeros(64, np.int64)
for _position in range(64):
    _BIT[(int(_DE_BRUIJN) << _position) % 2**64 >> 58] = _position
RESET_ZERO, RESET_SUBTRACT, RESET_NONE = 0, 1, 2


@njit(nogil=True, cache=True)
def scatter_rows(
    block, first, index, start, value, weights, channels, position_of, y_of, x_of,
    row_count, row_to, row_from, run_to, run_from, run_length,
):  # fmt: skip
    """Add each message's weights: one contiguous run for each kernel row (see `layout`).

    `value` holds the payloads, or is empty for binary messages. `first` is the event step of
    the block's first row; steps before 0 hold no events.
    """
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            position = position_of[index[e]]  # tables: divisions would cost more than the adds
            source = weights[index[e] - position * channels]
            y = y_of[position]
            x = x_of[position]
            length = np.uint64(run_length[x])
            for j in range(row_count[y]):
                to = np.uint64(row_to[y, j] + run_to[x])
                at = np.uint64(row_from[y, j] + run_from[x])
                if graded:
                    factor = value[e]
                    for k in range(length):
                        k = np.uint64(k)
                        into[to + k] += source[at + k] * factor
                else:
                    for k in range(length):
                        k = np.uint64(k)
                        into[to + k] += source[at + k]


@njit(nogil=True, cache=True)
def scatter_grouped(
    block, first, index, start, value, weights, channels, width,
    row_count, row_to, row_from, tap_count, tap_to, tap_from, group_in, group_out,
):  # fmt: skip
    """As `scatter_rows` for a convolution in groups: one short run for each kernel tap."""
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            position = index[e] // channels
            channel = index[e] - position * channels
            source = weights[channel]
            offset = channel // group_in * group_out
            y = position // width
            x = position - y * width
            factor = value[e] if graded else np.int32(1)
            for j in range(row_count[y]):
                for i in range(tap_count[x]):
                    to = row_to[y, j] + tap_to[x, i] + offset
                    at = row_from[y, j] + tap_from[x, i]
                    for k in range(group_out):
                        into[to + k] += source[at + k] * factor


@njit(nogil=True, cache=True)
def scatter_sparse(block, first, index, start, value, weights, targets, column_starts):
    """Add each message's weights through lists of targets."""
    graded = value.size > 0
    for s in range(block.shape[0]):
        if first + s < 0:
            continue
        into = block[s]
        for e in range(start[first + s], start[first + s + 1]):
            factor = value[e] if graded else np.int32(1)
            for k in range(column_starts[index[e]], column_starts[index[e] + 1]):
                into[targets[k]] += weights[k] * factor


@njit(nogil=True, cache=True)
def step_plain(
    block, v, bias, shift, threshold, mode, v_initial, tau, fired, record, checked
):  # fmt: skip
    """Neuron updates of a block: no leak, no current memory, currents proved not to wrap.

    `block` has one row a step, or a single row for a current that is the same at every step.
    `tau` counts the steps of a window from 0, where a sample begins. `record` takes membranes if
    it has rows.
    Returns how many membranes clipped (0 without looking when not `checked`).
    """
    steps, neurons = fired.shape
    stride = 0 if block.shape[0] < steps else 1
    clipped = 0
    limit = np.int32(_LIMIT)
    for base in range(0, neurons, _CHUNK):
        size = min(_CHUNK, neurons - base)
        v_part = v[base : base + size]
        bias_part = bias[base : base + size]
        for s in range(steps):
            a = block[s * stride, base : base + size]
            out = fired[s, base : base + size]
            if tau[s] == 0:
                for i in range(size):
                    v_part[i] = v_initial
            if checked:
                for i in range(size):
                    x = v_part[i] + (np.int32(a[i]) << shift) + bias_part[i]
                    y = min(max(x, -limit), limit)
                    clipped += np.int64(x != y)
                    v_part[i] = y
            else:
                for i in range(size):
                    v_part[i] = v_part[i] + (np.int32(a[i]) << shift) + bias_part[i]
            if mode == RESET_SUBTRACT:
                for i in range(size):
                    x = v_part[i]
                    f = x > threshold
                    out[i] = f
                    v_part[i] = x - threshold if f else x
            elif mode == RESET_ZERO:
                for i in range(size):
                    x = v_part[i]
                    f = x > threshold
                    out[i] = f
                    v_part[i] = np.int32(0) if f else x
            if record.shape[0] > 0:
                for i in range(size):
                    record[s, base + i] = v_part[i]
    return clipped


@njit(nogil=True, cache=True)
def step_lif(
    block, u, v, bias, du, dv, shift, threshold, mode, v_initial, tau, fired, record,
    overflow,
):  # fmt: skip
    """Neuron updates of a block in full: decay, 24-bit wrap of u, clip of v, all counted.

    `overflow[0]` counts wraps, `overflow[1]` clips.
    """
    steps, neurons = fired.shape
    stride = 0 if block.shape[0] < steps else 1
    keep_u = np.int64(4096 - (du + 1))
    keep_v = np.int64(4096 - dv)
    for s in range(steps):
        if tau[s] == 0:
            for i in range(neurons):
                u[i] = 0
                v[i] = v_initial
        for i in range(neurons):
            x = np.int64(u[i])
            x = -((-x * keep_u) >> 12) if x < 0 else (x * keep_u) >> 12
            x += np.int64(block[s * stride, i]) << shift
            if x > _WRAP:
                x -= 2 * _WRAP
                overflow[0] += 1
            elif x <= -_WRAP:
                x += 2 * _WRAP
                overflow[0] += 1
            u[i] = x
            y = np.int64(v[i])
            y = -((-y * keep_v) >> 12) if y < 0 else (y * keep_v) >> 12
            y += x + bias[i]
            if y > _LIMIT:
                y = _LIMIT
                overflow[1] += 1
            elif y < -_LIMIT:
                y = -_LIMIT
                overflow[1] += 1
            f = mode != RESET_NONE and y > threshold
            fired[s, i] = f
            if f:
                y = y - threshold if mode == RESET_SUBTRACT else np.int64(0)
            v[i] = y
            if record.shape[0] > 0:
                record[s, i] = y


@njit(nogil=True, cache=True)
def step_ttfs(block, u, v, held, done, bias, slope, fires, tau, period, fired, record, overflow):
    """Time-to-first-spike updates of a block; `held` is what the window before added up to."""
    steps, neurons = fired.shape
    for s in range(steps):
        if tau[s] == 0:
            for i in range(neurons):
                held[i] = v[i]
                done[i] = not fires
                u[i] = 0
                v[i] = bias[i]
        level = slope * (period - tau[s]) - (slope >> 1)
        for i in range(neurons):
            x = u[i] + np.int64(block[s, i])
            if x > _WRAP:
                x -= 2 * _WRAP
                overflow[0] += 1
            elif x <= -_WRAP:
                x += 2 * _WRAP
                overflow[0] += 1
            u[i] = x
            y = v[i] + x
            if y > _LIMIT:
                y = _LIMIT
                overflow[1] += 1
            elif y < -_LIMIT:
                y = -_LIMIT
                overflow[1] += 1
            v[i] = y
            f = not done[i] and held[i] >= level
            fired[s, i] = f
            done[i] |= f
            if record.shape[0] > 0:
                record[s, i] = y


@njit(nogil=True, cache=True)
def step_earliest(block, done, tau, fired):
    """Earliest-spike updates of a block."""
    steps, neurons = fired.shape
    for s in range(steps):
        if tau[s] == 0:
            done[:] = False
        for i in range(neurons):
            f = not done[i] and block[s, i] > 0
            fired[s, i] = f
            done[i] |= f


@njit(nogil=True, cache=True)
def collect(words, index, start, first):
    """Append the spikes of a block to an event list.

    `words` holds one byte a neuron, 0 or 1, eight to a uint64: eight silent neurons are passed
    over at once, and the lowest spike of a word is found by a de Bruijn product.
    """
    count = start[first]
    for s in range(words.shape[0]):
        row = words[s]
        for j in range(row.size):
            word = row[j]
            while word != 0:
                lowest = word & (~word + np.uint64(1))
                bit = _BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)]
                index[count] = j * 8 + (bit >> 3)
                count += 1
                word ^= lowest
        start[first + s + 1] = count


@njit(nogil=True, cache=True)
def count_fan_out(index, start, steps, fan_out):
    """Synaptic operations that the events of the first `steps` steps cause."""
    total = np.int64(0)
    for e in range(start[steps]):
        total += fan_out[index[e]]
    return total


@njit(nogil=True, cache=True)
def count_active(values, counts):
    """Add up over the middle axis how many of float (n, channels, positions) are above zero."""
    for k in range(values.shape[0]):
        row = counts[k]
        for c in range(values.shape[1]):
            value = values[k, c]
            for i in range(row.size):
                row[i] += np.int32(value[i] > 0)
