"""A small network, its samples and programs, for all that people look at."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from command_line import tiny_model

import neurodeploy as nd

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def samples():
    return np.random.default_rng(0).random((60, 6)).astype(np.float32)


@pytest.fixture(scope="session")
def folder(tmp_path_factory, samples):
    """m.onnx, c.npz (samples), t.npz (with labels), graded.ndp, rate.ndp."""
    place = tmp_path_factory.mktemp("people")
    tiny_model(place / "m.onnx")
    np.savez(place / "c.npz", x=samples)
    np.savez(place / "t.npz", x=samples[:20], y=np.zeros(20, np.int64))
    for scheme in ("graded", "rate"):
        made = nd.compile(place / "m.onnx", samples, scheme, try_samples=0, warn=lambda _: None)
        made.save(place / f"{scheme}.ndp")
    return place


@pytest.fixture(scope="session")
def program(folder):
    return nd.load(folder / "graded.ndp")
