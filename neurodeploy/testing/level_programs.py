"""Random programs of multi-level firing, for comparisons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurodeploy.program import Connection, Decoder, Dense, Levels, Lif, Population, Program
from neurodeploy.testing.programs import random_program

__all__ = ["random_levels"]


def random_levels(seed: int) -> tuple[Program, np.ndarray]:
    """A random program of `levels` and `lif`, read by a layer behind it."""
    rng = np.random.default_rng(seed)
    program, messages = random_program(rng, among=(Levels, Levels, Lif), timed=False)
    last = program.populations[-1]
    weights = rng.integers(-20, 21, (2, last.size)).astype(np.int8)
    readout = Population("out", (2,), Lif(np.zeros(2, np.int16), 5000), last.phase + 1)
    read = Connection(last.name, "out", Dense(weights), graded=last.neuron.is_graded)
    return replace(
        program,
        populations=(*program.populations, readout),
        connections=(*program.connections, read),
        decoder=Decoder("out", 1.0),
    ), messages
