"""`python -m neurodeploy.training`: its commands are the files of `training/commands/`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import neurodeploy.training
from neurodeploy.training.commands import training

PACKAGE = Path(neurodeploy.training.__file__).parent


def _run(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    code = (
        f"{before}\nimport runpy, sys\nsys.argv = ['training', *{list(arguments)!r}]\n"
        "runpy.run_module('neurodeploy.training', run_name='__main__')\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_every_file_is_a_command():
    files = {path.stem.replace("_", "-") for path in (PACKAGE / "commands").glob("*.py")}
    names = set(training.list_commands(training.make_context("t", [], resilient_parsing=True)))
    assert "mlf" in names
    assert names == files - {"--init--"}


def test_without_torch_it_says_what_to_install():
    hidden = "import sys\nsys.modules.update(torch=None, spikingjelly=None)"
    assert _run("--help", before=hidden).returncode == 0
    done = _run("mlf", "--data", "none", "-o", "none", before=hidden)
    assert done.returncode == 2
    assert "neurodeploy-compiler[train]" in done.stderr


class _Imported(ast.NodeVisitor):
    """Packages that are imported when a file runs, not only for its types."""

    def __init__(self, path):
        self.found = set()
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_If(self, node):
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node):
        self.found |= {name.name.split(".")[0] for name in node.names}

    def visit_ImportFrom(self, node):
        self.found.add((node.module or "").split(".")[0])


def test_torch_is_imported_where_it_trains_and_where_modules_come_in():
    root = PACKAGE.parent
    importing = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if {"torch", "spikingjelly"} & _Imported(path).found
    }
    elsewhere = {name for name in importing if not name.startswith("training/")}
    assert elsewhere == {"importing/reading/torch_modules.py"}


def test_an_unknown_method_is_named():
    done = _run("nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr
