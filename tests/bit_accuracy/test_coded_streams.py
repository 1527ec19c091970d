"""Kinds that send digits, among others and unaligned, near all ranges' ends: reference = engine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.program import MaskMaximum, Online, Radix
from neurodeploy.testing.comparing import compare_stream
from neurodeploy.testing.programs import random_program

MANY = settings(
    max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
WAYS = ("gather", "any")


@pytest.mark.parametrize("kind", [Radix, MaskMaximum, Online])
@MANY
@given(seed=st.integers(0, 2**32 - 1))
def test_any_program_with_the_kind(kind, seed):
    """One way in turn, for time."""
    rng = np.random.default_rng(seed)
    program, messages = random_program(rng, among=(kind,), max_depth=3, max_steps=30)
    compare_stream(program, messages, ways=(WAYS[seed % 2],))
