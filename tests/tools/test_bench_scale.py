"""tools/bench_scale.py: its networks are what they are called, and all phases are measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from scale_bench import networks

TOOL = Path(networks.__file__).resolve().parents[1] / "bench_scale.py"


@pytest.mark.parametrize(
    ("name", "millions"),
    # of weights, as the papers state them (with the batch norms' four numbers a channel)
    [("resnet50", 25.6), ("mobilenet_v1", 4.25), ("mobilenet_v2", 3.54), ("resnet56", 0.86)],
)
def test_as_many_weights_as_in_the_papers(name, millions):
    make, side = networks.NETWORKS[name]
    model = make(side, 0)
    onnx.checker.check_model(model)
    weights = sum(int(np.prod(w.dims)) for w in model.graph.initializer)
    assert weights / 1e6 == pytest.approx(millions, rel=0.02)


def test_all_phases():
    command = [sys.executable, str(TOOL), "--networks", "resnet56", "--steps", "4", "--json"]
    command += ["--try-samples", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    found = json.loads(run.stdout)
    assert "failed" not in found
    assert found["network"] == "resnet56"
    assert found["fits"] is True
    assert found["populations"] >= 56
    for phase in ("compile", "save", "load", "map", "first", "next"):
        assert found[f"{phase}_s"] >= 0
        assert found[f"{phase}_peak_gb"] > 0
