"""`python -m neurodeploy.training`: its commands are the files of `training/commands/`."""

from __future__ import annotations

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


def test_only_the_training_room_imports_torch():
    root = PACKAGE.parent
    importing = {
        path.relative_to(root).parts[0]
        for path in root.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.lstrip().startswith(("import torch", "from torch", "from spikingjelly"))
    }
    assert importing <= {"training"}


def test_an_unknown_method_is_named():
    done = _run("nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr
