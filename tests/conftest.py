"""Fixtures that several folders share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.testing.lava_process import prepared_lava

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module", autouse=True)
def lava_imported(request) -> Iterator[None]:
    """Runs on Lava start from a process that has imported it: a third of their time.

    Not in `tests/lava`, where how they start and end is tested.
    """
    with nullcontext() if request.path.parent.name == "lava" else prepared_lava():
        yield


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
