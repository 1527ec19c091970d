"""What the tests of hostile files share."""

from __future__ import annotations

import time
from contextlib import contextmanager

import numpy as np
import pytest

resource = pytest.importorskip("resource")  # POSIX only
RNG = np.random.default_rng(9)


def normal(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@contextmanager
def modest(seconds=5.0, megabytes=400):
    """Neither slow nor hungry (the peak of the whole process may grow by so much)."""
    start, peak = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - start < seconds
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < megabytes * 1024
