"""Models mutated at random are refused cleanly or equal ONNX Runtime; tools/fuzz_importer.py has
the mutations and the oracle, and runs thousands."""

import argparse
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("resource")  # POSIX only
TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture(scope="module", autouse=True)
def tools():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOLS)
        yield


@pytest.fixture(scope="module")
def seeds():
    from importer_fuzz.seeds import generated_seeds

    return {seed.name: seed.load() for seed in generated_seeds()}


def explained(results):
    from importer_fuzz.oracle import FAILURES

    return [result for result in results if result["outcome"] in FAILURES]


def test_mutants():
    import fuzz_importer

    options = argparse.Namespace(
        seed=15, start=0, count=250, minutes=None, time_limit=20.0, memory_limit=4096, keep=None
    )
    seeds = fuzz_importer.all_seeds([], ["generated"])
    records = fuzz_importer.fuzz(options, seeds)
    assert not explained(records)
    # The mutations are neither all harmless nor all fatal.
    outcomes = [record["outcome"] for record in records]
    assert outcomes.count("equal") >= 25
    assert outcomes.count("refused") >= 100
    assert outcomes.count("ort-refuses") <= 50
    assert "| all |" in fuzz_importer.summary(records)


def test_seeds_themselves(seeds, tmp_path):
    from importer_fuzz.oracle import judge

    results = []
    for name, model in seeds.items():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(model.SerializeToString())
        results.append({"seed": name, **judge(path)})
    assert not explained(results)
    assert not [r for r in results if r["outcome"] in ("ort-refuses", "rounding", "non-finite")]
    assert sum(result["outcome"] == "equal" for result in results) >= 40


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(["residual", "conv-bn", "mlp", "reshape"]), st.randoms())
def test_mutants_by_hypothesis(seeds, tmp_path, name, rng):
    from importer_fuzz.mutations import mutate
    from importer_fuzz.oracle import judge

    content, changes = mutate(seeds[name], rng)
    path = tmp_path / "mutant.onnx"
    path.write_bytes(content)
    assert not explained([{"changes": changes, **judge(path)}])


def test_same_seed_same_mutants(seeds):
    from importer_fuzz.mutations import mutate

    for name, model in seeds.items():
        before = model.SerializeToString()
        first, second = (mutate(model, random.Random(name)) for _ in range(2))
        assert first == second
        assert model.SerializeToString() == before


def test_oracle_sees_a_wrong_network(seeds, tmp_path, monkeypatch):
    from importer_fuzz import oracle

    wrong = type(seeds["matmul-left"])()
    wrong.CopyFrom(seeds["matmul-left"])
    weight = bytearray(wrong.graph.initializer[0].raw_data)
    weight[3] ^= 0x80  # the sign of one number
    wrong.graph.initializer[0].raw_data = bytes(weight)
    paths = [tmp_path / "right.onnx", tmp_path / "wrong.onnx"]
    for path, model in zip(paths, (seeds["matmul-left"], wrong), strict=True):
        path.write_bytes(model.SerializeToString())
        assert oracle.judge(path)["outcome"] == "equal"
    load = oracle.load_network
    monkeypatch.setattr(oracle, "load_network", lambda _: load(paths[1]))
    assert oracle.judge(paths[0])["outcome"] == "wrong"
    monkeypatch.setattr(oracle, "load_network", lambda _: 1 // 0)
    assert oracle.judge(paths[0])["outcome"] == "traceback"
    monkeypatch.setattr(oracle, "load_network", load)
    monkeypatch.setattr(oracle, "check", lambda path: oracle.Report(str(path), (), None))
    assert oracle.judge(paths[0])["outcome"] == "check-disagrees"


READY = "import time; print('{}', flush=True); input();"


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("time.sleep(60)", "hang"),
        ("import os; os.abort()", "crash"),
        ('print(\'{"phase": "compare"}\', flush=True); raise SystemExit(3)', "ort-refuses"),
    ],
)
def test_worker_outlives_its_process(tmp_path, script, outcome):
    from importer_fuzz.worker import Worker

    ready = READY.replace("{}", '{"phase": "ready"}')
    with Worker([sys.executable, "-c", ready + script], 1.0, 2**30) as worker:
        for _ in range(2):
            assert worker.judge(tmp_path)["outcome"] == outcome
