"""What a type checker sees of the public names; what their docstrings say: test_docstrings.py."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neurodeploy as nd

ROOT = Path(__file__).resolve().parents[2]
USER = """
import numpy as np
import neurodeploy as nd

x = np.zeros((4, 6), np.float32)
program: nd.Program = nd.compile("model.onnx", calibration=x, scheme="graded")
program.save("m.ndp")
result = nd.simulate(nd.load("m.ndp"), x)
share: float = result.accuracy(np.zeros(4))
reveal_type(program.latency)
reveal_type(result.predictions)
reveal_type(nd.tune("model.onnx", x).best.latency)
reveal_type(nd.map(program).ok)
wrong: str = program.latency
nd.compile("model.onnx", stepz="32", seed="x")
"""


def test_the_stub_has_the_public_names():
    stub = ast.parse((ROOT / "neurodeploy" / "__init__.pyi").read_text(encoding="utf-8"))
    names = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(names) == set(nd.__all__)
    for name, place in names.items():
        module, _, inside = place.rpartition(".")
        there = sys.modules.get(place) or getattr(__import__(module, fromlist=[inside]), inside)
        assert there is getattr(nd, name), name


#: What `mypy --strict` switches on for a file.
STRICT = (
    "disallow_any_generics", "disallow_subclassing_any", "disallow_untyped_calls",
    "disallow_untyped_defs", "disallow_incomplete_defs", "check_untyped_defs",
    "disallow_untyped_decorators", "warn_return_any", "strict_equality", "extra_checks",
)  # fmt: skip


def test_a_users_file_sees_types(tmp_path):
    """Strict for the user's file; the package as `make lint` checks it: its cache serves."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    user, settings = tmp_path / "user.py", tmp_path / "settings.toml"
    user.write_text(USER)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ours = text[text.index("[tool.mypy]") :]
    strict = "\n".join(f"{flag} = true" for flag in STRICT)
    settings.write_text(f'{ours}\n[[tool.mypy.overrides]]\nmodule = ["user"]\n{strict}\n')
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(settings), str(user)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    told = [line.partition("user.py:")[2] for line in done.stdout.splitlines() if "user.py" in line]
    types_seen = [line.split('"')[1] for line in told if "Revealed type" in line]
    assert types_seen[0] in ("int", "builtins.int"), done.stdout
    assert types_seen[1].startswith("numpy.ndarray")
    assert types_seen[2] in ("int", "builtins.int")
    assert types_seen[3] in ("bool", "builtins.bool")
    errors = [line for line in told if " error: " in line]
    assert len(errors) == 2, errors
    assert 'expression has type "int", variable has type "str"' in errors[0]
    assert 'incompatible type "str"; expected "int"' in errors[1]
