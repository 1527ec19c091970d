"""Random programs whose samples are frames of a stream: changes, skips, shifts, thresholds.

What arrives stays far inside 24 bit, so that Lava's processes, which cut nothing, do the same.
"""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Encoder,
    Population,
    Program,
    SigmaDelta,
    Synapses,
)
from neurodeploy.program.one_to_one import one_to_one
from neurodeploy.testing.synapses import between, chance, convolution, one_of, within

__all__ = ["random_stream"]

Shape = tuple[int, ...]
#: Largest magnitude of what arrives at a neuron in a step: 2 to this.
_ARRIVES = 21


def random_stream(
    rng: np.random.Generator,
    *,
    shifts: bool = True,
    threshold: int | None = None,
    refresh: int | None = None,
    frames: int | None = None,
) -> tuple[Program, np.ndarray]:
    """A program and frames for it, float32 (n, *shape), many of them near the one before.

    Parameters
    ----------
    shifts
        Whether what arrives may be divided.
    threshold, refresh
        Of all neurons, and of the program; by chance if None.
    frames
        How many; by chance if None.
    """
    shape: Shape = (int(rng.integers(1, 3)), 4, 5) if chance(rng, 0.5) else (7,)
    shapes: dict[str, Shape] = {INPUT: shape, "changes": shape}
    phases = {INPUT: 1, "changes": 2}
    entrance = SigmaDelta(_zeros(shape), _threshold(rng, threshold, 40), 0, 8, "delta")
    populations = [Population("changes", shape, entrance, 2)]
    connections = [Connection(INPUT, "changes", one_to_one(shape))]
    largest = {"changes": entrance.sends[1]}
    depth = int(rng.integers(1, 4))
    for k in range(depth + 1):
        name, last, readout = f"p{k}", populations[-1].name, k == depth
        sources = [last, *(n for n in largest if n != last and chance(rng, 0.4))]
        synapses = [_first(rng, shapes[last], readout)]
        shapes[name] = synapses[0][1]
        phase = 1 + max(phases[s] for s in sources) + int(one_of(rng, 0, 0, 1, 3))
        phases[name] = phase
        for i, source in enumerate(sources):
            made = synapses[0][0] if i == 0 else between(rng, shapes[source], shapes[name])
            room = (1 << _ARRIVES) // len(sources) // largest[source]
            made, exponent = within(rng, made, room, False)
            connections.append(Connection(source, name, made, exponent, phase - phases[source]))
        shift = int(rng.integers(6, 12)) if shifts else 0
        bias = rng.integers(-300, 300, prod(shapes[name])).astype(np.int32)
        # a sum of changes is no larger than what one frame brings, but for what shifts lose
        bits = _ARRIVES + 1 - shift
        if readout:
            neuron = SigmaDelta(bias, 1, shift, bits, "sigma")
        else:
            neuron = SigmaDelta(bias, _threshold(rng, threshold, 60), shift, bits)
        populations.append(Population(name, shapes[name], neuron, phase))
        largest[name] = neuron.sends[1]
    program = Program(
        tuple(populations),
        tuple(connections),
        Encoder(shape, "graded", 1.0, 0, 255),
        Decoder(populations[-1].name, 1.0, "spike_count"),
        1,
        refresh=int(one_of(rng, 0, 1, 2, 5)) if refresh is None else refresh,
    )
    return program, _frames(rng, shape, frames or int(rng.integers(2, 20)))


def _zeros(shape: Shape) -> np.ndarray:
    return np.zeros(prod(shape), np.int32)


def _threshold(rng: np.random.Generator, given: int | None, most: int) -> int:
    return int(one_of(rng, 1, rng.integers(2, most))) if given is None else given


def _first(rng: np.random.Generator, source: Shape, readout: bool) -> tuple[Synapses, Shape]:
    """Synapses from the population before, and the shape that they yield."""
    if len(source) == 3 and not readout and chance(rng, 0.6):
        made = convolution(rng, source)
        return made, made.output_shape(source)
    target: Shape = (int(rng.integers(1, 9)),)
    return between(rng, source, target), target


def _frames(rng: np.random.Generator, shape: Shape, count: int) -> np.ndarray:
    """Some inputs change from frame to frame, a little or anyhow."""
    frames = [rng.integers(0, 256, shape)]
    while len(frames) < count:
        moved = np.where(rng.random(shape) < 0.3, rng.integers(-30, 31, shape), 0)
        new = rng.integers(0, 256, shape) if chance(rng, 0.2) else frames[-1] + moved
        frames.append(np.clip(new, 0, 255))
    return np.stack(frames).astype(np.float32)
