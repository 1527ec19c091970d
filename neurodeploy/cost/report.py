"""What an estimate says: plain numbers, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from neurodeploy.cost.ann import AnnCost
from neurodeploy.cost.counts import Counts
from neurodeploy.display import Displayed, named

__all__ = ["Cost", "Line"]


@dataclass(frozen=True)
class Line:
    """One kind of event, a sample's mean.

    Attributes
    ----------
    count
        Events a sample.
    constant
        Picojoules an event; None where there is no model, or it names none. Of neuron updates:
        of an active one.
    energy
        Joules a sample: count times constant. Of neuron updates: every one counted as active.
    least
        The same, with only those updates active that surely are.
    """

    name: str
    count: float
    constant: float | None = None
    energy: float | None = None
    least: float | None = None


@dataclass(frozen=True, repr=False)
class Cost(Displayed):
    """Counts of a program on samples, and what they cost by a cited model.

    Attributes
    ----------
    target
        Title of the hardware.
    model
        Cost model as ``TARGET-MODEL``; None where no constant is published and none was chosen.
    title, source
        What the model is, and where its constants were published.
    assumptions
        What is taken for granted because program, target and model do not belong together.
    samples
        Number of samples that were counted.
    steps
        Time steps a sample.
    lines
        Events by kind, each with its count and energy a sample.
    energy, least
        Joules a sample over all lines that have a constant, with every neuron update counted as
        active, and with only those that surely are; None without a model.
    seconds
        A sample every so many seconds, by the model's times and the busiest core; None where it
        has none, or without a mapping.
    left_out
        What the figures do not cover.
    counts
        Events over all samples, by population and connection.
    ann
        Multiply-accumulates of the ANN a sample; None where neither model nor synapses say them.
    """

    target: str
    model: str | None
    title: str
    source: str
    assumptions: tuple[str, ...]
    samples: int
    steps: int
    lines: tuple[Line, ...]
    energy: float | None
    least: float | None
    seconds: float | None
    left_out: tuple[str, ...]
    counts: Counts
    ann: AnnCost | None = None

    @property
    def synaptic_operations(self) -> float:
        """Mean synaptic operations a sample, all connections."""
        return sum(self.counts.synaptic_operations.values()) / self.samples

    @property
    def operations_per_multiply(self) -> float | None:
        """Synaptic operations for each multiply-accumulate of the ANN."""
        if self.ann is None or not self.ann.multiply_accumulates:
            return None
        return self.synaptic_operations / self.ann.multiply_accumulates

    def line(self, name: str) -> Line:
        """The line of a kind of event.

        Parameters
        ----------
        name
            Of the line: ``"synaptic operations"``, ...

        Returns
        -------
        Line
            Events a sample and joules a sample.

        Raises
        ------
        UsageError
            There is no line of that name.
        """
        return named(self.lines, name, "line")

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {
            "target": self.target,
            "model": self.model,
            "samples": self.samples,
            "synaptic_operations": self.synaptic_operations,
            "energy": self.energy,
        }

    def records(self) -> list[dict[str, Any]]:
        """A row an event.

        Returns
        -------
        list of dict
            Events a sample, picojoules an event, joules a sample.
        """
        return [asdict(line) for line in self.lines]

    def to_dict(self) -> dict[str, Any]:
        """All of it, as `cost --json` has it.

        Returns
        -------
        dict
            JSON-like; energies in joules, constants in picojoules, counts a sample in `lines` and
            over all samples in `counts`.
        """
        return {
            **asdict(self),
            "synaptic_operations": self.synaptic_operations,
            "operations_per_multiply": self.operations_per_multiply,
        }
