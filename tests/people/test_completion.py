"""Completion as a shell asks for it, in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from command_line import run


def asked(shell, words, tmp_path, **more):
    """What is offered after some words."""
    environment = os.environ | {"_NEURODEPLOY_COMPLETE": f"{shell}_complete", **more}
    if shell == "fish":
        environment |= {"COMP_WORDS": " ".join(words), "COMP_CWORD": words[-1]}
    else:
        environment |= {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "neurodeploy"], env=environment, cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell(shell, tmp_path):
    script = run("completion", shell, cwd=tmp_path).stdout
    assert f"_NEURODEPLOY_COMPLETE={shell}_complete" in script
    assert "simulate" in asked(shell, ["neurodeploy", "sim"], tmp_path)
    assert "--calibration" in asked(shell, ["neurodeploy", "tune", "--cal"], tmp_path)
    program = shutil.which(shell)
    if program is not None:
        checked = subprocess.run([program, "-n"], input=script, text=True, check=False, timeout=20)
        assert checked.returncode == 0


#: What the Tab key does with `neurodeploy comp`, in the shell itself; a line printed is an offer.
TABS = {
    "bash": (
        'eval "$(neurodeploy completion bash)"\n'
        "COMP_WORDS=(neurodeploy comp)\nCOMP_CWORD=1\n"
        '_neurodeploy_completion neurodeploy\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    ),
    # what the function hands to zsh's own _describe and compadd is printed in their place
    "zsh": (
        "autoload -Uz compinit && compinit -u -D\n"
        'eval "$(neurodeploy completion zsh)"\n'
        "_describe() { print -l ${${(P)@[3]}%%:*}; }\n"
        "compadd() { print -l ${(P)@[-1]}; }\n"
        "words=(neurodeploy comp); CURRENT=2\n_neurodeploy_completion\n"
    ),
    "fish": 'neurodeploy completion fish | source\ncomplete -C "neurodeploy comp"\n',
}


@pytest.mark.parametrize("shell", TABS)
def test_in_the_shell_itself(shell, tmp_path):
    """The function that the script defines, as the Tab key calls it."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "neurodeploy").write_text(f'#!/bin/sh\nexec {sys.executable} -m neurodeploy "$@"\n')
    (tmp_path / "neurodeploy").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "HOME": str(tmp_path)}
    done = subprocess.run(
        [program, "-c", TABS[shell]], env=environment, cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    offered = {line.split("\t")[0].strip() for line in done.stdout.splitlines()}
    assert offered >= {"compile", "compare", "completion"}, (done.stdout, done.stderr)
