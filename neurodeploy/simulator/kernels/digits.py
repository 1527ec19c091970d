"""Neuron updates of the kinds that send digits, a block of steps at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodeploy.simulator.kernels.registers import LIMIT

__all__ = ["step_mask_maximum", "step_online", "step_radix"]

_MASK_BITS = 24


@njit(nogil=True, cache=True)
def _mark(words, i):
    """Set the bit of a neuron."""
    words[i >> 6] |= np.uint64(1) << np.uint64(i & 63)


@njit(nogil=True, cache=True)
def step_radix(
    block, row_of, v, held, bias, slope, digits, digit, fires, tau, fired, messages, record, slot,
    overflow,
):  # fmt: skip
    """Updates of `radix`; `held` is what is left of what the window before added up to."""
    neurons, most = v.size, np.int64((1 << digit) - 1)
    graded = messages.shape[0] > 0
    fired[:] = 0
    for s in range(fired.shape[0]):
        at = tau[s]
        if at == 0:
            for i in range(neurons):
                held[i] = v[i]
                v[i] = 0
        shift = digit if at < digits else 0
        sends = fires and at < digits
        up = digit * (digits - 1 - at) if sends else 0
        for i in range(neurons):
            y = (v[i] << shift) + np.int64(block[row_of[s], i])
            if at == digits - 1:
                y += bias[i]
            if y > LIMIT:
                y = LIMIT
                overflow[1] += 1
            elif y < -LIMIT:
                y = -LIMIT
                overflow[1] += 1
            v[i] = y
            if slot[s] >= 0:
                record[slot[s], i] = y
            sent = np.int64(0)
            if sends:
                left = held[i] + (slope[i] >> 1)
                height = slope[i] << up
                if left >= height:
                    sent = np.int64(1) if digit == 1 else min(left // height, most)
                    held[i] -= sent * height
                    _mark(fired[s], i)
            if graded:
                messages[s, i] = sent


@njit(nogil=True, cache=True)
def step_mask_maximum(block, row_of, alive, digit, tau, fired, messages):
    """Updates of `mask_maximum`."""
    neurons, ones = alive.size, np.int64((1 << digit) - 1)
    graded = messages.shape[0] > 0
    fired[:] = 0
    for s in range(fired.shape[0]):
        if tau[s] == 0:
            alive[:] = (1 << _MASK_BITS) - 1
        for i in range(neurons):
            found = np.int64(block[row_of[s], i]) & alive[i]
            largest = np.int64(0)
            if found:
                stay = np.int64(0)
                for shift in range(0, _MASK_BITS - digit + 1, digit):
                    field = (found >> shift) & ones
                    if field > largest:
                        largest = field
                        stay = np.int64(0)
                    if field == largest:
                        stay |= ones << shift
                alive[i] &= stay
            if largest:
                _mark(fired[s], i)
            if graded:
                messages[s, i] = largest


@njit(nogil=True, cache=True)
def step_online(
    block, row_of, v, count, bias, slope, bits, late, first, fires, tau, fired, messages, record,
    slot, overflow, unsettled,
):  # fmt: skip
    """Updates of `online`; `late`: steps until the first digit is sent.

    `unsettled` counts neurons whose integer, once sent, is not that of the closed form.
    """
    neurons = v.size
    graded = messages.shape[0] > 0
    fired[:] = 0
    for s in range(fired.shape[0]):
        step = tau[s] + 1
        if step == 1:
            for i in range(neurons):
                v[i] = bias[i] if first else bias[i] >> bits
                count[i] = 0
        reads = step <= bits and not first
        t = step - late
        sends = fires and t >= 1 and t <= bits
        up = bits - t if first else min(step, bits) - t
        if not sends:
            up = 0
        last = t == bits
        for i in range(neurons):
            y = v[i] + np.int64(block[row_of[s], i])
            if reads:
                y += v[i] + ((bias[i] >> (bits - step)) & 1)
            if y > LIMIT:
                y = LIMIT
                overflow[1] += 1
            elif y < -LIMIT:
                y = -LIMIT
                overflow[1] += 1
            sent = np.int64(0)
            if sends:
                height = slope[i] << up
                if last:
                    if 2 * y >= height:
                        sent = np.int64(1)
                    elif 2 * y < -height and count[i] > 0:
                        sent = np.int64(-1)
                elif 4 * y >= 3 * height:
                    sent = np.int64(1)
                elif 4 * y < -3 * height and count[i] > 0:
                    sent = np.int64(-1)
                y -= sent * height
                count[i] = 2 * count[i] + sent
                if last:
                    below = 2 * y < -height and count[i] > 0
                    above = 2 * y >= height and count[i] < (1 << bits) - 1
                    unsettled[0] += np.int64(below or above)
                if sent != 0:
                    _mark(fired[s], i)
            v[i] = y
            if slot[s] >= 0:
                record[slot[s], i] = y
            if graded:
                messages[s, i] = sent
