"""Valid programs that no compiler makes, with samples for them.

What a user may write by hand or read from a file, and `docs/semantics.md` defines:

1. Inputs of every encoding, of one to five axes, whose samples have another shape, leave the
   range, lie between integers or are integers.
2. Populations of any kind and shape in any order: that never fire and are sources all the same,
   that nothing reaches, of one neuron, with parameters at the ends of their ranges.
3. Several connections between the same two, of any sign, into `earliest` too; synapses at -128,
   none at all, pooling that pads as much as its kernel covers or more; messages graded or not.
4. Windows of one step, phases anywhere (also before the first step), aligned or not.
5. A decoder that reads a population of any kind.
6. Sums that leave 24 bits, several times over.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Neuron,
    Population,
    Program,
    Sparse,
    Synapses,
    Ttfs,
)
from neurodeploy.program.codec import PROBABILITY_ONE, Preprocessing
from neurodeploy.testing.neurons import OUR_KINDS, neuron_of, with_fields
from neurodeploy.testing.synapses import between, chance, convolution, identity, one_of

__all__ = ["odd_program", "odd_samples"]

Shape = tuple[int, ...]
#: Neurons of a population, at most; the reference steps every one of them.
_MAX_SIZE = 48


def odd_program(rng: np.random.Generator) -> Program:
    """A program of up to five populations.

    In half of them all messages are times. A fifth of these is tidy: something reaches every
    population, every source fires and the decoder reads a `ttfs` one, as in compiled programs.
    """
    period = int(one_of(rng, 1, 2, *rng.integers(1, 14, 3)))
    timed = chance(rng, 0.5)
    tidy = timed and chance(rng, 0.2)
    encoder = _encoder(rng, period, timed)
    # an odd phase takes part in what is otherwise aligned
    aligned = tidy or chance(rng, 0.7)
    bounded = tidy or chance(rng, 0.6)
    shapes: dict[str, Shape] = {INPUT: encoder.shape}
    fires = {INPUT: 1}
    populations: list[Population] = []
    connections: list[Connection] = []
    for k in range(int(rng.integers(1, 6))):
        name = one_of(rng, f"p{k}", f"a->b{k}", f"ü {k}")
        near = _near(fires) if aligned else list(fires)
        sources = [] if not tidy and chance(rng, 0.1) else [near[-1]]
        while sources and len(sources) < 4 and chance(rng, 0.4):
            sources.append(one_of(rng, *near, sources[0]))
        shape, made = _reached(rng, [shapes[s] for s in sources], tidy)
        if chance(rng, 0.3):
            # nothing inhibits: what comes, fires
            made = [replace(m, weights=np.maximum(m.weights, -1 - m.weights)) for m in made]
        neuron = odd_neuron(rng, prod(shape), period, timed, bounded)
        if tidy and neuron.lag:
            neuron = with_fields(neuron, fires=True)
        elif tidy and not (len(made) == 1 and isinstance(made[0], Convolution)):
            neuron = Ttfs(np.zeros(prod(shape), np.int32), 3)
        phase = max((fires[s] for s in sources), default=0) + int(rng.integers(1, 4))
        if not sources:
            phase = int(rng.integers(0 if chance(rng, 0.2) else 1, 2 * period + 3))
        for source, synapses in zip(sources, made, strict=True):
            connections.append(
                Connection(
                    source,
                    name,
                    synapses,
                    exponent=int(one_of(rng, 0, *((0, rng.integers(2)) if bounded else (7, 7)))),
                    delay=phase - fires[source] if aligned else int(one_of(rng, 1, 2, 3, 62)),
                    graded=(source == INPUT and encoder.is_graded) or chance(rng, 0.3),
                )
            )
        if not aligned:
            phase = int(rng.integers(0, 3 * period + 2))
        populations.append(Population(name, shape, neuron, phase))
        shapes[name], fires[name] = shape, populations[-1].fire_phase(period)
    if chance(rng, 0.3):
        populations = [populations[i] for i in rng.permutation(len(populations))]
        connections = [connections[i] for i in rng.permutation(len(connections))]
    able = [p for p in populations if not tidy or p.neuron.lag] or populations
    read = one_of(rng, able[-1], *able).name
    return Program(
        tuple(populations),
        tuple(connections),
        encoder,
        Decoder(read, float(rng.choice([1.0, 0.25, 1e-3]))),
        period,
        one_of(rng, "rate", "ttfs"),
    )


def odd_samples(rng: np.random.Generator, program: Program) -> np.ndarray:
    """One to six samples: network input within the range, outside of it, or stored integers."""
    encoder, count = program.encoder, int(rng.integers(1, 7))
    shape = (count, *encoder.sample_shape)
    style = rng.integers(4)
    if style == 0:
        return rng.integers(0, 256, shape).astype(np.uint8)
    level = rng.integers(encoder.low, encoder.high + 1, shape).astype(np.float64)
    if style == 1:
        level += rng.choice([0, 0.5, -0.5, 0.25], shape)
    if style == 2:
        level *= rng.choice([0, 1, 1, -3, 1e6], shape)
    return (level * encoder.unit + encoder.offset).astype(rng.choice(["f4", "f8"]))


def odd_neuron(
    rng: np.random.Generator, size: int, period: int, timed: bool, bounded: bool
) -> Neuron:
    """Any kind; only those whose messages are times where all are, mild where `bounded`."""
    among = [k for k in OUR_KINDS if k.message == "time" or not timed]
    kind = one_of(rng, *among)
    extreme = not bounded and chance(rng, 0.6)
    return neuron_of(rng, kind, size, period, extreme=extreme)


def _near(fires: dict[str, int]) -> list[str]:
    """Sources that a delay of 62 steps can align with the latest, oldest first."""
    latest = max(fires.values())
    return sorted((n for n in fires if latest - fires[n] < 59), key=list(fires).index)


def _shape(rng: np.random.Generator, axes: int) -> Shape:
    shape: list[int] = []
    for _ in range(axes):
        room = _MAX_SIZE // prod(shape)
        shape.append(int(one_of(rng, 1, rng.integers(1, min(room, 7 if axes > 1 else 24) + 1))))
    return tuple(shape)


def _encoder(rng: np.random.Generator, period: int, timed: bool) -> Encoder:
    shape = _shape(rng, int(one_of(rng, 1, 2, 3, 3, 3, 4, 5)))
    sample_shape = one_of(rng, shape, shape, (prod(shape),), (1, *shape))
    more = {
        "unit": float(one_of(rng, 1.0, 0.5, 0.013)),
        "offset": float(one_of(rng, 0.0, 0.0, -1.5)),
        "preprocessing": Preprocessing(one_of(rng, 1.0, 1 / 255), (0.1,), (0.5,)),
        "seed": int(rng.integers(1000)),
        "sample_shape": sample_shape,
    }
    if timed or chance(rng, 0.15):
        return Encoder(
            shape,
            "ttfs",
            low=0,
            high=int(one_of(rng, period, period, rng.integers(0, period + 1))),
            **more,
        )
    encoding = one_of(rng, "current", "deterministic", "poisson")
    high = int(one_of(rng, 0, 1, 9, 300, 2**23 - 1))
    if encoding != "current":
        high = int(one_of(rng, 0, 1, PROBABILITY_ONE, rng.integers(PROBABILITY_ONE)))
        planes = int(one_of(rng, 0, 1, 2, 3))
        if planes and prod(shape) * (planes + 1) <= 2 * _MAX_SIZE:
            lines = (shape[0] * (planes + 1), *shape[1:])
            return Encoder(lines, encoding, low=0, high=high, bit_planes=planes, **more)
    return Encoder(
        shape, encoding, low=int(one_of(rng, 0, -1, -high)) if high else 0, high=high, **more
    )


def _reached(
    rng: np.random.Generator, sources: list[Shape], tidy: bool
) -> tuple[Shape, list[Synapses]]:
    """A population's shape, and synapses from each of the sources."""
    if not sources:
        return _shape(rng, int(rng.integers(1, 6))), []
    made: list[Synapses] = []
    if len(sources[0]) == 3 and chance(rng, 0.6):
        make = _pooling if chance(rng, 0.5) else convolution
        first = make(rng, sources[0])
        shape: Shape = first.output_shape(sources[0])
        made.append(first)
        if prod(shape) > 4 * _MAX_SIZE:
            made.clear()
    if not made:
        shape = _shape(rng, int(rng.integers(1, 6)))
        if chance(rng, 0.2):
            # as many neurons, perhaps of another shape
            shape = one_of(rng, sources[0], (prod(sources[0]),), (1, *sources[0]))
            made.append(_mild(rng, identity(rng, prod(shape))))
    left = sources[len(made) :]
    if tidy:
        sizes = [(prod(shape), prod(source)) for source in left]
        made += [Dense(rng.integers(-3, 6, size).astype(np.int8)) for size in sizes]
    else:
        made += [_between(rng, source, shape) for source in left]
    return shape, made


