"""What a compiler chose where it had a choice, and what the other way would have cost.

Kept in `Program.provenance` under ``choices``; `neurodeploy inspect` shows the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Choice", "choices_of"]


@dataclass(frozen=True)
class Choice:
    """One choice.

    Attributes
    ----------
    layer
        That it was made for.
    chosen, instead
        The way that was taken, and the other one.
    cost, cost_instead
        What each takes: numbers by what is counted (``neurons``, ``weights``, ``fan-in``, ...).
    because
        Why.
    """

    layer: str
    chosen: str
    instead: str
    because: str
    cost: Mapping[str, int] = field(default_factory=dict)
    cost_instead: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON-like."""
        return asdict(self)


def choices_of(provenance: Mapping[str, Any]) -> tuple[Choice, ...]:
    """The choices that a program's provenance tells of; what is no choice is left out."""
    rows = provenance.get("choices")
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        return ()
    found = []
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        words = [row.get(name) for name in ("layer", "chosen", "instead", "because")]
        costs = [row.get(name, {}) for name in ("cost", "cost_instead")]
        if all(isinstance(word, str) for word in words) and all(map(_counts, costs)):
            layer, chosen, instead, because = map(str, words)
            cost, cost_instead = costs
            found.append(Choice(layer, chosen, instead, because, dict(cost), dict(cost_instead)))
    return tuple(found)


def _counts(cost: Any) -> bool:
    """Whether these are whole numbers by name."""
    return isinstance(cost, Mapping) and all(
        isinstance(name, str) and type(count) is int for name, count in cost.items()
    )
