"""Small programs, mappings and a slow count to compare with."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.mapping.model import Core, Mapping, Part
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
    Sparse,
)
from neurodeploy.program.neurons.lif import THRESHOLD_MAX
from neurodeploy.simulator import encoding, reference


def lif(size, *, bias=0, threshold=20, reset="zero"):
    bias = np.broadcast_to(np.asarray(bias, np.int16), (size,))
    return Lif(bias_mantissa=np.ascontiguousarray(bias), threshold=threshold, reset=reset)


def small_program(*, encoding="deterministic", seed=0, bias=0, target="loihi1", reset="zero"):
    """A convolution, a skip around it, sparse and dense synapses; 8 steps a sample."""
    rng = np.random.default_rng(seed)

    def weights(*shape):
        return rng.integers(-20, 41, shape).astype(np.int8)

    high = 2**16 if encoding != "current" else 9
    encoder = Encoder((2, 4, 5), encoding, 1.0 / high, 0, high)
    graded = encoder.is_graded
    conv = Convolution(weights(4, 1, 3, 2), stride=(2, 1), padding=(1, 0, 1, 1), groups=2)
    middle = conv.output_shape(encoder.shape)
    columns = rng.integers(0, prod(middle), 24).astype(np.int32)
    sparse = Sparse(weights(24), columns, np.arange(0, 25, 4, dtype=np.int64), prod(middle))
    populations = (
        Population("conv", middle, lif(prod(middle), bias=bias, reset=reset), 2),
        Population("mix", (6,), lif(6, threshold=30), 3),
        Population("out", (3,), lif(3, threshold=THRESHOLD_MAX), 4),
    )
    connections = (
        Connection(INPUT, "conv", conv, graded=graded),
        Connection("conv", "mix", sparse),
        Connection(INPUT, "mix", Dense(weights(6, 40)), delay=2, graded=graded),
        Connection("mix", "out", Dense(weights(3, 6))),
    )
    return Program(populations, connections, encoder, Decoder("out", 1.0), 8, target=target)


def samples(program, count=3, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.random((count, *program.encoder.shape)).astype(np.float32)
    x[rng.random(x.shape) < 0.4] = 0
    return x


def events(program, x):
    """Every message by the definition: population -> list of (sample, step, neuron)."""
    level = encoding.levels(program.encoder, x)
    found = {name: [] for name in (INPUT, *(p.name for p in program.populations))}
    for k, row in enumerate(level):
        messages = encoding.encode(program.encoder, row, program.period, k)
        # zeros behind: what is sent in the sample's own windows only
        stream = np.zeros((program.latency, messages.shape[1]), np.int32)
        stream[: program.period] = messages
        trace = reference.run(program, stream)
        found[INPUT] += [(k, int(t), int(i)) for t, i in zip(*np.nonzero(messages), strict=True)]
        for p in program.populations:
            first = p.fire_phase(program.period) - 1
            window = trace.spikes[p.name][first : first + program.period]
            found[p.name] += [(k, int(t), int(i)) for t, i in zip(*np.nonzero(window), strict=True)]
    return found


def pairs(program, connection):
    """Synapses one by one: list of (source neuron, target neuron)."""
    synapses, shape = connection.synapses, program.shape_of(connection.source)
    target = program.shape_of(connection.target)
    if isinstance(synapses, Dense):
        return [(j, i) for i in range(prod(target)) for j in range(prod(shape))]
    if isinstance(synapses, Sparse):
        rows = np.repeat(np.arange(prod(target)), np.diff(synapses.row_starts))
        return list(zip(synapses.columns.tolist(), rows.tolist(), strict=True))
    found = []
    out, per_in, height, width = synapses.weights.shape
    for o, y, x in np.ndindex(*target):
        group = o // (out // synapses.groups)
        for i, a, b in np.ndindex(per_in, height, width):
            row = y * synapses.stride[0] + a * synapses.dilation[0] - synapses.padding[0]
            column = x * synapses.stride[1] + b * synapses.dilation[1] - synapses.padding[1]
            if 0 <= row < shape[1] and 0 <= column < shape[2]:
                source = np.ravel_multi_index((group * per_in + i, row, column), shape)
                found.append((int(source), int(np.ravel_multi_index((o, y, x), target))))
    return found


def part(population, box, core):
    return Part(population, tuple(box), core, 0, 0, 0)


def core(index, x, y, chip=0):
    return Core(index, chip, x, y, (), ())


def mapped(target, parts, cores):
    return Mapping(target, tuple(parts), tuple(cores), (), "by hand")


def small_mapping(*, chip_of_last=0, with_input=True):
    """`small_program` cut along channels and rows, on five cores of a mesh."""
    parts = [
        part("conv", ((0, 2), (0, 2), (0, 5)), 1),
        part("conv", ((2, 4), (0, 1), (0, 5)), 2),
        part("conv", ((2, 4), (1, 2), (0, 5)), 3),
        part("mix", ((0, 4),), 2),
        part("mix", ((4, 6),), 4),
        part("out", ((0, 3),), 4),
    ]
    if with_input:
        parts += [
            part(INPUT, ((0, 1), (0, 4), (0, 5)), 0),
            part(INPUT, ((1, 2), (0, 4), (0, 5)), 3),
        ]
    cores = [core(0, 0, 0), core(1, 0, 0), core(2, 3, 0), core(3, 1, 2)]
    return mapped("loihi1", parts, [*cores, core(4, 4, 5, chip_of_last)])
