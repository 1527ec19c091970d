"""The notebooks: well formed, without stored output, every command and name in them still there.

`make notebooks` runs them (a minute or two each).
"""

from __future__ import annotations

import ast
import json
import shlex

import click
import pytest
from pages import ROOT

import neurodeploy as nd
from neurodeploy.cli import cli

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def cells(path, kind):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == kind]


def test_there_are_three():
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    assert cells(path, "markdown")[0].startswith("# ")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_it_calls_is_there(path):
    named, commands = set(), []
    for code in cells(path, "code"):
        lines = code.splitlines()
        commands += [line[1:] for line in lines if line.startswith("!")]
        python = "\n".join(line for line in lines if not line.startswith("!"))
        for node in ast.walk(ast.parse(python)):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "nd":
                named.add(node.attr)
    assert named
    assert named <= set(nd.__all__)
    for command in commands:
        parses(shlex.split(command))


def parses(words):
    """The command takes these words; it is not run."""
    group = cli
    if words[:3] == ["python", "-m", "neurodeploy.training"]:
        pytest.importorskip("torch", reason="needs the extra train")
        from neurodeploy.training.commands import training as group

        words = words[2:]
    command = group.get_command(click.Context(group), words[1])
    assert command is not None, words
    command.make_context(words[1], words[2:])
