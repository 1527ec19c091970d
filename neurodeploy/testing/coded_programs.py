"""Small random programs of the kinds that send digits, as a compiler makes them.

Aligned, with skips that wait in a synaptic delay or in a relay, maxima and a readout. The entrance
is a graded message or digits; whatever the window code, samples stream without a drain.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Literal

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Encoder,
    MaskMaximum,
    Neuron,
    Online,
    Population,
    Program,
    Radix,
    Sparse,
    Synapses,
)
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.program.neurons.mask_maximum import MASK_BITS
from neurodeploy.testing.synapses import between, chance, convolution, flat, one_of, within

__all__ = ["CODES", "Code", "random_coded_program"]

Shape = tuple[int, ...]
Code = Literal["radix", "graded", "mask_maximum", "online"]
#: `graded`: one digit of all bits, a step a window. `mask_maximum`: `radix` and `graded` programs
#: with a maximum in each.
CODES: tuple[Code, ...] = ("radix", "graded", "mask_maximum", "online")


def random_coded_program(
    rng: np.random.Generator, code: Code, *, max_depth: int = 4, networks: int = 1
) -> tuple[Program, np.ndarray]:
    """A program, and levels for some samples.

    Proved not to overflow, so that `radix` programs have a closed form.

    Parameters
    ----------
    networks
        That read the same input side by side and share nothing else; the last one is decoded.

    Returns
    -------
    (program, int32 (samples, inputs))
    """
    online = code == "online"
    graded = code == "graded" or (code == "mask_maximum" and chance(rng, 0.4))
    digit = int(rng.integers(1, 9)) if graded else int(one_of(rng, 1, 1, 1, 2, 3))
    digits = 1 if graded else int(rng.integers(1, 16 // digit // 2 + 1))
    bits, delay = digit * digits, int(rng.integers(0, 5)) if online else 0
    if online:
        digit, bits = 1, digits
    period = digits + (delay if online else int(one_of(rng, 0, 0, 0, 2)))
    shape = _input_shape(rng)
    binary = not online and digit == 1 and period == digits and chance(rng, 0.3)
    if binary:
        encoder = Encoder(shape, "radix", 1.0, 0, (1 << bits) - 1)
    else:
        low = -int(one_of(rng, 0, 0, 128))
        encoder = Encoder(shape, "graded_first" if online else "graded", 1.0, low, 255)
    largest = max(255, 1 << bits)
    shapes: dict[str, Shape] = {INPUT: shape}
    fires = {INPUT: 1}
    populations: list[Population] = []
    connections: list[Connection] = []

    def add(name: str, shape: Shape, neuron: Neuron, made: list[tuple[str, Synapses, int]]) -> None:
        # online neurons read along: what comes from further back has to wait in its synapses
        phase = 1 + max(fires[s] for s, _, _ in made)
        for s, synapses, exponent in made:
            connections.append(Connection(s, name, synapses, exponent, phase - fires[s]))
        populations.append(Population(name, shape, neuron, phase))
        shapes[name], fires[name] = shape, populations[-1].fire_phase(period)

    for _ in range(networks):
        last, depth = INPUT, int(rng.integers(1, max_depth + 1))
        first = len(populations)
        for k in range(depth):
            name, readout = f"p{first + k}", k == depth - 1
            pooled = last != INPUT and not online and not readout
            pooled = pooled and chance(rng, 0.7 if code == "mask_maximum" else 0.2)
            if pooled:
                made = _pooling(rng, shapes[last], digit)
                if made is not None:
                    target, parts = made
                    add(name, target, MaskMaximum(digit, bits), [(last, s, e) for s, e in parts])
                    last = name
                    continue
            near = [p.name for p in populations[first:] if fires[last] - fires[p.name] < 58]
            sources = [last]
            if last != INPUT:
                while len(sources) < 3 and chance(rng, 0.4):
                    sources.append(one_of(rng, *near))
            target, way = _target(rng, shapes[last])
            room = MEMBRANE_LIMIT // (4 * largest * len(sources))
            arriving = []
            for i, source in enumerate(sources):
                synapses = way if i == 0 else between(rng, shapes[source], target)
                arriving.append((source, *within(rng, synapses, room, extreme=False)))
            size = prod(target)
            slope = rng.integers(1, 2 + int(one_of(rng, 3, 300, 20000)), size).astype(np.int32)
            if chance(rng, 0.2):
                slope[:] = slope[0]
            bias = rng.integers(-3 * slope, 3 * slope + 1).astype(np.int32)
            made_of: Neuron
            if online:
                made_of = Online(bias, slope, bits, delay, first=last == INPUT, fires=not readout)
            else:
                made_of = Radix(bias, slope, bits, digit, fires=not readout)
            add(name, target, made_of, arriving)
            last = name
    program = Program(
        tuple(populations), tuple(connections), encoder, Decoder(last, 1.0), period, "radix"
    )
    level = rng.integers(encoder.low, encoder.high + 1, (int(rng.integers(1, 4)), prod(shape)))
    level[rng.random(level.shape) < 0.3] = 0
    return program, level.astype(np.int32)


def _input_shape(rng: np.random.Generator) -> Shape:
    if chance(rng, 0.3):
        return (int(rng.integers(1, 25)),)
    side = rng.integers(1, 8, 2)
    return int(rng.integers(1, 4)), int(side[0]), int(side[1])


def _target(rng: np.random.Generator, source: Shape) -> tuple[Shape, Synapses]:
    if len(source) == 3 and chance(rng, 0.65):
        made = convolution(rng, source)
        return made.output_shape(source), made
    shape: Shape = (int(rng.integers(1, 41)),)
    if chance(rng, 0.3):
        shape = (int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    return shape, flat(rng, source, prod(shape))


def _pooling(
    rng: np.random.Generator, source: Shape, digit: int
) -> tuple[Shape, list[tuple[Synapses, int]]] | None:
    """Connections that put each input of a window into a field of its own; None where none fit.

    A flat source is pooled by any list of synapses.
    """
    # a weight is at most 64 << 7
    most = min(MASK_BITS, 13 + digit) // digit
    if len(source) != 3:
        size, sources = int(rng.integers(1, 20)), prod(source)
        count = rng.integers(0, min(sources, most) + 1, size)
        starts = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        columns = rng.integers(0, sources, starts[-1]).astype(np.int32)
        field = np.concatenate([np.arange(n) for n in count]).astype(np.int64)
        parts: list[tuple[Synapses, int]] = []
        for exponent, weights in _split(1 << (digit * field)):
            parts.append((Sparse(weights, columns, starts, sources), exponent))
        return (size,), parts
    kernel = [int(rng.integers(1, min(4, n + 1))) for n in source[1:]]
    if prod(kernel) > most:
        kernel = [min(2, n) for n in source[1:]] if most >= 4 else [1, min(2, source[2])]
    if prod(kernel) > most:
        return None
    fields = 1 << (digit * rng.permutation(prod(kernel)).astype(np.int64))
    total = np.broadcast_to(fields.reshape(1, 1, *kernel), (source[0], 1, *kernel))
    pads = [int(rng.integers(0, n)) for n in kernel]
    stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
    geometry = Convolution(
        np.zeros(total.shape, np.int8),
        stride=stride,
        padding=(pads[0], pads[1], pads[0], pads[1]),
        groups=source[0],
    )
    made: list[tuple[Synapses, int]] = [
        (replace(geometry, weights=weights), exponent) for exponent, weights in _split(total)
    ]
    return geometry.output_shape(source), made


def _split(total: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Powers of two as int8 weights and an exponent of 0, and what is larger with one of 7."""
    small = np.where(total <= 64, total, 0).astype(np.int8)
    parts = [(0, small)]
    if (total > 64).any():
        parts.append((7, np.where(total > 64, total >> 7, 0).astype(np.int8)))
    return parts
