"""Random entrances and exits: every registered encoding and decoding, from what it declares."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program import Decoder, Encoder
from neurodeploy.program.decoders import decodings
from neurodeploy.program.encoders import encodings
from neurodeploy.simulator.encoding import encode
from neurodeploy.testing.synapses import chance, one_of

__all__ = ["draw_decoder", "draw_encoder", "draw_levels", "messages_of"]

Shape = tuple[int, ...]


def draw_encoder(
    rng: np.random.Generator,
    shape: Shape,
    period: int,
    *,
    largest: int = 5000,
    timed: bool = True,
) -> Encoder:
    """An encoder of any encoding.

    Parameters
    ----------
    largest
        Of integers that are sent themselves.
    timed
        Whether samples may have a time axis, and messages may be times.
    """
    able = [e for e in encodings().values() if timed or not (e.varies or e.message != "count")]
    code = one_of(rng, *able)
    # what is sent itself meets weights and has to stay small; the rest is a rate or a time
    limit = min(code.limit, largest) if code.graded else code.limit
    high = int(one_of(rng, limit, limit, 1, rng.integers(1, limit + 1), 0 if timed else limit))
    high = min(high, code.largest(period))
    signed = code.signed and chance(rng, 0.5)
    sample = (int(rng.integers(1, period + 1)), *shape) if code.varies else shape
    unit = 2.0**-16 if code.counts else 1.0
    return Encoder(
        shape,
        code.name,
        unit,
        -high if signed else 0,
        high,
        seed=int(rng.integers(1000)),
        sample_shape=sample,
    )


def draw_decoder(
    rng: np.random.Generator, population: str, timed: bool = True, period: int = 1
) -> Decoder:
    """A decoder of any decoding; of the last membrane of the window unless `timed`."""
    names = list(decodings()) if timed else ["membrane"]
    unit, name = float(rng.choice([1.0, 0.25])), one_of(rng, "membrane", *names)
    tail = int(one_of(rng, 0, rng.integers(0, period))) if timed else 0
    return Decoder(population, unit, name, tail)


def draw_levels(rng: np.random.Generator, encoder: Encoder, samples: int) -> np.ndarray:
    """Integers of some samples, int32 (samples, integers of one); many are 0."""
    size = (samples, prod(encoder.sample_shape))
    level = rng.integers(encoder.low, encoder.high + 1, size)
    level[rng.random(level.shape) < 0.3] = 0
    return level.astype(np.int32)


def messages_of(encoder: Encoder, level: np.ndarray, period: int, drain: int = 0) -> np.ndarray:
    """What the input sends over the windows of some samples, and silence of `drain` steps."""
    sent = [encode(encoder, row, period, k) for k, row in enumerate(level)]
    return np.concatenate([*sent, np.zeros((drain, prod(encoder.shape)), np.int32)])
