"""What a program needs before its first sample, made once and kept with it."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from typing import TypeVar

from neurodeploy.errors import ProgramError
from neurodeploy.program import Program
from neurodeploy.program.workable import check_workable
from neurodeploy.simulator.closed_form import EventSweep, Sweep

__all__ = ["best_sweep", "check_by_sample", "prepared"]

T = TypeVar("T")
_PREPARING = threading.Lock()


def check_by_sample(program: Program) -> None:
    """Refuse what cannot be run one sample at a time: streams, and phases that mix samples.

    Raises
    ------
    ProgramError
        Also for a window of the first sample that begins before the first step.
    """
    if program.is_stream:
        raise ProgramError(
            "its samples are frames of a stream, so they cannot be run one by one",
            remedy="use `simulate`, which runs them one after the other, or --refresh 1",
        )
    if not program.is_aligned:
        raise ProgramError(
            "the phases mix neighbouring samples, so samples cannot be run one by one",
            remedy="use `simulate`, which runs them as one stream",
        )
    for p in program.populations:
        if p.phase < 1:
            raise ProgramError(
                f"phase {p.phase}: its first window begins before the first step, so samples "
                "cannot be run one by one",
                place=p.name,
                remedy="use `simulate`, which runs them as one stream",
            )


def prepared(program: Program, make: Callable[..., T], *arguments: int) -> T:
    """What `make` prepares of a program, once: programs do not change, so it is kept with them."""
    kept = program.__dict__.setdefault("_prepared", {})
    key = make, arguments
    with _PREPARING:
        if key not in kept:
            check_workable(program, "simulation")
            kept[key] = make(program, *arguments)
    return kept[key]


def best_sweep(program: Program) -> Sweep:
    """ONNX Runtime's where it is installed and can express the program, else spike by spike."""
    sweep = _sweep(program)
    if not sweep.is_guarded:
        return sweep
    from neurodeploy.simulator.guarded_sweep import GuardedSweep

    return GuardedSweep(sweep, program)


def _sweep(program: Program) -> Sweep:
    if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
        from neurodeploy.simulator.dense_sweep import can_sweep
        from neurodeploy.simulator.faster_sweep import FasterSweep

        if can_sweep(program):
            return FasterSweep(program)
    return EventSweep(program)
