"""A neuron kind and a scheme are each one room: nothing outside it asks which one it is."""

from __future__ import annotations

import re
from pathlib import Path

import neurodeploy

PACKAGE = Path(neurodeploy.__file__).parent
#: Where the kinds and the schemes are at home: what defines, steps, runs and reads each.
ROOMS = ("program/neurons", "simulator/neurons", "lava/neurons", "ledger/neurons", "conversion")
ASKS = re.compile(r'[=!]= "(ttfs|rate)"|isinstance\([^)]*\b(Ttfs|Earliest|Lif)\b')


def _found(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if ASKS.search(line)]


def test_nothing_outside_the_rooms_asks_for_a_kind_or_a_scheme():
    outside = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(ROOMS) and (lines := _found(path.read_text(encoding="utf-8"))):
            outside[name] = lines
    assert not outside, "ask the kind or the scheme (docs/architecture.md), not for its name"


def test_the_rooms_are_there():
    """A room that moved would leave its files unwatched, or this test without a subject."""
    for room in ROOMS:
        assert list((PACKAGE / room).glob("*.py")), room


def test_what_counts_as_asking():
    assert _found('if scheme == "ttfs":')
    assert _found('if program.scheme != "rate":')
    assert _found("assert isinstance(p.neuron, (Lif, Ttfs))")
    assert not _found('scheme = "rate"')
    assert not _found("if p.neuron.lag:")
