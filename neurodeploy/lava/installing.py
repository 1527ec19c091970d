"""Lava into this Python, past what its metadata says; see `compat` for why that works."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable

from neurodeploy.errors import DeploymentError
from neurodeploy.lava.compat import LAVA_VERSION, require_lava

__all__ = ["NEEDED", "commands", "install"]

#: What lava-nc imports, as the `lava` extra of pyproject.toml names it.
NEEDED = ("asteval>=1.0", "scikit-learn>=1.3")


def commands() -> list[list[str]]:
    """The commands that install Lava, by pip, or by uv where the environment has no pip.

    Raises
    ------
    DeploymentError
        There is neither.
    """
    lava = f"lava-nc=={LAVA_VERSION}"
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
        return [
            [*pip, *NEEDED],
            [*pip, "--no-deps", "--ignore-requires-python", lava],
        ]
    uv = shutil.which("uv")
    if uv is None:
        raise DeploymentError(
            "this Python has neither pip nor uv",
            place="lava",
            remedy=f"{sys.executable} -m ensurepip, then again",
        )
    # uv has no way past Requires-Python: pip does that, run by uv, into this environment
    target = [uv, "pip", "install", "--python", sys.executable]
    return [
        [*target, *NEEDED, "pip"],
        [sys.executable, "-m", "pip", "install", "--no-deps", "--ignore-requires-python", lava],
    ]


def install(say: Callable[[str], None]) -> None:
    """Run `commands`, and see that Lava is there afterwards; nothing where it is there already.

    Parameters
    ----------
    say
        Called with each command before it runs.

    Raises
    ------
    DeploymentError
        A command failed; its last lines are in the message.
    """
    try:
        require_lava()
    except DeploymentError:
        pass
    else:
        return
    for command in commands():
        say(" ".join(command))
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            last = "\n  ".join(done.stdout.strip().splitlines()[-5:])
            raise DeploymentError(
                f"`{' '.join(command)}` failed:\n  {last}",
                place="lava",
                remedy="run it by hand; it needs a connection to the package index",
            )
    importlib.invalidate_caches()
    require_lava()
