"""Lava present, missing, of another version, and imported on any Python."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from neurodeploy.errors import DeploymentError
from neurodeploy.lava import compat

pytestmark = pytest.mark.lava


def in_new_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_lava_in_a_fresh_process_restores_the_decorator() -> None:
    found = in_new_process(
        "import dataclasses\n"
        "before = dataclasses.dataclass\n"
        "from neurodeploy.lava.compat import import_lava\n"
        "import_lava()\n"
        "import lava.magma.compiler.var_model as m\n"
        "from lava.magma.compiler.compiler import Compiler\n"
        "print(dataclasses.dataclass is before, m.CoreEncoder().x == m.ByteEncoder())"
    )
    assert found == "True True"


def test_what_runs_lava_imports_no_compiler() -> None:
    found = in_new_process(
        "import sys\n"
        "import neurodeploy.lava.worker, neurodeploy.lava.deploy\n"
        "from neurodeploy.lava.compat import import_lava\n"
        "import_lava()\n"
        "import neurodeploy.lava.lowering, neurodeploy.lava.processes.models\n"
        "heavy = {'onnx', 'onnxruntime', 'onnxscript', 'onnx_ir', 'numba', 'torch', 'click'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert found == "[]"


def test_importing_the_package_does_not_import_lava() -> None:
    found = in_new_process(
        "import sys, neurodeploy.lava.deploy, neurodeploy.lava.lowering\n"
        "print([m for m in sys.modules if m == 'lava' or m.startswith('lava.')])"
    )
    assert found == "[]"


def test_missing_lava_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(compat.metadata, "version", missing)
    with pytest.raises(DeploymentError, match="lava-nc is not installed") as caught:
        compat.require_lava()
    assert "neurodeploy setup-lava" in caught.value.remedy
    assert caught.value.place == "lava"


def test_another_version_of_lava_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat.metadata, "version", lambda name: "0.9.0")
    with pytest.raises(DeploymentError, match=r"lava-nc 0\.9\.0 is installed, 0\.10\.0 is needed"):
        compat.require_lava()


def test_missing_needs_of_lava_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat.metadata, "version", lambda name: compat.LAVA_VERSION)
    monkeypatch.setattr(compat.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DeploymentError, match="scipy, asteval, scikit-learn"):
        compat.require_lava()


def test_hardware_is_refused() -> None:
    with pytest.raises(DeploymentError, match="no Loihi chip can be used"):
        compat.refuse_hardware()
