"""docs/extending.md, run as it stands."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.conversion import scheme as schemes_room
from neurodeploy.errors import ProgramError, UsageError
from neurodeploy.program.neurons import registry
from neurodeploy.simulator import reference

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page's code, run in a module of its own; what it registers is forgotten afterwards."""
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    monkeypatch.setattr(schemes_room, "_SCHEMES", dict(schemes_room._SCHEMES))
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("extending_page")
    monkeypatch.setitem(sys.modules, "extending_page", module)
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        exec(compile(block, str(PAGE), "exec"), module.__dict__)
    return module.__dict__


def test_the_kind_of_the_page(page):
    program, result = page["program"], page["result"]
    x = np.array([[3, 1], [0, 2]], np.int32)
    sent = np.concatenate([np.repeat(row[None], program.period, 0) for row in x])
    trace = reference.run(program, np.concatenate([sent, np.zeros((4, 2), np.int32)]))
    last = [program.population("out").phase + (k + 1) * program.period - 2 for k in range(2)]
    np.testing.assert_array_equal(result.outputs, trace.membrane["out"][last])
    assert trace.spikes["hidden"].any()
    assert nd.map(program).cores


def test_the_scheme_of_the_page(page, fashion, fashion_calibration):
    x = fashion_calibration[:64].astype(np.float32) / 255
    options = {"calibration": x, "steps": 4, "try_samples": 0, "warn": lambda line: None}
    usual = nd.compile(fashion / "model.onnx", **options)
    wide = nd.compile(fashion / "model.onnx", scheme="cautious", margin=1.5, **options)
    for name in (p.name for p in usual.populations[:-1]):
        ratio = wide.population(name).spike_value / usual.population(name).spike_value
        assert ratio == pytest.approx(1.5, rel=0.05)
    with pytest.raises(UsageError, match=r"outside 1\.\.4"):
        nd.compile(fashion / "model.onnx", scheme="cautious", margin=9.0, **options)
    with pytest.raises(UsageError, match="cautious would take it"):
        nd.compile(fashion / "model.onnx", scheme="rate", margin=1.2, **options)


def test_a_kind_that_is_not_installed(page, monkeypatch):
    page["program"].save("r.ndp")
    monkeypatch.setattr(registry, "_KINDS", {"lif": registry._KINDS["lif"]})
    with pytest.raises(nd.NeuroDeployError, match="'refractory' is unknown"):
        nd.load("r.ndp")


def test_kinds_that_lack_something():
    with pytest.raises(ProgramError, match="derive it from"):
        registry.register(int)
    from neurodeploy.program.neurons import Neuron

    with pytest.raises(ProgramError, match="needs a `kind`"):
        registry.register(type("Nameless", (Neuron,), {}))
    with pytest.raises(ProgramError, match="has no `step`"):
        registry.register(type("Stepless", (Neuron,), {"kind": "x", "description": "y"}))
    taken = {"kind": "lif", "description": "y", "step": lambda *_: None}
    with pytest.raises(ProgramError, match="is there already"):
        registry.register(type("Other", (Neuron,), taken))
