"""What is looked for: how near to the ANN, and what is to be least."""

from __future__ import annotations

from dataclasses import dataclass

from neurodeploy.errors import UsageError
from neurodeploy.option_values import number, whole
from neurodeploy.tuning.candidate import Candidate

__all__ = ["Goal"]


@dataclass(frozen=True)
class Goal:
    """Agreement that has to be reached, and what decides among those that reach it.

    Attributes
    ----------
    agreement
        Percent of samples that keep the ANN's class; where outputs are numbers, 100 % less their
        error as a share of the ANN's spread.
    latency
        Steps that a sample may take at most; then the nearest to the ANN is taken. None: the
        fastest of those that reach the agreement is.
    energy
        Take the one of least energy instead of the fastest.
    """

    agreement: float = 99.0
    latency: int | None = None
    energy: bool = False

    def __post_init__(self) -> None:
        share = number("--agreement", self.agreement)
        if not 0 < share <= 100:
            raise UsageError(f"{share:g} is outside 0..100", place="--agreement")
        if self.latency is not None:
            whole("--latency", self.latency, low=1)
            if self.energy:
                raise UsageError(
                    "a limit of latency takes the nearest to the ANN below it, not the least "
                    "energy",
                    place="--energy",
                    remedy="give --latency or --energy, not both",
                )

    def allows(self, latency: int) -> bool:
        """Whether a program of that latency may be taken."""
        return self.latency is None or latency <= self.latency

    def reached(self, share: float) -> bool:
        """Whether an agreement, in percent, is enough."""
        return share >= self.agreement - 1e-9

    def rank(self, candidate: Candidate) -> tuple[float, ...]:
        """Smaller is better, among candidates that were tried on all choosing samples."""
        costs = (float(candidate.latency), float(candidate.period), candidate.operations)
        if self.latency is not None:
            return (-candidate.agreement, *costs)
        if self.energy:
            least = candidate.operations if candidate.energy is None else candidate.energy
            return (least, *costs)
        return costs

    @property
    def sentence(self) -> str:
        """In words."""
        if self.latency is not None:
            return f"the nearest to the ANN within {self.latency} steps"
        least = "least energy" if self.energy else "shortest latency"
        return f"{least} at {self.agreement:g} % agreement"
