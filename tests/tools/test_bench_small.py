"""tools/bench_small.py measures what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import bench_small


@pytest.mark.filterwarnings("ignore")
def test_one_network():
    found = bench_small.measure("fashion_cnn", "radix", 20, Path("nowhere"))
    assert found["accuracy"] > 70
    assert found["images_s"] > 0
    assert 500 < found["program_kb"] < 5000
    assert found["cores"] > 50


def test_networks_that_are_not_there_are_left_out():
    assert [name for name, *_ in bench_small.networks(Path("nowhere"))] == ["fashion_cnn"]
