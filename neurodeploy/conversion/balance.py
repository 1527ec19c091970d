"""How the largest activation a layer can say (lambda) is chosen; both schemes share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neurodeploy.calibration import LayerStatistics
from neurodeploy.errors import UsageError

__all__ = ["Balance", "Balanced"]

Balance = Literal["percentile", "max", "mmse"]


@dataclass(frozen=True)
class Balanced:
    """Options that every scheme has.

    Attributes
    ----------
    steps
        Time steps a sample, or a window, lasts.
    balance
        ``percentile`` of a layer's non-zero activations (Rueckauer et al. 2017), their ``max``
        (Diehl et al. 2015), or least squared error of the code, ``mmse`` (Li et al. 2021).
    percentile
        Of `balance` percentile.
    """

    steps: int = 32
    balance: Balance = "percentile"
    percentile: float = 99.9

    def __post_init__(self) -> None:
        if isinstance(self.steps, bool) or not isinstance(self.steps, int):
            raise UsageError(f"{self.steps!r} is not a whole number", place="--steps")
        if not 1 <= self.steps <= 65536:
            raise UsageError(f"{self.steps} is outside 1..65536", place="--steps")
        choose("--balance", self.balance, ("percentile", "max", "mmse"))
        if not 0 < self.percentile <= 100:
            raise UsageError(f"{self.percentile} is outside 0..100", place="--percentile")

    def level(self, statistics: LayerStatistics, maximum: float | None) -> float:
        """Lambda of a layer; never above the clip of its activation, never zero."""
        if self.balance == "max":
            level = statistics.maximum
        elif self.balance == "mmse":
            level = statistics.least_squares(self.steps)
        else:
            level = statistics.percentile(self.percentile)
        if maximum is not None:
            level = min(level, maximum)
        return level or maximum or 1.0


def choose(option: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices."""
    if value not in choices:
        raise UsageError(f"{value!r} is not one of {', '.join(choices)}", place=option)
