"""The tool that trains N-MNIST from scratch: int8 beside float, on stock neurons."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "nmnist_train1000.npz").exists(), reason="N-MNIST is not here")
def test_n_mnist_from_scratch():
    pytest.importorskip("snntorch")
    pytest.importorskip("nirtorch")
    arguments = ["tools/train_nmnist.py", "--data", str(SHARED), "--epochs", "12", "--json"]
    result = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(result.stdout)
    assert found["all neurons stock"]
    assert found["float, of 100"] >= 75
    assert abs(found["float, of 100"] - found["int8 on stock neurons, of 100"]) <= 2
