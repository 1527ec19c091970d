"""What `explain` returns: plain numbers, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from neurodeploy.display import Displayed, named

__all__ = ["CAUSES", "STAGES", "Attempt", "Blame", "Explanation", "Row", "Summary"]

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
    unsettled
        How often a neuron's integer was not that of the closed form (`Neuron.unsettled`); None
        where that cannot be.
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
    unsettled: int | None = None


#: Percent of samples with the ANN's class that counts as no loss, if the output's error is not
#: above that share.
SAME, CLOSE = 99.5, 0.25
#: The same share where there are no classes.
EQUAL = 0.01
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
class Attempt:
    """A remedy that was tried: the model compiled again with other options, and run.

    Attributes
    ----------
    text
        What to do, in words and options of the command line.
    options
        The same as keywords of `neurodeploy.compile`.
    samples
        It was measured on so many, with the program's own options and with these.
    agreement_before, agreement
        Percent of them with the ANN's class; None where there are no classes.
    error_before, error
        Of the output.
    helped
        Whether it is better by more than a little.
    """

    text: str
    options: dict[str, Any]
    samples: int
    agreement_before: float | None
    agreement: float | None
    error_before: float
    error: float
    helped: bool

    @property
    def sentence(self) -> str:
        """What to do and what it brought."""
        error = f"output error {self.error_before:.1%} -> {self.error:.1%}"
        if self.agreement is None:
            return f"{self.text} ({error})"
        return (
            f"{self.text} (agreement {self.agreement_before:.1f} -> {self.agreement:.1f} %, "
            f"{error})"
        )


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
        What to do about it: what was tried and helped, or why nothing was tried.
    numbers
        The numbers that finding and advice rest on.
    tried
        Remedies that were tried, those that did not help among them.
    """

    layer: str
    cause: str
    error: float
    causes: dict[str, float]
    samples: int
    finding: str
    advice: str
    numbers: dict[str, float] = field(default_factory=dict)
    tried: tuple[Attempt, ...] = ()

    @property
    def sentence(self) -> str:
        """All of it in words."""
        if self.cause == "none":
            return f"nothing to blame: {self.finding}"
        return (
            f"to blame first: {self.layer}, {self.cause} (alone it moves the output by "
            f"{self.error:.1%}): {self.finding}\n  what to do: {self.advice}"
        )


@dataclass(frozen=True, repr=False)
class Explanation(Displayed):
    """The error ledger of a program on some samples.

    Attributes
    ----------
    samples
        Number of samples that it was measured on.
    scheme
        Name of the program's conversion scheme.
    steps
        Steps a sample, or a window, lasts.
    model
        Path of the ONNX file, or what stands for it.
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
        """The row of a population.

        Parameters
        ----------
        name
            Of the population; ``"input"`` for the input.

        Returns
        -------
        Row

        Raises
        ------
        UsageError
            There is no row of that name.
        """
        return named(self.rows, name, "row")

    @property
    def verdict(self) -> str:
        """What the classes say before any layer is blamed; empty if there is something to blame.

        1. The program says what the ANN says, by agreement and by the output's error: nothing is
           lost in the conversion. Accuracy is no witness: it may rise by luck.
        2. The ANN itself is wrong on these samples far more often: look before the conversion.
        """
        ann, program = self.summary[0], self.summary[-1]
        found = []
        if program.agreement is None:
            if program.error <= EQUAL:
                found.append(
                    "next to nothing is lost in the conversion: the program's output is "
                    f"{program.error:.2%} off the ANN's"
                )
        elif program.agreement >= SAME and program.error <= CLOSE:
            found.append(
                "next to nothing is lost in the conversion: the program agrees with the ANN on "
                f"{program.agreement:.1f} % of the samples"
            )
        if ann.accuracy is not None and ann.accuracy < POOR:
            found.append(
                f"the ANN itself is right on only {ann.accuracy:.1f} %: look before the "
                "conversion, at --scale, --mean, --std, channel order, labels, and the model"
            )
        return "; ".join(found)

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        last = self.summary[-1]
        return {
            "scheme": self.scheme,
            "samples": self.samples,
            "layers": len(self.rows),
            "agreement": last.agreement,
            "error": last.error,
            "blame": f"{self.blame.layer}: {self.blame.cause}",
        }

    def records(self) -> list[dict[str, Any]]:
        """A row a population.

        Returns
        -------
        list of dict
            The fields of `Row`; the errors of the causes by the names in `CAUSES`.
        """
        rows = [asdict(row) for row in self.rows]
        return [row | row.pop("alone") for row in rows]

    def to_dict(self) -> dict[str, Any]:
        """All of it, as `explain --json` has it.

        Returns
        -------
        dict
            JSON-like; `docs/schemas/explain.json` says its keys.
        """
        return asdict(self) | {"verdict": self.verdict}
