"""The pages of the documentation: their text, links, headings and commands."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def without_code(text: str) -> str:
    """The text without its blocks and pieces of code."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    text = re.sub(r"^    .*$", "", text, flags=re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def links(text: str) -> list[str]:
    """Targets of the links of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", without_code(text))


def anchors(text: str) -> set[str]:
    """What the headings of a page are called in its address, as Python-Markdown does it."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    return {slug(title) for title in re.findall(r"^#+ (.+)$", text, re.M)}


def slug(title: str) -> str:
    title = unicodedata.normalize("NFKD", title.replace("`", "")).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def python_blocks(page: str) -> list[str]:
    """The Python of a page, block by block."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.S)


def commands(text: str) -> list[str]:
    """Lines that a reader would type, continued lines joined and variables of the block put in."""
    found = []
    for block in re.findall(r"(?:^    .*\n?)+", text, re.M):
        variables: dict[str, str] = {}
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            line = re.sub(r"\s{2,}#.*", "", line.strip().removeprefix("$ "))
            if given := re.fullmatch(r'([A-Z]+)="(.*)"', line):
                variables[given[1]] = given[2]
                continue
            for name, value in variables.items():
                line = line.replace(f"${name}", value)
            line = line.removeprefix(".venv/bin/")
            if re.match(r"(neurodeploy|python|make|pip|dask|npm|node) ", line):
                found.append(line)
    return found
