"""Every public function, method, property and field says shape, unit, errors and source.

The counts are printed (`pytest -rP`), and may only grow.
"""

from __future__ import annotations

from collections import Counter

import pytest

pytest.importorskip("docstring_parser", reason="docstring_parser is not installed")

from docstrings import (
    SOURCES,
    classes,
    functions,
    lacking,
    lacking_class,
    lacking_text,
    members,
    parsed,
    returned_classes,
)

#: What was there when this was written.
LEAST = {
    "function": 21,
    "method": 101,
    "property": 50,
    "classes": 22,
    "fields": 120,
    "parameters": 228,
    "returns": 117,
    "raises": 54,
}


def test_every_public_name_says_all():
    """Parameters, what comes back, what is raised, shapes, dtypes, units, sources; all counted."""
    counts: Counter = Counter()
    found = []
    for name, function in functions().items():
        found += lacking(name, "function", None, function, counts)
    for name, (kind, what, function) in members().items():
        found += lacking(name, what, kind, function, counts)
    for name, kind in classes().items():
        found += lacking_class(name, kind, counts)
    print("documented:", ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert found == []
    assert counts["sources"] == len(SOURCES), "a name in SOURCES is no public name any more"
    assert all(counts[what] >= least for what, least in LEAST.items()), counts


def test_what_functions_return_is_on_the_page():
    assert returned_classes() <= set(classes().values())


@pytest.mark.parametrize(
    ("name", "annotation", "text", "lacks"),
    [
        ("x", "Any", "Samples.", ["no shape", "no dtype"]),
        ("x", "np.ndarray", "float32 (n, *input shape).", []),
        ("units", "np.ndarray", "float64, one number, or (neurons,).", []),
        ("seconds", "float", "Wall time.", ["no unit", r"not \bseconds?\b"]),
        ("latency", "int", "Seconds to wait.", [r"not \bsteps?\b"]),
        ("percentile", "float | None", "Percent of the activations.", []),
        ("progress", "Callable[[int], None]", "Called when done.", []),
        ("warn", "Warn | None", "Called with a line.", []),
    ],
)
def test_what_is_demanded_of_a_text(name, annotation, text, lacks):
    """The demands themselves: they find what is missing, and no more."""
    assert lacking_text(name, annotation, text) == lacks


def bare(x: int, y: float = 1.0) -> int:
    """Add.

    Parameters
    ----------
    x
        Number of steps.
    """
    if x < 0:
        raise ValueError(y)
    return x


def test_what_is_demanded_of_a_function():
    found = lacking("bare", "function", None, bare, Counter())
    assert found == ["bare: y is not said", "bare: no Returns", "bare: no Raises"]
    assert parsed(bare.__doc__ or "").short_description == "Add."
