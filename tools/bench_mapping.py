"""Map a large synthetic network and say what it takes.

    python tools/bench_mapping.py --neurons 1000000 --synapses 100000000

The network is made of convolutions in stages as an image classifier has them, with dense layers
behind, sized to reach the numbers asked for. Only the mapping is timed.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from neurodeploy.mapping import map_program
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


def network(neurons: int, synapses: int) -> Program:
    """Convolutions of 3 x 3 in four stages, two dense layers; at least as large as asked for."""
    rng = np.random.default_rng(0)
    side = 64
    encoder = Encoder((3, side, side), "deterministic", 2.0**-16, 0, 2**16)
    populations: list[Population] = []
    connections: list[Connection] = []
    shape: tuple[int, ...] = encoder.shape
    source = INPUT
    count = 0

    def add(to: tuple[int, ...], made: Convolution | Dense) -> None:
        nonlocal shape, source, count
        name = f"p{len(populations)}"
        size = int(np.prod(to))
        populations.append(Population(name, to, Lif(np.zeros(size, np.int16), 100), 1))
        connections.append(Connection(source, name, made))
        count += int(made.fan_out(shape).sum())
        source, shape = name, to

    def convolve(channels: int, stride: int) -> None:
        weights = rng.integers(-127, 128, (channels, shape[0], 3, 3)).astype(np.int8)
        made = Convolution(weights, (stride, stride), (1, 1, 1, 1))
        add(made.output_shape(shape), made)

    convolve(16, 1)
    while sum(p.size for p in populations) < neurons * 0.98:
        # narrow maps give neurons, few synapses
        deeper = count < synapses * 0.5
        convolve(16 if deeper else 4, 1)
    while shape[1] > 8:
        convolve(16, 2)
    for size in (2048, 2048, 10):
        weights = rng.integers(-127, 128, (size, int(np.prod(shape)))).astype(np.int8)
        add((size,), Dense(weights))
    while count < synapses:
        weights = rng.integers(-127, 128, (2048, int(np.prod(shape)))).astype(np.int8)
        add((2048,), Dense(weights))
    return Program(tuple(populations), tuple(connections), encoder, Decoder(source, 1.0), 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--neurons", type=int, default=1_000_000)
    parser.add_argument("--synapses", type=int, default=100_000_000)
    parser.add_argument("--target", default="loihi2")
    parser.add_argument("--placement", default="traffic", choices=["traffic", "layers"])
    options = parser.parse_args()
    program = network(options.neurons, options.synapses)
    synapses = sum(
        int(c.synapses.fan_out(program.shape_of(c.source)).sum()) for c in program.connections
    )
    began = time.perf_counter()
    mapping = map_program(program, options.target, placement=options.placement)
    seconds = time.perf_counter() - began
    print(
        json.dumps(
            {
                "neurons": program.neurons,
                "synapses": synapses,
                "cores": len(mapping.cores),
                "chips": mapping.chips,
                "ok": mapping.ok,
                "seconds": round(seconds, 2),
                "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
                "flow": None if mapping.flow is None else vars(mapping.flow),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
