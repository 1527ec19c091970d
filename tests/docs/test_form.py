"""How pages are written: lines that fit an editor, whatever cannot be broken aside."""

from __future__ import annotations

import pytest
from pages import PAGES, ROOT

WIDEST = 110
TEXTS = [*PAGES, *ROOT.glob("*.md"), ROOT / "tools" / "README.md", *ROOT.glob("models/*/README.md")]


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_lines_are_short(page):
    """Rows of tables cannot be broken; all else can."""
    lines = page.read_text(encoding="utf-8").splitlines()
    long = [
        f"{number}: {len(line)} columns"
        for number, line in enumerate(lines, 1)
        if len(line) > WIDEST and not line.startswith("|")
    ]
    assert long == []
