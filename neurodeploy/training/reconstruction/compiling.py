"""The trained estimator as a program, and what the program says of labelled sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.pipeline import compile as compile_network
from neurodeploy.program import Program
from neurodeploy.simulating import simulate
from neurodeploy.training.reconstruction.estimator import ThresholdNetworkClassifier
from neurodeploy.warning import Warn

__all__ = ["compiled", "program_score"]


def compiled(
    model: ThresholdNetworkClassifier, X: Any, target: str = "loihi2", warn: Warn | None = None
) -> Program:
    """The program of a trained network, for sequences as long as these and in their range.

    Raises
    ------
    NeuroDeployError
    """
    network = model.to_network(np.shape(X)[1] if np.ndim(X) == 3 else 1)
    return compile_network(network, target=target, warn=warn, **model.compile_options(X))


def program_score(
    model: ThresholdNetworkClassifier,
    program: Program,
    X: Any,
    y: np.ndarray,
    warn: Warn | None = None,
) -> float:
    """Share of the labels (n,) or (n, T) that the program gets right."""
    x = np.asarray(X)
    outputs = simulate(program, x[:, None] if x.ndim == 2 else x, warn=warn).outputs
    return float((model.labels_of(outputs) == np.asarray(y)).mean())
