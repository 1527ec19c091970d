"""Random programs with sums in parts, made of random programs without."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import Program
from neurodeploy.program.divided_synapses import divisors
from neurodeploy.program.partial_sums import sum_in_parts
from neurodeploy.testing.synapses import chance

__all__ = ["parted"]


def parted(rng: np.random.Generator, program: Program) -> Program | None:
    """The program with some of its connections in parts; None where none can be."""
    numbers = {}
    for k, c in enumerate(program.connections):
        able = [n for n in divisors(c.synapses, program.shape_of(c.source)) if n < 40]
        if able and chance(rng, 0.6):
            numbers[k] = int(rng.choice(able[:5]))
    try:
        return sum_in_parts(program, numbers) if numbers else None
    except ProgramError:  # messages that are too narrow, or would wait too long; cycles
        return None
