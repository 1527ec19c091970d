"""The numbers of a report are those of `simulate`, `explain`, `map` and `cost`."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import neurodeploy as nd
from neurodeploy.cli import cli
from neurodeploy.cost import estimate_cost
from neurodeploy.mapping import map_program
from neurodeploy.program import INPUT
from neurodeploy.reporting.page import sample_budget
from neurodeploy.reporting.page.early_readout import EarlyReadout
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.recording import record
from neurodeploy.simulator.simulation import simulate


def test_summary_rates_and_confusion_are_those_of_simulate(
    fashion_program, fashion_report, fashion_test
):
    content = fashion_report.content
    summary, n = content["summary"], content["summary"]["samples"]
    assert n == sample_budget.simulated(fashion_program)
    x, y = fashion_test
    result = nd.simulate(fashion_program, x[:n])
    assert summary["accuracy"] == result.accuracy(y[:n])
    assert summary["spikes_per_sample"] == result.spikes_per_sample
    assert summary["synaptic_operations_per_sample"] == result.synaptic_operations_per_sample
    assert summary["ann_accuracy"] > 90
    for layer in content["rates"]["layers"]:
        assert layer["spikes_per_sample"] == result.spikes[layer["name"]].mean()
        assert sum(layer["histogram"]) == layer["neurons"]
        # a rate code says a spike at every step at most
        mean = layer["spikes_per_neuron"] / fashion_program.period
        assert layer["mean"] == pytest.approx(mean, rel=1e-9)
    matrix = np.array(content["confusion"]["matrix"])
    assert matrix.sum() == n
    assert 100 * np.trace(matrix) / n == pytest.approx(summary["accuracy"])
    assert matrix.sum(1).tolist() == np.bincount(y[:n], minlength=10).tolist()


def test_the_ledger_is_that_of_explain(fashion, fashion_program, fashion_report, fashion_test):
    x, y = fashion_test
    few = sample_budget.explained(fashion_program)
    found = nd.explain(
        fashion_program, x[:few], y[:few], model=fashion / "model.onnx", try_seconds=0
    )
    ledger = fashion_report.content["ledger"]
    expected = json.loads(json.dumps(found.to_dict())) | {"model": "model.onnx"}
    assert json.loads(json.dumps(ledger)) == expected


def test_each_point_of_the_curve_is_a_shorter_run(fashion_program, fashion_report, fashion_test):
    x, y = fashion_test
    curve = fashion_report.content["curve"]
    n = curve["samples"]
    assert curve["steps"] == list(range(1, 33))
    assert curve["latency_steps"][-1] == fashion_program.latency
    assert curve["accuracy"][-1] == fashion_report.content["summary"]["accuracy"]
    for step in (1, 5, 20):
        shorter = replace(fashion_program, period=step)
        assert shorter.is_aligned
        assert curve["accuracy"][step - 1] == nd.simulate(shorter, x[:n]).accuracy(y[:n])


def test_a_time_code_read_early_is_what_the_membrane_holds(fashion_ttfs, fashion_test):
    program, window = fashion_ttfs, fashion_ttfs.period
    level = encoding.levels(program.encoder, fashion_test[0][:3])
    fired = activity(program, level).fired
    steps = list(range(1, window + 1))
    early = EarlyReadout(program).membranes(level, 0, fired, steps)
    for k in range(3):
        kept = record(program, level[k], k).membrane[program.decoder.population]
        np.testing.assert_array_equal(early[:, k], kept)


def test_curve_of_a_time_code_ends_where_simulate_does(fashion_ttfs_report):
    content = fashion_ttfs_report.content
    assert content["curve"]["accuracy"][-1] == content["summary"]["accuracy"]
    assert content["curve"]["agreement_with_last_step"][-1] == 100
    assert "the largest values of a time code" in content["curve"]["reading"]


def test_the_spikes_of_each_neuron(fashion_program, fashion_test):
    x = fashion_test[0][:5]
    sent: dict[str, np.ndarray] = {}
    simulate(fashion_program, x, sent=sent, threads=2)
    messages = activity(fashion_program, encoding.levels(fashion_program.encoder, x)).sent
    for name, counts in messages.items():
        np.testing.assert_array_equal(sent[name], counts.sum(0))


@pytest.mark.parametrize("name", ["fashion_report", "fashion_ttfs_report"])
def test_cores_and_energy(request, name, fashion_program, fashion_ttfs, fashion_test):
    content = request.getfixturevalue(name).content
    timed = name == "fashion_ttfs_report"
    program = fashion_ttfs if timed else fashion_program
    x = fashion_test[0][: content["summary"]["samples"]]
    result = nd.simulate(program, x)
    level = encoding.levels(program.encoder, x)
    spikes = {name: rows.mean() for name, rows in result.spikes.items()}
    spikes[INPUT] = np.count_nonzero(level) / len(x) * (1 if timed else program.period)
    mapping = map_program(program, program.target, spikes)
    shown = [(c["index"], c["chip"], c["x"], c["y"]) for c in content["cores"]["cores"]]
    assert shown == [(c.index, c.chip, c.x, c.y) for c in mapping.cores]
    model = "loihi1-davies2018" if timed else None
    cost = estimate_cost(program, x, program.target, mapping=mapping, energy_model=model)
    energy = content["energy"]
    assert energy["energy"] == cost.energy
    assert (cost.energy is not None) == timed
    assert [line["count"] for line in energy["lines"]] == [line.count for line in cost.lines]
    assert energy["seconds"] == cost.seconds


def test_the_raster_is_the_sample(fashion_program, fashion_report, fashion_test):
    level = encoding.levels(fashion_program.encoder, fashion_test[0][:1])[0]
    messages = encoding.encode(fashion_program.encoder, level, fashion_program.period, 0)
    silence = np.zeros((fashion_program.latency - len(messages), level.size), np.int32)
    trace = Engine(fashion_program).run_stream(np.concatenate([messages, silence]))
    raster = fashion_report.content["raster"]
    assert sum(len(p["shown"]) for p in raster["populations"]) <= 400
    for band in raster["populations"]:
        first, last = band["window"]
        spikes = trace.spikes[band["name"]][first - 1 : last]
        assert band["all_spikes"] == spikes.sum()
        for neuron, steps in zip(band["shown"], band["spikes"], strict=True):
            assert steps == (np.flatnonzero(spikes[:, neuron]) + first).tolist()
    outputs = fashion_report.content["traces"]["populations"][-1]
    expected = nd.simulate(fashion_program, fashion_test[0][:1]).outputs[0]
    for neuron, values in zip(outputs["neurons"], outputs["membranes"], strict=True):
        assert np.float32(values[-1]) == expected[neuron]


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 8, "mean": (-0.5,), "std": (0.25,), "balance": "mmse"},
        {"scheme": "ttfs", "steps": 8, "percentile": 99.0, "input_range": (-1.0, 2.0)},
        {"scheme": "radix", "bits": 4, "step": "layer", "bias_correction": False},
        {"encoding": "poisson", "reset": "zero", "seed": 5, "steps": 4, "l4": True},
    ],
)
def test_the_commands_make_it_again(make, tmp_path, monkeypatch, options):
    model, x, y = make()
    program = nd.compile(model, x, **options)
    program.save(tmp_path / "p.ndp")
    before = hashlib.sha256((tmp_path / "p.ndp").read_bytes()).hexdigest()
    np.savez(tmp_path / "CALIBRATION.npz", x=x)
    monkeypatch.chdir(tmp_path)
    report = nd.report(program, x, y, model=model, names={"program": "p.ndp", "data": "t.npz"})
    origin = report.content["origin"]
    again = CliRunner().invoke(cli, shlex.split(origin["compile"])[1:], catch_exceptions=False)
    assert again.exit_code == 0, again.output
    assert hashlib.sha256((tmp_path / "p.ndp").read_bytes()).hexdigest() == before
    made = CliRunner().invoke(
        cli, [*shlex.split(origin["report"])[1:], "--format", "json"], catch_exceptions=False
    )
    assert json.loads(made.stdout) == json.loads(report.json())
    run = CliRunner().invoke(
        cli, [*shlex.split(origin["simulate"])[1:], "--json"], catch_exceptions=False
    )
    assert json.loads(run.stdout)["accuracy"] == report.content["summary"]["accuracy"]


def test_twice_is_the_same(make):
    model, x, y = make()
    program = nd.compile(model, x)
    one = nd.report(program, x, y, model=model, threads=1)
    two = nd.report(program, x, y, model=model, threads=2)
    assert one.html() == two.html()
