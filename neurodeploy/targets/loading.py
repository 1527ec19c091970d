"""Targets by name or by the path of a file of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path

from neurodeploy.errors import NeuroDeployError, TargetError, UsageError, shown
from neurodeploy.files import read_bytes
from neurodeploy.targets.reading import read_target
from neurodeploy.targets.target import Target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["load_target", "target_folder", "target_names", "target_of"]


def target_folder() -> Path:
    """Where the target files lie: in the installed package, or in a source checkout."""
    here = Path(__file__).resolve().parent.parent
    installed = here / "_targets"
    return installed if installed.is_dir() else here.parent / "targets"


def target_names() -> tuple[str, ...]:
    """Names of the targets that come with neurodeploy."""
    return tuple(sorted(path.stem for path in target_folder().glob("*.toml")))


def load_target(name: str) -> Target:
    """A target by name, or by the path of a TOML file of the user's own.

    Raises
    ------
    TargetError
        Unknown name, missing file, malformed TOML; a key missing, unknown, of the wrong type or
        out of range: the message names file, section and key.
    """
    if name in target_names():
        path = target_folder() / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise TargetError(
            f"no target is called {shown(name)}; there are {', '.join(target_names())}",
            place="--target",
            remedy="choose one of these, or give the path of a .toml file of your own",
        )
    try:
        data = tomllib.loads(read_bytes(path, 2**20).decode())
    except NeuroDeployError as error:
        raise TargetError(error.message, place=str(path)) from None
    except (ValueError, RecursionError) as error:  # an integer of 5000 digits is a ValueError
        raise TargetError(f"not valid TOML: {str(error)[:200]}", place=str(path)) from None
    return read_target(data, str(path))


def target_of(own: str, wanted: str | Target | None = None) -> Target:
    """The target that is wanted, or else a program's own.

    Refused: nothing is wanted, and the program's own is a file of somebody's, which must be named.

    Parameters
    ----------
    own
        Name that the program holds.
    wanted
        Name, path of a TOML file, or a target that is loaded.

    Raises
    ------
    NeuroDeployError
        TargetError: no such target. UsageError: as above.
    """
    if isinstance(wanted, Target):
        return wanted
    # a program cannot be made to read a file by the path that it holds
    if wanted is None and own not in target_names():
        raise UsageError(
            f"the program is for a target {own!r} that does not come along",
            place="--target",
            remedy="give its .toml file with --target",
        )
    return load_target(own if wanted is None else wanted)
