"""The pages of the documentation: their text, links, headings and commands."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
#: Pages whose commands another test runs, on data of their own.
OWN = {
    "fostdgd.md": "training/test_fostdgd_page.py",
    "reconstruction.md": "training/reconstruction/test_page.py",
}


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


#: Commands of the pages on networks that spike: their `model.ndp` is another one.
SPIKING = [c for c in commands((DOCS / "spiking-networks.md").read_text()) if "mlf" not in c]


def listed() -> list[str]:
    """Every command once, but for the pages of `OWN`."""
    pages = [page for page in PAGES if page.name not in OWN] + [ROOT / "README.md"]
    found = [c for page in pages for c in commands(page.read_text(encoding="utf-8"))]
    return [c for c in dict.fromkeys(found) if c not in SPIKING]
