"""The report: definitions, models found and refused, real networks."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import DataError, ModelError, NeuroDeployError, ProgramError, UsageError
from neurodeploy.ledger.report import CAUSES
from neurodeploy.ledger.source_model import find_model, reference_network
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.stages import operator_matrix, stages

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_definitions_in_plain_numpy(made, scheme):
    """Alone: what each column says, computed here from the program's own integers."""
    program = nd.compile(
        made.path, made.x, scheme, 32, balance="percentile", percentile=95, bias_correction=False
    )
    found = nd.explain(program, made.x, model=made.path)
    taps = [n.activation for n in stages(made.network)[:-1]]
    exact = Evaluator(made.network, taps).run(made.x)
    first, second = stages(made.network)[:2]
    a, b = (exact[s.activation].reshape(len(made.x), -1).astype(float) for s in (first, second))
    p = program.population(second.name)
    level, row, steps = p.spike_values, found.row(second.name), program.period

    def error(x):
        return np.linalg.norm(x - b) / np.linalg.norm(b)

    assert row.alone["clipping"] == pytest.approx(error(np.minimum(b, level)), rel=1e-4)
    grid = np.floor(b / level * steps + 0.5) * level / steps
    assert row.alone["steps"] == pytest.approx(error(grid), rel=1e-2)
    (c,) = program.incoming(p.name)
    path = replace(second.paths[0].operator, weight=c.synapses.weights.astype(np.float32))
    weights = operator_matrix(path, program.shape_of(c.source)).toarray() * 2.0**c.exponent
    message = program.population(first.name).spike_values
    if scheme == "rate":
        half = p.neuron.threshold // 2  # what makes the count round is no part of the sum
        lasting = (p.neuron.bias * steps + p.neuron.initial - half) / steps
        v = a / message @ weights.T + lasting
    else:
        v = a / (message / steps) @ weights.T + p.neuron.bias
    assert row.alone["weights"] == pytest.approx(
        error(np.maximum(v * p.membrane_units, 0)), rel=1e-2
    )
    assert row.above == pytest.approx((b > level).mean(), abs=1e-3)
    assert row.peak == pytest.approx(b.max())
    assert row.clipped >= row.alone["clipping"] > 0


def test_summary_and_json(made):
    program = nd.compile(made.path, made.x, steps=16)
    result = nd.simulate(program, made.x)
    ann = Evaluator(made.network).run(made.x)["output"].argmax(1)
    found = nd.explain(program, made.x, ann, model=made.path)
    assert [s.stage for s in found.summary] == [
        "ANN", "clipping", "time steps", "weights", "spikes",
    ]  # fmt: skip
    assert found.summary[0].accuracy == found.summary[0].agreement == 100
    assert found.summary[-1].accuracy == result.accuracy(ann)
    assert found.summary[-1].agreement == result.accuracy(ann)
    assert found.summary[-1].error == found.rows[-1].real
    assert [row.name for row in found.rows][1:] == [p.name for p in program.order]
    assert found.blame.error == max(row.at_output for row in found.rows)
    assert set(found.blame.causes) == set(CAUSES)
    assert found.blame.advice in found.blame.sentence
    json.dumps(found.to_dict(), allow_nan=False)


def test_threads_change_nothing(made):
    program = nd.compile(made.path, made.x, steps=16)
    one, two = (
        nd.explain(program, np.tile(made.x, (3, 1, 1, 1)), model=made.path, threads=n)
        for n in (1, 2)
    )
    assert one == two


def test_l4_correction_is_applied_again(made):
    program = nd.compile(made.path, made.x, steps=256, l4=True, balance="max")
    found = nd.explain(program, made.x, model=made.path)
    assert all(row.alone["weights"] < 0.05 for row in found.rows)
    assert found.rows[-1].weighed < 0.1


def test_the_model_is_found(made, tmp_path, monkeypatch):
    program = nd.compile(made.path, made.x)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with pytest.raises(UsageError, match=r"'m.onnx' .* lies neither beside the program nor here"):
        find_model(program)
    assert find_model(program, near=tmp_path) == made.path
    monkeypatch.chdir(tmp_path)
    assert find_model(program, near=elsewhere).samefile(made.path)
    (elsewhere / "m.onnx").write_bytes(b"another")
    assert find_model(program, near=elsewhere).samefile(made.path)
    with pytest.raises(ModelError, match=r"the program was made of 'm.onnx'"):
        find_model(program, elsewhere / "m.onnx")
    with pytest.raises(NeuroDeployError, match="no such file"):
        find_model(program, elsewhere / "missing.onnx")
    monkeypatch.chdir(elsewhere)
    with pytest.raises(UsageError, match="another sha-256"):
        find_model(program)


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"model": 3},
        {"model": {"file": 7, "sha256": []}},
        {"model": {"file": "../m.onnx", "sha256": "0"}},
    ],
)
def test_provenance_of_any_kind(made, provenance):
    program = replace(nd.compile(made.path, made.x), provenance=provenance)
    with pytest.raises(UsageError, match="does not say which model"):
        find_model(program)


