"""Fixtures that several folders share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def fashion() -> Path:
    """Folder of the reference network."""
    return ROOT / "models" / "fashion_cnn"


@pytest.fixture(scope="session")
def fashion_test(fashion):
    """The 10,000 test images and labels."""
    with np.load(fashion / "test.npz") as data:
        return data["x"], data["y"]


@pytest.fixture(scope="session")
def fashion_calibration(fashion):
    """The 1,000 calibration images."""
    with np.load(fashion / "calibration.npz") as data:
        return data["x"]


@pytest.fixture(scope="session")
def fashion_program(fashion, fashion_calibration):
    """The reference network at 32 steps, all defaults."""
    return nd.compile(fashion / "model.onnx", calibration=fashion_calibration)
