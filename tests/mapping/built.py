"""Programs for the mapping tests."""

from __future__ import annotations

from math import prod

import numpy as np

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
)

#: PilotNet of lava-dl: (channels, stride (y, x), padding (y, x), bits of the recorded weights).
PILOTNET = (
    (24, (2, 2), (0, 0), 5),
    (36, (2, 2), (0, 0), 4),
    (48, (2, 2), (0, 0), 4),
    (64, (2, 1), (1, 0), 4),
    (64, (1, 1), (0, 0), 4),
)


def weights(shape, bits=8, seed=0):
    """Signed weights that need exactly `bits`, all of them even where there is room for it."""
    rng = np.random.default_rng(seed)
    half = 2 ** (bits - 1)
    made = rng.integers(-half, half, shape)
    made.flat[0] = half - 1
    made.flat[-1] = -half
    return (made if bits == 8 else made * 2).astype(np.int8)


def chain(shape, *synapses, target="loihi2", threshold=25):
    """Populations one behind the other: the input's shape, and what connects them.

    A connection that is a tuple (synapses, shape) names the shape of its population.
    """
    populations, connections, source = [], [], INPUT
    encoder = Encoder(tuple(shape), "deterministic", 2.0**-16, 0, 2**16)
    here = encoder.shape
    for k, made in enumerate(synapses):
        to = (made.output_size(here),)
        if isinstance(made, Convolution):
            to = made.output_shape(here)
        neuron = Lif(np.zeros(prod(to), np.int16), threshold)
        populations.append(Population(f"p{k}", to, neuron, k + 2))
        connections.append(Connection(source, f"p{k}", made))
        source, here = f"p{k}", to
    decoder = Decoder(source, 1.0)
    return Program(tuple(populations), tuple(connections), encoder, decoder, 4, target=target)


def dense(sources, targets, bits=8):
    return Dense(weights((targets, sources), bits))


def pilotnet(fc_bits=(3, 4, 5, 5)):
    """The network of the printouts, with weights of the recorded bits."""
    made, channels, here = [], 3, (3, 66, 200)
    for out, stride, (down, across), bits in PILOTNET:
        kernel = weights((out, channels, 3, 3), bits)
        made.append(Convolution(kernel, stride, (down, across, down, across)))
        here, channels = made[-1].output_shape(here), out
    size = prod(here)
    for out, bits in zip((100, 50, 10, 1), fc_bits, strict=True):
        made.append(dense(size, out, bits))
        size = out
    return chain((3, 66, 200), *made)


def parts_of(mapping, name):
    return [part for part in mapping.parts if part.population == name]
