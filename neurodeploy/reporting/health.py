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
_LAVA = ("lava-nc", "asteval", "scikit-learn")


def _package(name: str, hint: str) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": metadata.version(name)}
    except metadata.PackageNotFoundError:
        return {"name": name, "ok": False, "detail": f"not installed; {hint}"}


def examine() -> dict[str, Any]:
    """Checks with name, ok and detail; `ok` over those the main job needs."""
    supported = (3, 10) <= sys.version_info < (3, 14)
    checks = [
        {
            "name": "python",
            "ok": supported,
            "detail": f"{platform.python_version()} on {platform.machine()}"
            + ("" if supported else "; 3.10 to 3.13 are supported"),
        },
        *(_package(name, "pip install neurodeploy-compiler") for name in _CORE),
        *(_package(name, "make setup (docs/lava.md)") for name in _LAVA),
        _lava_imports(),
        _engine(),
        {
            "name": "Loihi hardware",
            "ok": _has("lava-loihi"),
            "detail": "Intel's closed lava-loihi; programs run on the simulator and on Lava's CPU "
            "runtime without it",
        },
    ]
    optional = {"Loihi hardware"}
    return {
        "ok": all(check["ok"] for check in checks if check["name"] not in optional),
        "checks": checks,
    }


def _has(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _lava_imports() -> dict[str, Any]:
    try:
        from neurodeploy.lava.compat import require_lava

        require_lava()
    except NeuroDeployError as error:
        return {"name": "lava runtime", "ok": False, "detail": error.message}
    return {"name": "lava runtime", "ok": True, "detail": "ready"}


def _engine() -> dict[str, Any]:
    from neurodeploy.simulator.threads import default_threads

    return {"name": "engine", "ok": True, "detail": f"{default_threads()} threads"}
