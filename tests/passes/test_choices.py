"""What a compiler chose, and what the other way costs: told in the program, and by `inspect`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.program.choices import Choice, choices_of
from neurodeploy.reporting.inspection import describe

FASHION = Path(__file__).resolve().parents[2] / "models" / "fashion_cnn"


def test_rows_of_another_maker_are_left_out():
    good = Choice("a", "this", "that", "cheap", {"neurons": 3}, {"neurons": 4})
    rows = [good.as_dict(), 3, {"layer": "b"}, good.as_dict() | {"cost": {"neurons": "many"}}]
    assert choices_of({"choices": rows}) == (good,)
    assert choices_of({"choices": "none"}) == choices_of({}) == ()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("target", "chosen"), [("loihi1", True), ("loihi2", False)])
def test_a_pooling(target, chosen, tmp_path):
    """Folded its last layer reads more sources than a core of Loihi 1 has axons for."""
    with np.load(FASHION / "calibration.npz") as data:
        x = data["x"][:16]
    program = nd.compile(FASHION / "model.onnx", x, "rate", steps=4, target=target, try_samples=0)
    pools = [c for c in choices_of(program.provenance) if "folded" in (c.chosen + c.instead)]
    assert pools
    apart = [c for c in pools if c.chosen == "a population of its own"]
    assert bool(apart) == chosen
    for c in pools:
        assert set(c.cost) == set(c.cost_instead) == {"neurons", "weights", "fan-in"}
        folded, own = (c.cost, c.cost_instead) if c not in apart else (c.cost_instead, c.cost)
        assert own["neurons"] > folded["neurons"] == 0
        assert folded["fan-in"] >= own["fan-in"]
    assert [Choice(**row) for row in describe(program)["choices"]] == pools
    program.save(tmp_path / "p.ndp")
    assert choices_of(nd.load(tmp_path / "p.ndp").provenance) == choices_of(program.provenance)
