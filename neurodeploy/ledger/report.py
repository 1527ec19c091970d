"""What `explain` returns: plain numbers, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["CAUSES", "STAGES", "Blame", "Explanation", "Row", "Summary"]

#: What can go wrong in one population, in the order in which it is accumulated.
CAUSES = ("clipping", "steps", "weights", "threshold", "timing")
#: From the ANN to the program as simulated.
STAGES = ("ANN", "clipping", "time steps", "weights", "spikes")


@dataclass(frozen=True)
class Row:
    """One population; errors are ``||x - a|| / ||a||`` over all samples and neurons, a the ANN.

    Attributes
    ----------
    kind
        ``input``, ``relu``, ``max``, ``relay`` or ``readout``.
    level
        lambda, the largest value that it can say; 0 for the input and a readout.
    peak
        Largest value of the ANN.
    alone
        Error of each of `CAUSES` by itself, inputs exact (timing: on the messages that came).
    clipped, stepped, weighed, real
        Error accumulated from the input to here: clips only, grids as well, the program's
        integers as well (its closed form), the program as simulated.
    at_output
        Error that this population alone brings to the network's output, all its causes together.
    saturated
        Share of neurons and samples that say the largest value.
    above
        Share at which the ANN is above lambda.
    silent
        Share that says nothing.
    lost
        Share of those at which the ANN is active that say nothing.
    dead
        Share of neurons that never fired though the ANN's were active on some sample.
    rate
        Mean of what is said, as a share of the largest value.
    wrapped, clipped_membranes
        Overflows counted by the simulator.
    """

    name: str
    kind: str
    neurons: int
    level: float
    peak: float
    alone: dict[str, float]
    clipped: float
    stepped: float
    weighed: float
    real: float
    at_output: float = 0.0
    saturated: float = 0.0
    above: float = 0.0
    silent: float = 0.0
    lost: float = 0.0
    dead: float = 0.0
    rate: float = 0.0
    wrapped: int = 0
    clipped_membranes: int = 0


#: Percent of samples with the ANN's class, and points of accuracy, that count as no loss.
SAME, LITTLE = 99.5, 0.5
#: Percent of right answers below which the ANN's own samples or labels are doubted.
POOR = 60.0


@dataclass(frozen=True)
class Summary:
    """The outputs on the way from the ANN to the program.

    Attributes
    ----------
    stage
        One of `STAGES`.
    accuracy
        Percent of the labels; None without labels, and where these are numbers.
    agreement
        Percent of answers that are the ANN's; None where answers are numbers.
    error
        Of the output.
    scores
        All there is against labels and against the ANN, as `simulate --json` names it
        (docs/metrics.md), intervals included.
    """

    stage: str
    accuracy: float | None
    agreement: float | None
    error: float
    scores: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Blame:
    """The population to look at first.

    Attributes
    ----------
    layer
        Its name.
    cause
        One of `CAUSES`, or ``silence`` or ``overflow`` where these are what is behind it.
    error
        What it alone brings to the output's error.
    causes
        The same, with only one cause switched on.
    samples
        How many samples this was measured on.
    finding
        What the numbers say.
    advice
        What to do about it.
    numbers
        The numbers that finding and advice rest on.
    """

    layer: str
    cause: str
    error: float
    causes: dict[str, float]
    samples: int
    finding: str
    advice: str
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """All of it in words."""
        if self.cause == "none":
            return f"nothing to blame: {self.finding}"
        return (
            f"to blame first: {self.layer}, {self.cause} (alone it moves the output by "
            f"{self.error:.1%}): {self.finding}\n  what to do: {self.advice}"
        )


@dataclass(frozen=True)
class Explanation:
    """The error ledger of a program on some samples.

    Attributes
    ----------
    task, task_reason
        How the outputs are judged, and why so.
    summary
        From the ANN to the program as simulated.
    rows
        Populations, sources first; the input is the first.
    blame
        Where to begin.
    """

    samples: int
    scheme: str
    steps: int
    model: str
    summary: tuple[Summary, ...]
    rows: tuple[Row, ...]
    blame: Blame
    task: str = ""
    task_reason: str = ""

    def row(self, name: str) -> Row:
        """The row of that population."""
        return next(row for row in self.rows if row.name == name)

    @property
    def verdict(self) -> str:
        """What the classes say before any layer is blamed; empty if there is something to blame.

        1. The program says what the ANN says: nothing is lost in the conversion.
        2. The ANN itself is wrong on these samples far more often: look before the conversion.
        """
        ann, program = self.summary[0], self.summary[-1]
        lost = None
        if ann.accuracy is not None and program.accuracy is not None:
            lost = ann.accuracy - program.accuracy
        found = []
        if program.agreement is not None and (
            program.agreement >= SAME or (lost is not None and lost <= LITTLE)
        ):
            found.append(
                "next to nothing is lost in the conversion: the program agrees with the ANN on "
                f"{program.agreement:.1f} % of the samples"
            )
        if ann.accuracy is not None and ann.accuracy < POOR and (lost or 0) < 100 - ann.accuracy:
            found.append(
                f"the ANN itself is right on only {ann.accuracy:.1f} %: look before the "
                "conversion, at --scale, --mean, --std, channel order, labels, and the model"
            )
        return "; ".join(found)

    def as_dict(self) -> dict[str, Any]:
        """JSON-like."""
        return asdict(self) | {"verdict": self.verdict}
