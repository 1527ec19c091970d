"""tools/accuracy_deep.py on a network of eight layers that is hardly trained."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the tool trains with torch")
DATA = Path("/usr/share/datasets/fashion-mnist")
TOOL = Path(__file__).resolve().parents[2] / "tools" / "accuracy_deep.py"


@pytest.mark.skipif(not DATA.exists(), reason="needs the package dataset-fashion-mnist")
def test_signed_spikes_say_what_the_network_says(tmp_path):
    command = [sys.executable, "-W", "ignore", str(TOOL), "--blocks", "1", "--train", "2560",
               "--epochs", "1", "--samples", "50", "--calibration-samples", "50",
               "--model", str(tmp_path / "deep.onnx"), "--run", "rate:steps=32"]  # fmt: skip
    found = []
    for _ in range(2):  # the second time with the network that is there
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        found.append([json.loads(line) for line in done.stdout.splitlines()])
    assert found[0] == found[1]
    ann, rate = found[0]
    assert ann["layers"] == 8
    assert rate["agreement"] >= 90
    assert rate["latency"] > 32
