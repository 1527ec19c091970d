"""What a fresh program keeps of the ANN, tried on a few of its calibration samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neurodeploy.ledger.agreement import Agreement, agreement
from neurodeploy.ledger.explaining import explain_against
from neurodeploy.ledger.running import is_large, run_for
from neurodeploy.metrics import Task
from neurodeploy.network import Network
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.program import Program
from neurodeploy.simulator.encoding import check_samples

__all__ = ["FEW", "SECONDS", "Trial", "compare_outputs", "run_trial", "try_program"]

#: Samples that are tried unless another number is asked for, and the seconds they may take.
FEW, SECONDS = 128, 2.0
#: Percent of samples with the ANN's class below which the user is warned.
ENOUGH = 95.0
#: Share of the outputs' spread above which an error is warned of, where there are no classes.
TOO_FAR = 0.1
#: Samples that the cause is looked for on, at most, and their neurons.
_EXPLAINED, _NEURONS = 32, 1_000_000


@dataclass(frozen=True)
class Trial:
    """A program beside its ANN on some samples.

    Attributes
    ----------
    asked
        How many samples were to be tried.
    found
        None where none was tried; `note` says why.
    layer, cause, finding
        What `explain` blames first; empty where all is well or it could not be said.
    note
        Why fewer samples were tried than asked for; else empty.
    """

    asked: int
    found: Agreement | None = None
    layer: str = ""
    cause: str = ""
    finding: str = ""
    note: str = ""

    @property
    def poor(self) -> bool:
        """Whether the program says something else than the ANN too often."""
        if self.found is None:
            return False
        if self.found.share is None:
            return not self.found.residual <= TOO_FAR
        return self.found.share < ENOUGH

    @property
    def sentence(self) -> str:
        """All but the cause, in words."""
        if self.found is None:
            return f"not tried on calibration samples: {self.note}"
        found, few = self.found, f" ({self.note})" if self.note else ""
        tried = f"tried on {found.samples} calibration samples{few}: "
        if found.share is None:
            return tried + f"output error {found.error:.1%} against the ANN"
        return tried + (
            f"{found.share:.1f} % have the ANN's class (95 % interval {found.low:.1f}.."
            f"{found.high:.1f}), output error {found.error:.1%}"
        )

    @property
    def warning(self) -> str:
        """One line where the program is poor or was not tried; else empty."""
        if self.found is None:
            return self.sentence
        if not self.poor:
            return ""
        found = self.found
        lost = (
            f"its outputs are {found.error:.1%} off the ANN's, {found.residual:.1%} of their "
            f"spread, on {found.samples} calibration samples"
            if found.share is None
            else f"only {found.share:.1f} % of {found.samples} calibration samples keep the ANN's "
            f"class (output error {found.error:.1%})"
        )
        why = f"; first cause: {self.layer}, {self.cause}: {self.finding}" if self.cause else ""
        return f"{lost}{why}; `neurodeploy explain` tries what helps"

    def as_dict(self) -> dict[str, Any]:
        """JSON-like."""
        found: dict[str, Any] = asdict(self.found) if self.found else {"samples": 0}
        found["agreement"] = found.pop("share", None)
        named = {"asked": self.asked, **found, "enough": self.found is not None and not self.poor}
        return named | {key: getattr(self, key) for key in ("layer", "cause", "finding", "note")}


def try_program(
    program: Program,
    ann: Network,
    passed: Network,
    x: np.ndarray,
    count: int = FEW,
    seconds: float = SECONDS,
) -> Trial:
    """Run program and ANN on some samples, evenly spaced, and look for the cause of a loss.

    Never raises an error of its own making: what cannot be tried is said in the `Trial`.

    Parameters
    ----------
    ann
        The network as imported.
    passed
        The same after the passes, as the program was made of it.
    x
        Samples (n, *shape) as the program takes them.
    count
        Samples to try, at most.
    seconds
        That they may take; fewer are tried where they would take longer.
    """
    trial = compare_outputs(program, ann, x, count, seconds)
    if trial.found is None:
        return trial
    found, note, count = trial.found, trial.note, trial.asked
    chosen = _spaced(x, count)
    if not trial.poor:
        return trial
    try:
        few_enough = max(2, min(_EXPLAINED, _NEURONS // program.neurons))
        blame = explain_against(program, passed, chosen[: min(found.samples, few_enough)]).blame
    except Exception:  # a loss without a cause is still to be told
        return trial
    if blame.cause == "none":
        return trial
    return Trial(count, found, blame.layer, blame.cause, blame.finding, note)


def run_trial(program: Program, ann: Network, passed: Network, x: np.ndarray, count: int) -> Trial:
    """`try_program` on so many of some samples; the seconds grow with the number asked for.

    Parameters
    ----------
    x
        Samples (n, *shape) before preprocessing.
    """
    x = check_samples(x, program.encoder.sample_shape, "calibration")
    return try_program(program, ann, passed, x, count, SECONDS * max(1.0, count / FEW))


def _spaced(x: np.ndarray, count: int) -> np.ndarray:
    """So many samples, evenly spaced."""
    return x[np.linspace(0, len(x) - 1, count).astype(int)]


def compare_outputs(
    program: Program, ann: Network, x: np.ndarray, count: int = FEW, seconds: float = SECONDS
) -> Trial:
    """`try_program` without looking for a cause."""
    count = min(count, len(x))
    if is_large(program):
        return Trial(count, note="one sample of so large a network may take many seconds")
    try:
        outputs = run_for(seconds, program, _spaced(x, count), Evaluator(ann))
        assert outputs.ann is not None
        found = agreement(outputs.program, outputs.ann, Task.of(program))
    except Exception as error:  # whatever it is, the program itself is made
        return Trial(count, note=_first_line(error))
    note = f"of {count}: more would take over {seconds:g} s" if found.samples < count else ""
    return Trial(count, found, note=note)


def _first_line(error: Exception) -> str:
    """What is wrong, without code and remedy."""
    text = getattr(error, "message", "") or str(error) or type(error).__name__
    return text.splitlines()[0]
