"""The trained estimator as a program, and what the program says of labelled sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodeploy.pipeline import compile as compile_network
from neurodeploy.program import Program
from neurodeploy.simulating import simulate
from neurodeploy.training.reconstruction.estimator import ThresholdNetworkClassifier
from neurodeploy.warning import Warn

__all__ = ["certificate", "compiled", "program_score"]


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


def certificate(model: ThresholdNetworkClassifier, program: Program) -> dict[str, float]:
    """What is known of a fit and its program, for JSON.

    The gap bounds the distance to the optimum over the dictionary of the last round. The violation
    is the largest correlation with the residual, over rho, of branches drawn afresh: about them,
    and so about the distribution they come from, it speaks, not about every branch there is.
    """
    result = model.result_
    return {
        "active_units": len(result.active),
        "neurons": sum(population.size for population in program.populations),
        "objective": result.objective,
        "duality_gap": result.gap,
        "violation": result.violation,
        "certified_on": result.certified,
        "seconds": round(result.seconds, 2),
    }
