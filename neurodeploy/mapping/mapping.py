"""What a mapping is: parts of populations on cores, and how full each core is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

from neurodeploy.display import Displayed

__all__ = ["Box", "Core", "Finding", "Flow", "Mapping", "Part", "Use"]

#: Half-open range along each axis of a population's shape.
Box = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Part:
    """The neurons of one population that share a core.

    Attributes
    ----------
    population
        Name; ``"input"`` for the entrance, whose cores hold the input's axons.
    box
        Which neurons: a block of the population's shape.
    core
        Index into `Mapping.cores`.
    input_axons, output_axons
        Messages that arrive at and leave the part, one a source neuron (or shared kernel row) and
        one a core that listens.
    words
        Of synaptic memory.
    """

    population: str
    box: Box
    core: int
    input_axons: int
    output_axons: int
    words: int

    @property
    def neurons(self) -> int:
        """Size of the box."""
        return prod(end - begin for begin, end in self.box)


@dataclass(frozen=True)
class Use:
    """How much of a resource a core uses; `limit` is None where the target states none."""

    resource: str
    value: int
    limit: int | None

    @property
    def share(self) -> float:
        """Of the limit, 0 where there is none."""
        return self.value / self.limit if self.limit else 0.0


@dataclass(frozen=True)
class Core:
    """One core in use.

    Attributes
    ----------
    index, chip
        Numbers from 0.
    x, y
        Place in the chip's mesh.
    uses
        One a resource, in a fixed order: neurons, input axons, output axons, words, ...
    """

    index: int
    chip: int
    x: int
    y: int
    populations: tuple[str, ...]
    uses: tuple[Use, ...]

    @property
    def binding(self) -> Use:
        """The resource that is nearest to its limit."""
        return max(self.uses, key=lambda use: use.share)


@dataclass(frozen=True)
class Finding:
    """The outcome of a rule: ``layer: rule: value, limit, what to change``."""

    layer: str
    rule: str
    value: float
    limit: float | None
    ok: bool
    remedy: str = ""

    def __str__(self) -> str:
        limit = "no limit" if self.limit is None else f"limit {self.limit:g}"
        text = f"{self.layer}: {self.rule}: {self.value:g}, {limit}"
        return f"{text}; {self.remedy}" if self.remedy and not self.ok else text


@dataclass(frozen=True)
class Flow:
    """Spike traffic between cores, a sample's mean.

    Attributes
    ----------
    messages
        Between different cores; a spike that three cores listen to makes three.
    hops
        Of those on one chip: messages times the steps between their places in the mesh.
    crossings
        Messages to another chip.
    """

    messages: float
    hops: float
    crossings: float


@dataclass(frozen=True, repr=False)
class Mapping(Displayed):
    """A program on the cores of a target.

    Attributes
    ----------
    target
        Name of the target.
    parts
        Every neuron in exactly one.
    cores
        In use, by index.
    findings
        Every rule's outcome, also those that hold.
    placement
        Name of the method that chose the places.
    notes
        What the numbers rest on.
    flow
        Traffic under the spike counts that the mapper was given.
    """

    target: str
    parts: tuple[Part, ...]
    cores: tuple[Core, ...]
    findings: tuple[Finding, ...]
    placement: str
    notes: tuple[str, ...] = field(default=())
    flow: Flow | None = None

    @property
    def ok(self) -> bool:
        """Whether every rule holds."""
        return all(finding.ok for finding in self.findings)

    @property
    def chips(self) -> int:
        """Number of chips in use."""
        return 1 + max((core.chip for core in self.cores), default=-1)

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {
            "target": self.target,
            "fits": self.ok,
            "cores": len(self.cores),
            "chips": self.chips,
            "placement": self.placement,
        }

    def records(self) -> list[dict[str, Any]]:
        """A row a core.

        Returns
        -------
        list of dict
            Its numbers and place, what lies on it, its use of each resource (in that resource's
            own count: neurons, axons, words), and the share of the one nearest to its limit.
        """
        return [
            {
                "core": core.index,
                "chip": core.chip,
                "x": core.x,
                "y": core.y,
                "populations": ", ".join(core.populations),
                **{use.resource: use.value for use in core.uses},
                "binding": core.binding.resource,
                "share": core.binding.share,
            }
            for core in self.cores
        ]

    def to_dict(self) -> dict[str, Any]:
        """All of it, as `map --json` has it.

        Returns
        -------
        dict
            JSON-like; `docs/schemas/map.json` says its keys.
        """
        return {
            "target": self.target,
            "ok": self.ok,
            "placement": self.placement,
            "chips": self.chips,
            "flow": None if self.flow is None else asdict(self.flow),
            "notes": list(self.notes),
            "findings": [asdict(finding) for finding in self.findings],
            "parts": [asdict(part) for part in self.parts],
            "cores": [asdict(core) | {"binding": core.binding.resource} for core in self.cores],
        }
