"""What `neurodeploy doctor` looks at."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import Any

from neurodeploy.errors import NeuroDeployError

__all__ = ["examine"]

_CORE = (
    "numpy",
    "scipy",
    "networkx",
    "onnx",
    "onnxscript",
    "onnx-ir",
    "onnxruntime",
    "numba",
    "click",
    "jinja2",
    "pymetis",
    "rich",
)
_MAIN = "compile, simulate, map, report"
#: What is optional: the packages, what they are for, and the command that brings them.
_OPTIONAL = (
    (("lava-nc", "asteval", "scikit-learn"), "deploy", "neurodeploy setup-lava"),
    (("torch",), "torch modules, training", "pip install 'neurodeploy-compiler[torch]'"),
    (("nir", "h5py"), "NIR graphs", "pip install 'neurodeploy-compiler[nir]'"),
    (("faery",), "files of event cameras", "pip install 'neurodeploy-compiler[events]'"),
    (("pillow",), "folders of images", "pip install 'neurodeploy-compiler[images]'"),
    (("matplotlib",), "plots", "pip install 'neurodeploy-compiler[plot]'"),
    (("pandas",), "to_frame()", "pip install pandas"),
    (("distributed",), "simulate --workers", "pip install 'neurodeploy-compiler[cluster]'"),
)


def examine() -> dict[str, Any]:
    """Checks with name, ok, detail and what each is needed for; what is missing, with commands.

    `ok` says whether compiling and simulating work.
    """
    supported = (3, 10) <= sys.version_info < (3, 14)
    told = f"{platform.python_version()} on {platform.machine()}"
    main = [
        _check("python", supported, told + ("" if supported else "; 3.10 to 3.13 are supported")),
        *(_package(name) for name in _CORE),
        _engine(),
    ]
    missing = []
    lacking = [check["name"] for check in main if not check["ok"]]
    if lacking:
        command = "pip install --upgrade neurodeploy-compiler" if supported else (
            "install Python 3.10 to 3.13, then pip install neurodeploy-compiler"
        )  # fmt: skip
        missing.append({"needed_for": _MAIN, "parts": lacking, "command": command})
    optional = []
    for names, purpose, command in _OPTIONAL:
        found = [_package(name, purpose) for name in names]
        if "lava-nc" in names and all(check["ok"] for check in found):
            found.append(_lava(purpose))
        optional += found
        absent = [check["name"] for check in found if not check["ok"]]
        if absent:
            missing.append({"needed_for": purpose, "parts": absent, "command": command})
    closed = _package("lava-loihi", "a Loihi board")
    closed["detail"] = "Intel's closed package; simulator and Lava do without it"
    return {"ok": not lacking, "missing": missing, "checks": [*main, *optional, closed]}


def _check(name: str, ok: bool, detail: str, purpose: str = _MAIN) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail, "needed_for": purpose}


def _package(name: str, purpose: str = _MAIN) -> dict[str, Any]:
    try:
        return _check(name, True, metadata.version(name), purpose)
    except metadata.PackageNotFoundError:
        return _check(name, False, "not installed", purpose)


def _lava(purpose: str) -> dict[str, Any]:
    from neurodeploy.lava.compat import require_lava

    try:
        require_lava()
    except NeuroDeployError as error:
        return _check("lava runtime", False, error.message, purpose)
    return _check("lava runtime", True, "ready", purpose)


def _engine() -> dict[str, Any]:
    try:
        from neurodeploy.simulator.threads import default_threads

        return _check("engine", True, f"{default_threads()} threads")
    except ImportError as error:
        return _check("engine", False, str(error))
