"""What a type checker and a reader of docstrings see of the public names."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import neurodeploy as nd
from neurodeploy.comparing import Comparison
from neurodeploy.ledger import Explanation
from neurodeploy.mapping import Mapping
from neurodeploy.recording import Rasters
from neurodeploy.simulator.result import Result
from neurodeploy.tuning import Tuning

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


def functions():
    """Public functions, by name."""
    found = {name: getattr(nd, name) for name in nd.__all__}
    plots = {f"plot.{name}": getattr(nd.plot, name) for name in nd.plot.__all__}
    return {
        name: value
        for name, value in (found | plots).items()
        if isinstance(value, types.FunctionType)
    }


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


def test_every_public_function_says_all():
    """Parameters, what comes back, what is raised: each in its section, by its name."""
    parser = pytest.importorskip("docstring_parser", reason="docstring_parser is not installed")
    found = functions()
    assert len(found) >= 20
    lacking = []
    for name, function in found.items():
        page = parser.parse(inspect.getdoc(function), style=parser.DocstringStyle.NUMPYDOC)
        said = {part.strip() for p in page.params for part in p.arg_name.split(",")}
        asked = inspect.signature(function)
        if not page.short_description:
            lacking.append(f"{name}: no summary")
        lacking += [f"{name}: {p} is not said" for p in asked.parameters if p not in said]
        if asked.return_annotation not in (None, "None") and page.returns is None:
            lacking.append(f"{name}: no Returns")
        if not page.raises:
            lacking.append(f"{name}: no Raises")
    assert lacking == []


def test_what_takes_samples_says_their_shape():
    """Shape and unit of what goes in, and the source of a method that is somebody's."""
    for name, function in functions().items():
        text = inspect.getdoc(function) or ""
        names = inspect.signature(function).parameters
        if {"x", "calibration"} & set(names):
            assert "(n" in text or "As for `" in text, name
    for name in ("compile", "tune", "export"):
        assert "References" in (inspect.getdoc(getattr(nd, name)) or ""), name


def test_public_classes_and_their_methods_are_documented():
    kinds = [getattr(nd, name) for name in nd.__all__ if inspect.isclass(getattr(nd, name))]
    kinds += [Result, Tuning, Explanation, Mapping, Comparison, Rasters]
    bare = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, member in vars(kind).items()
        if not name.startswith("_")
        and (isinstance(member, property) or inspect.isfunction(member))
        and not inspect.getdoc(member)
    ]
    assert bare == []
    assert all(inspect.getdoc(kind) for kind in kinds)
