"""From a program and samples to what a sample costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from neurodeploy.cost.ann import ann_cost
from neurodeploy.cost.counts import count
from neurodeploy.cost.energy import estimate
from neurodeploy.cost.models import choose
from neurodeploy.cost.report import Cost
from neurodeploy.errors import UsageError
from neurodeploy.mapping.model import Mapping
from neurodeploy.program import Program
from neurodeploy.targets import Target, load_target, target_names

__all__ = ["costed_target", "estimate_cost"]


def estimate_cost(
    program: Program,
    x: np.ndarray,
    target: str | Target | None = None,
    *,
    mapping: Mapping | None = None,
    energy_model: str | None = None,
    model: str | Path | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Cost:
    """Count what a program does on samples, and what that costs by a cited model.

    Parameters
    ----------
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input.
    target
        Name of a target, or the path of its TOML file; default: the program's.
    mapping
        Where the neurons lie; without one messages, hops and time are not counted.
    energy_model
        Name of a cost model, also of another target; default: the target's own. A target without
        one (loihi2) gets counts and no energy.
    model
        The ONNX file that was compiled: its multiply-accumulates stand beside. Without it the
        program's synapses are counted.
    threads
        Default: all cores. The result does not depend on it.
    progress
        Called with the number of samples just finished.

    Raises
    ------
    NeuroDeployError
        TargetError, UsageError (no such model, a mapping of something else), DataError,
        ProgramError, ModelError (another ONNX file).
    """
    hardware = costed_target(program, target)
    choose(hardware, energy_model)  # refused before the work, not after it
    ann = ann_cost(program, model)
    counts = count(program, x, mapping, threads=threads, progress=progress)
    return estimate(program, hardware, counts, energy_model, ann)


def costed_target(program: Program, target: str | Target | None = None) -> Target:
    """The target asked for, or the program's own.

    Refused: a program for a target of somebody's own, whose file must be named.
    """
    if isinstance(target, Target):
        return target
    if target is None and program.target not in target_names():
        raise UsageError(
            f"the program is for a target {program.target!r} that does not come along",
            place="--target",
            remedy="give its .toml file with --target",
        )
    return load_target(program.target if target is None else target)