def _pooling(rng: np.random.Generator, source: Shape) -> Convolution:
    """Windows of ones (or of other weights), some of them perhaps wholly outside the map."""
    kernel = [int(rng.integers(1, 4)) for _ in range(2)]
    dilation = tuple(int(rng.integers(1, 3)) for _ in range(2))
    sizes = [int(n) for n in rng.integers(0, one_of(rng, 1, 2, 5), 4)]  # top, left, bottom, right
    for axis in (0, 1):
        extent = (kernel[axis] - 1) * dilation[axis] + 1
        if source[1 + axis] + sizes[axis] + sizes[axis + 2] < extent:
            sizes[axis] = extent
    weights = np.ones((source[0], 1, *kernel), np.int8)
    if chance(rng, 0.3):
        weights = rng.integers(-2, 3, weights.shape).astype(np.int8)
    return Convolution(
        weights,
        stride=(int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        padding=(sizes[0], sizes[1], sizes[2], sizes[3]),
        dilation=(dilation[0], dilation[1]),
        groups=source[0],
    )


def _between(rng: np.random.Generator, source: Shape, target: Shape) -> Synapses:
    style = rng.integers(9)
    if style == 0:
        size = prod(target)
        none = np.zeros(0, np.int32)
        return Sparse(none.astype(np.int8), none, np.zeros(size + 1, np.int64), prod(source))
    if style < 3:
        shape = prod(target), prod(source)
        if chance(rng, 0.5):
            # all that reaches a neuron at one end of the range
            rows = rng.choice(np.array([-128, 127], np.int8), (shape[0], 1))
            return Dense(np.broadcast_to(rows, shape))
        return Dense(rng.choice(np.array([-128, -1, 0, 1, 127], np.int8), shape))
    return _mild(rng, between(rng, source, target))


def _mild(rng: np.random.Generator, synapses: Synapses) -> Synapses:
    """Half of the time with weights of -2 to 2, so that thresholds and levels matter."""
    if chance(rng, 0.5):
        return synapses
    weights = rng.integers(-2, 3, synapses.weights.shape).astype(np.int8)
    if chance(rng, 0.3):
        weights = np.ones_like(weights)
    return replace(synapses, weights=weights)
