"""The site: every page is in its navigation, every link and anchor leads somewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest
from pages import DOCS, PAGES, ROOT, anchors, links

import neurodeploy as nd


def navigation():
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    return re.findall(r": (\S+\.md)$", text[text.index("\nnav:") :], re.M)


def test_every_page_is_in_the_navigation_once():
    listed = navigation()
    assert len(listed) == len(set(listed))
    assert set(listed) == {page.relative_to(DOCS).as_posix() for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", text, flags=re.S), re.M)) == 1
    for link in links(text):
        path, _, anchor = link.partition("#")
        if re.match(r"https?:", path):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(DOCS), f"{link} leads out of docs/"
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_pages_that_texts_name_exist():
    """Messages, help, README and docstrings say `docs/NAME.md`."""
    texts = [*ROOT.glob("*.md"), *(ROOT / "neurodeploy").rglob("*.py"), *ROOT.glob("tools/*.*")]
    texts += [*ROOT.glob("models/*/README.md"), *(ROOT / "targets").glob("*.toml"), *PAGES]
    named = {
        (path.name, name)
        for path in texts
        for name in re.findall(r"docs/([\w/-]+\.md)", path.read_text(encoding="utf-8"))
    }
    assert not [(path, name) for path, name in named if not (DOCS / name).exists()]


def test_the_reference_has_every_public_name():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    named = [n for line in re.findall(r"<!-- public: (.*?) -->", text) for n in line.split()]
    assert sorted(named) == sorted(nd.__all__)


def test_nothing_is_fetched():
    """Fonts, icons and scripts come with the theme; no address stands in what is served."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert "font: false" in text
    assert "http" not in text
    assert all("http" not in (DOCS / name).read_text() for name in ("site.css", "site.js"))


def test_every_tool_is_listed():
    text = (ROOT / "tools" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([\w.]+)` \|", text, re.M)
    there = {p.name for p in (ROOT / "tools").iterdir() if p.suffix in (".py", ".mjs")}
    assert len(listed) == len(set(listed))
    assert set(listed) == there


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra docs")
def test_it_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert "nd.compile" in (tmp_path / "api.html").read_text(encoding="utf-8")