def test_external_data_are_compared(made):
    program = nd.compile(made.path, made.x)
    model = {**program.provenance["model"], "external_sha256": {"weights": "0"}}
    other = replace(program, provenance={**program.provenance, "model": model})
    with pytest.raises(ModelError, match="external data"):
        reference_network(other, made.path)


def test_another_program_is_refused(made):
    program = nd.compile(made.path, made.x)
    renamed = [
        replace(p, name="other") if p.name == made.names()[1] else p for p in program.populations
    ]
    moved = [
        replace(
            c,
            source="other" if c.source == made.names()[1] else c.source,
            target="other" if c.target == made.names()[1] else c.target,
        )
        for c in program.connections
    ]
    other = replace(program, populations=tuple(renamed), connections=tuple(moved))
    with pytest.raises(ProgramError, match="other: is no layer of the model"):
        nd.explain(other, made.x, model=made.path)


@pytest.mark.parametrize(
    "units",
    [{"spike_value": 1e300}, {"spike_value": 5e-324}, {"membrane_unit": 5e-324}],
)
@pytest.mark.filterwarnings("error")
def test_units_without_measure(made, units):
    program = nd.compile(made.path, made.x, warn=str)
    alike = {"channel_values": (), "channel_units": ()}
    vast = [replace(p, **alike, **units) for p in program.populations]
    with pytest.raises(ProgramError, match="no finite numbers"):
        nd.explain(replace(program, populations=tuple(vast)), made.x, model=made.path)


def test_bad_samples(made):
    program = nd.compile(made.path, made.x)
    with pytest.raises(DataError, match="does not fit"):
        nd.explain(program, made.x[:, :1], model=made.path)
    with pytest.raises(DataError, match="3 labels"):
        nd.explain(program, made.x, np.zeros(3, int), model=made.path)
    with pytest.raises(UsageError):
        nd.explain(program, made.x, model=made.path, threads=0)


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_fashion(fashion, fashion_calibration, fashion_test, scheme):
    x, y = (part[:48] for part in fashion_test)
    plain = {"signed": False, "bias_correction": False} if scheme == "rate" else {}
    program = nd.compile(fashion / "model.onnx", fashion_calibration[:200], scheme, **plain)
    found = nd.explain(program, x, y, model=fashion / "model.onnx", try_seconds=0)
    result = nd.simulate(program, x)
    assert found.summary[-1].accuracy == result.accuracy(y)
    assert found.summary[0].accuracy > 90
    errors = [stage.error for stage in found.summary]
    if scheme == "ttfs":
        assert errors[3] == errors[4]
        assert all(row.weighed == row.real for row in found.rows)
        assert found.blame.cause != "timing"
    else:
        assert errors[4] > errors[3]
        assert found.blame.cause == "timing"


def test_signed_spikes_are_read_as_they_are_sent(fashion, fashion_calibration, fashion_test):
    """The defaults on Loihi 2: what neurons take back is no error of timing."""
    x, y = (part[:48] for part in fashion_test)
    program = nd.compile(fashion / "model.onnx", fashion_calibration[:200])
    found = nd.explain(program, x, y, model=fashion / "model.onnx", try_seconds=0)
    for row in found.rows:
        assert row.alone["timing"] < 0.05, row.name
        assert row.real < row.weighed + 0.05, row.name
    assert found.summary[-1].error < 0.05


@pytest.mark.skipif(not SHARED.exists(), reason="shared models are not here")
def test_resnet20_in_time():
    """Residual branches: skips wait on their synapses; what is relayed keeps its values."""
    with np.load(SHARED / "data" / "cifar10_test.npz") as data:
        x = data["x"][:40].transpose(0, 3, 1, 2)
        y = data["y"][:40]
    program = nd.compile(
        SHARED / "models" / "resnet20_cifar10.onnx",
        x[20:],
        "ttfs",
        32,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    model = SHARED / "models" / "resnet20_cifar10.onnx"
    found = nd.explain(program, x[:8], y[:8], model=model)
    relays = [row for row in found.rows if row.kind == "relay"]
    for relay in relays:
        source = found.row(relay.name.removesuffix(".relay"))
        assert relay.real == source.real
        assert not any(relay.alone.values())
    # the pixels come whole, so the input is not to blame
    assert found.blame.layer != "input"


def test_copies_of_the_model_do(made, tmp_path):
    program = nd.compile(made.path, made.x)
    copy = shutil.copy(made.path, tmp_path / "renamed.onnx")
    assert nd.explain(program, made.x[:4], model=copy).samples == 4


def test_a_fault_before_the_conversion_is_named_as_such(fashion, fashion_program, fashion_test):
    """Labels of other samples: the ANN is wrong itself, and the program loses nothing."""
    x, y = fashion_test
    options = {"model": fashion / "model.onnx", "try_seconds": 0}
    found = nd.explain(fashion_program, x[:64], np.roll(y[:64], 1), **options)
    assert "the ANN itself is right on only" in found.verdict
    good = nd.explain(fashion_program, x[:64], y[:64], **options)
    assert "the ANN itself" not in good.verdict
    assert good.to_dict()["verdict"] == good.verdict
