"""Our models of Lava's own processes: chosen by tag, equal to its own to the last bit."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurodeploy.lava import run as run_module
from neurodeploy.lava.run import run
from neurodeploy.simulator import reference
from neurodeploy.testing import random_program

pytestmark = [
    pytest.mark.lava,
    pytest.mark.skipif(importlib.util.find_spec("lava") is None, reason="Lava is not installed"),
    pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="Numba is not installed"),
]


@pytest.fixture(scope="module")
def compared() -> dict[str, list[int]]:
    """By kind: values compared, sums that wrapped."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("model_pairs.py")), "80"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("kind", ["conv", "dense", "sparse", "lif"])
def test_every_message_equals_that_of_the_stock_model(
    compared: dict[str, list[int]], kind: str
) -> None:
    """Any geometry, sign mode, exponent, payload; variables set while running."""
    assert compared[kind][0] > 5000


def test_sums_that_wrap_were_among_them(compared: dict[str, list[int]]) -> None:
    assert compared["conv"][1] > 20


NETWORK = """
import numpy as np
from neurodeploy.lava.compat import import_lava
import_lava()
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF
from neurodeploy.lava.fast.selection import FastSimCfg

for choice in (FastSimCfg(), Loihi2SimCfg(select_tag="fixed_pt")):
    first = LIF(shape=(4,), bias_mant=np.arange(4) * 90, vth=3, dv=100)
    dense = Dense(weights=np.arange(-6, 6).reshape(3, 4) * 10)
    second = LIF(shape=(3,), vth=2, du=1000)
    first.s_out.connect(dense.s_in)
    dense.a_out.connect(second.a_in)
    second.create_runtime(run_cfg=choice)
    second.run(condition=RunSteps(num_steps=20))
    print(second.u.get().tolist(), second.v.get().tolist(), dense.weights.get().sum())
    second.stop()
"""


def test_any_network_of_lava_can_have_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NETWORK], capture_output=True, text=True, timeout=120, check=False
    )
    fast, stock = done.stdout.splitlines()
    assert fast == stock
    assert "[0, 0, 0]" not in fast, done.stderr


def test_without_numba_stock_models_run(monkeypatch: pytest.MonkeyPatch) -> None:
    program, messages = random_program(np.random.default_rng(100), stock=True, max_depth=2)
    assert run(program, messages, timeout=60).models == "neurodeploy"
    find = importlib.util.find_spec
    monkeypatch.setattr(
        run_module.importlib.util,
        "find_spec",
        lambda name, *more: None if name == "numba" else find(name, *more),
    )
    found = run(program, messages, timeout=60)
    assert found.models == "lava"
    expected = reference.run(program, messages)
    for name, spikes in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], spikes)
