"""The networks that every simulator runs: a compiled program, and the samples to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import neurodeploy as nd
from neurodeploy.program import Program
from neurodeploy.samples import load_samples

__all__ = ["NETWORKS", "Network"]

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"
SHARED = ROOT.parent / "shared"
CALIBRATION = 200


@dataclass(frozen=True)
class Network:
    """A trained network and two sets of samples in its layout.

    Attributes
    ----------
    model, test, calibration
        Files; `test` and `calibration` hold uint8 samples x.
    arrange
        From samples as stored to samples as the network reads them.
    mean, std
        Of the preprocessing ``(x / 255 - mean) / std``.
    """

    model: Path
    test: Path
    calibration: Path
    arrange: Callable[[np.ndarray], np.ndarray] = np.asarray
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @property
    def missing(self) -> str:
        """Why it cannot be run; empty if it can."""
        absent = [p for p in (self.model, self.test, self.calibration) if not p.is_file()]
        return f"no file {absent[0].name} in {absent[0].parent.name}/" if absent else ""

    def program(self, steps: int) -> Program:
        """Compiled with binary spikes, thresholds as calibration set them."""
        return nd.compile(
            self.model,
            calibration=self.arrange(load_samples(self.calibration).x[:CALIBRATION]),
            steps=steps,
            scale=1 / 255,
            mean=self.mean,
            std=self.std,
            overflow="off",
            scheme="rate",
            signed=False,  # no peer has a neuron that takes spikes back
        )

    def samples(self, count: int) -> np.ndarray:
        """The first `count` test samples, uint8."""
        return np.ascontiguousarray(self.arrange(load_samples(self.test).x[:count]))


def _channels_first(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, 3, 1, 2)


def _column(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1, 1)


NETWORKS = {
    "fashion_cnn": Network(
        MODELS / "fashion_cnn" / "model.onnx",
        MODELS / "fashion_cnn" / "test.npz",
        MODELS / "fashion_cnn" / "calibration.npz",
    ),
    "resnet20": Network(
        SHARED / "models" / "resnet20_cifar10.onnx",
        SHARED / "data" / "cifar10_test.npz",
        SHARED / "data" / "cifar10_train_first2000.npz",
        _channels_first,
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
    ),
    "mlp_256x4": Network(
        SHARED / "models" / "mnistfc__mnist-net_256x4.onnx",
        SHARED / "data" / "mnist_test.npz",
        SHARED / "data" / "mnist_train_first2000.npz",
        _column,
    ),
}
