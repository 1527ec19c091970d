"""Lava models of the kinds with a process of their own: equal to the step that defines them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed"),
]


def test_every_message_and_membrane() -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("neuron_models.py")), "150"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for kind, (compared, active) in json.loads(done.stdout).items():
        assert compared > 10_000, kind
        assert active > 1_000, kind
