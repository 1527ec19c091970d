"""Random spikes: a Bernoulli trial at every step, the discrete form of a Poisson process."""

from __future__ import annotations

from math import prod
from typing import ClassVar

import numpy as np

from neurodeploy.program.encoders.base import (
    PROBABILITY_ONE,
    Encoder,
    InputEncoding,
    register_encoding,
)

__all__ = ["Poisson"]


@register_encoding
class Poisson(InputEncoding):
    """A spike at a step with the probability that the input says; seeded."""

    name: ClassVar[str] = "poisson"
    description: ClassVar[str] = "random spikes, a Bernoulli trial at every step (seeded)"
    limit: ClassVar[int] = PROBABILITY_ONE
    counts: ClassVar[bool] = True

    def encode(
        self, encoder: Encoder, level: np.ndarray, steps: int, index: int, part: range
    ) -> np.ndarray:
        """See `InputEncoding.encode`; the stream depends on seed and index alone."""
        sends = _draws(encoder.seed, index, part, prod(encoder.shape)) < np.abs(level)
        return np.where(sends, np.sign(level), 0).astype(np.int32, copy=False)


def _draws(seed: int, index: int, part: range, inputs: int) -> np.ndarray:
    """Uniform 16-bit integers (steps, inputs) of a counter-based generator (Philox 4x64)."""
    generator = np.random.Philox(key=np.array([seed, index], np.uint64))
    # one count of the generator gives 4 words of 64 bit: 16 draws
    counts, skipped = divmod(part.start * inputs, 16)
    generator.advance(counts)
    wanted = len(part) * inputs
    raw = generator.random_raw(-(-(skipped + wanted) // 4)).astype("<u8", copy=False)
    return raw.view("<u2")[skipped : skipped + wanted].reshape(len(part), inputs)
