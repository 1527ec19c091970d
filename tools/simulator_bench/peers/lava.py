"""Lava's CPU runtime with its own process models: a few samples, timed while stepping."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from neurodeploy.lava.deploy import deploy
from neurodeploy.program import Program

__all__ = ["LavaRun", "missing", "run", "version_of"]


@dataclass(frozen=True)
class LavaRun:
    """A run on Lava.

    Attributes
    ----------
    outputs
        float32 (samples, outputs).
    steps_per_second
        While stepping: Lava's start, which takes seconds, is left out.
    start_seconds
        What was left out.
    """

    outputs: np.ndarray
    steps_per_second: float
    start_seconds: float


def missing() -> str:
    """Why Lava cannot be run; empty if it is installed."""
    return "" if importlib.util.find_spec("lava") else "lava-nc is not installed (make setup)"


def version_of() -> str:
    """Of the installed distribution."""
    return version("lava-nc")


def run(program: Program, x: np.ndarray, timeout: float) -> LavaRun:
    """Stream the samples through the program.

    Raises
    ------
    DeploymentError
        Lava failed or did not finish in time.
    """
    result = deploy(program, x, stock=True, timeout=timeout)
    speed = result.lava_steps / result.step_seconds
    return LavaRun(result.outputs.reshape(len(x), -1), speed, result.start_seconds)
