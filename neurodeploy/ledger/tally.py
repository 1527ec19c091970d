"""Sums over batches, and the rows made of them: memory does not grow with the samples."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.ledger.entrance import Entrance
from neurodeploy.ledger.layer import Layer
from neurodeploy.ledger.report import CAUSES, STAGES, Row, Summary
from neurodeploy.ledger.runs import Batch
from neurodeploy.ledger.twin import Twin
from neurodeploy.metrics import Labels, Scores, Sums, Task, compared, counted

__all__ = ["Tally", "ratio", "squared"]

_CHAIN = ("clipped", "stepped", "weighed", "real")


def ratio(error: float, norm: float) -> float:
    """Root of squared error over squared norm; where the ANN is zero, 0 or 1."""
    return float(np.sqrt(error / norm)) if norm else float(error > 0)


def squared(a: np.ndarray, b: np.ndarray | float = 0.0) -> float:
    """Sum of squared differences, float64."""
    difference = (a - b).astype(np.float64).reshape(-1)
    return float(difference @ difference)


@dataclass
class _Sums:
    """Of one population."""

    norm: float = 0.0
    errors: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    peak: float = 0.0
    fired: np.ndarray | None = None
    active: np.ndarray | None = None

    def add(self, other: _Sums) -> None:
        self.norm += other.norm
        self.peak = max(self.peak, other.peak)
        for mine, theirs in ((self.errors, other.errors), (self.counts, other.counts)):
            for key, value in theirs.items():
                mine[key] = mine.get(key, 0) + value
        if other.fired is not None and other.active is not None:
            self.fired = other.fired if self.fired is None else self.fired | other.fired
            self.active = other.active if self.active is None else self.active | other.active


class Tally:
    """Everything that is counted of some batches; tallies of parts can be added."""

    def __init__(self, twin: Twin, task: Task) -> None:
        self.twin, self.task = twin, task
        self.samples = 0
        self._sums: dict[str, _Sums] = {}
        # of each stage: against the ANN, and against labels
        self._answers = [(Sums(), Sums()) for _ in STAGES]

    @classmethod
    def of(cls, twin: Twin, batch: Batch, task: Task, labels: Labels | None = None) -> Tally:
        """The tally of one batch; labels are those of its samples."""
        tally = cls(twin, task)
        for part in twin.parts:
            tally._sums[part.name] = _compare(batch, part)
        for layer in twin.layers:
            _count(tally._sums[layer.name], batch, layer)
        out = twin.readout.name
        chain = [getattr(batch, stage)[out] for stage in ("exact", *_CHAIN)]
        tally._answers = [
            (compared(task, out, chain[0]), Sums() if labels is None else counted(out, labels))
            for out in chain
        ]
        tally.samples = len(chain[0])
        return tally

    def add(self, other: Tally) -> None:
        """Take in what another one counted."""
        self.samples += other.samples
        self._answers = [
            (mine[0] + theirs[0], mine[1] + theirs[1])
            for mine, theirs in zip(self._answers, other._answers, strict=True)
        ]
        for name, sums in other._sums.items():
            self._sums.setdefault(name, _Sums()).add(sums)

    def check(self) -> None:
        """Refuse units so far from the model's that errors leave the range of floats."""
        for name, sums in self._sums.items():
            if not np.isfinite([sums.norm, *sums.errors.values()]).all():
                raise ProgramError(
                    "its units make no finite numbers of the integers",
                    place=name,
                    remedy="compile the model again",
                )

    def rows(self, at_output: dict[str, float]) -> tuple[Row, ...]:
        """A row for the input and each population."""
        return tuple(self._row(part, at_output.get(part.name, 0.0)) for part in self.twin.parts)

    def _row(self, part: Layer | Entrance, at_output: float) -> Row:
        sums = self._sums[part.name]
        error = {key: ratio(value, sums.norm) for key, value in sums.errors.items()}
        cells = max(1, self.samples * part.neurons)
        fires = isinstance(part, Layer) and part.kind != "readout"

        def share(key: str, of: float = cells) -> float:
            return float(sums.counts.get(key, 0) / of) if of else 0.0

        return Row(
            name=part.name,
            kind=part.kind,
            neurons=part.neurons,
            level=part.level,
            peak=sums.peak,
            alone={cause: error[cause] for cause in CAUSES},
            clipped=error["clipped"],
            stepped=error["stepped"],
            weighed=error["weighed"],
            real=error["real"],
            at_output=at_output,
            saturated=share("saturated"),
            above=share("above"),
            silent=share("silent") if fires else 0.0,
            lost=share("lost", sums.counts.get("active", 0)),
            dead=0.0
            if sums.fired is None or sums.active is None
            else float((sums.active & ~sums.fired).mean()),
            rate=share("sent") / (part.top if isinstance(part, Layer) else 1),
            wrapped=int(sums.counts.get("wrapped", 0)),
            clipped_membranes=int(sums.counts.get("clipped", 0)),
        )

    def summary(self, labels: Labels | None) -> tuple[Summary, ...]:
        """The outputs, stage by stage; labels are those of all samples."""
        sums = self._sums[self.twin.readout.name]
        found = []
        for stage, key, (ann, right) in zip(STAGES, ("", *_CHAIN), self._answers, strict=True):
            same = Scores.of(self.task, ann)
            judged = None if labels is None else Scores.of(self.task, right, labels)
            found.append(
                Summary(
                    stage,
                    None if judged is None else judged.accuracy,
                    same.accuracy,
                    ratio(sums.errors[key], sums.norm) if key else 0.0,
                    ({} if judged is None else judged.as_dict()) | same.against_ann(),
                )
            )
        return tuple(found)


def _compare(batch: Batch, part: Layer | Entrance) -> _Sums:
    """Squared errors of one population."""
    name = part.name
    exact = batch.exact[name]
    norm = squared(exact)
    errors = {stage: squared(getattr(batch, stage)[name], exact) for stage in _CHAIN}
    for cause, values in batch.alone.items():
        errors[cause] = squared(values[name], exact) if name in values else 0.0
    errors["threshold"] = float(np.float64(part.gain - 1) ** 2 * norm)
    errors["timing"] = squared(batch.late[name])
    return _Sums(norm, errors, peak=float(exact.max(initial=0.0)))


def _count(sums: _Sums, batch: Batch, layer: Layer) -> None:
    """How often a population is silent or at its limit."""
    name = layer.name
    sums.counts["wrapped"] = batch.activity.wrapped[name]
    sums.counts["clipped"] = batch.activity.clipped[name]
    if layer.kind == "readout":
        return
    exact, fired = batch.exact[name], batch.activity.fired[name]
    active = exact > 0
    counted = {
        "saturated": fired >= layer.top,
        "above": exact > np.float32(layer.levels * (1 + 1e-6)),
        "silent": fired == 0,
        "active": active,
        "lost": active & (fired == 0),
    }
    sums.counts |= {key: int(np.count_nonzero(where)) for key, where in counted.items()}
    sums.counts["sent"] = int(fired.sum(dtype=np.int64))
    if layer.offset == 0:  # else the integer 0 is no silence but the lowest input
        sums.fired, sums.active = np.any(fired > 0, axis=0), np.any(active, axis=0)
