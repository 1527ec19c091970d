"""The Python of the pages on spiking networks, run as it stands."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def run(page):
    names: dict = {}
    text = (DOCS / page).read_text(encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in re.findall(r"```python\n(.*?)```", text, re.S):
            exec(compile(block, page, "exec"), names)
    return names


def test_the_python_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("spiking-networks.md")
    assert names["result"].outputs.shape == (5, 10)
    assert names["program"].is_aligned


@pytest.mark.parametrize("framework", ["snntorch", "sinabs", "spikingjelly", "norse"])
def test_from_a_framework(tmp_path, monkeypatch, framework):
    """Weights as they are, in eight bits."""
    pytest.importorskip(framework)
    pytest.importorskip("nirtorch")
    monkeypatch.chdir(tmp_path)
    names = run(f"from-{framework}.md")
    assert names["own"].mean() > 0.02
    assert names["agreement"] > 0.95
    assert Path("network.ndp").exists()


def test_from_lava_dl(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run("from-lava-dl.md")
    assert names["agreement"] == 1
    assert names["result"].outputs.sum() > 0
