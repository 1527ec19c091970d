"""Page, Markdown, JSON: what is missing is said, names are text, files are whole or not there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from command_line import refused, run

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.reporting.number_format import compact, number, percent, place, quantity
from neurodeploy.reporting.page.plots.axes import Axis, shorten

HOSTILE = "<script>alert(1)</script>|`*_[x](y)"


@pytest.fixture
def work(make, tmp_path):
    """A folder with m.onnx, m.ndp and t.npz."""
    model, x, _ = make()
    nd.compile(model, x).save(tmp_path / "m.ndp")
    return tmp_path


def test_html_is_the_default(work):
    result = run("report", "m.ndp", "--data", "t.npz", cwd=work)
    assert result.returncode == 0, result.stderr
    page = (work / "report.html").read_text()
    assert result.stdout == f"report.html: {len(page.encode()):,} bytes\n"
    for word in ("Summary", "Error ledger", "prefers-color-scheme: dark", "m.ndp", "t.npz"):
        assert word in page


def test_formats(work):
    shown = run("report", "m.ndp", "--data", "t.npz", "--format", "json", cwd=work)
    content = json.loads(shown.stdout)
    assert content["summary"]["samples"] == 60
    assert content["summary"]["ann_accuracy"] is not None
    written = run("report", "m.ndp", "--data", "t.npz", "-o", "r.json", cwd=work)
    assert written.returncode == 0, written.stderr
    assert (work / "r.json").read_text() == shown.stdout
    shown = run("report", "m.ndp", "--data", "t.npz", "--format", "md", cwd=work)
    assert shown.stdout.startswith("# neurodeploy report: m.ndp\n")
    for part in ("## Error ledger", "### Spikes of each layer", "| first |", "--mean=0.0"):
        assert part in shown.stdout
    options = ("--format", "md", "-o", "r.text")  # a suffix that says nothing
    assert run("report", "m.ndp", "--data", "t.npz", *options, cwd=work).returncode == 0
    assert (work / "r.text").read_text() == shown.stdout
    rows = [line for line in shown.stdout.splitlines() if line.startswith("|")]
    assert len(rows) > 50
    assert all(row.rstrip().endswith("|") for row in rows)


def test_limits_and_samples(work):
    shown = run(
        "report", "m.ndp", "--data", "t.npz", "--format", "json", "--limit", 7, "--sample", 50,
        cwd=work,
    )  # fmt: skip
    content = json.loads(shown.stdout)
    assert content["summary"]["samples"] == 7
    assert content["raster"]["sample"] == 50
    assert content["traces"]["label"] is not None


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--sample", 60), "there is no sample 60"),
        (("--target", "nowhere"), "no target is called"),
        (("--energy-model", "nothing"), "no cost model"),
        (("--model", "no.onnx"), "no such file"),
        (("-o", "no/where.html"), "there is no folder"),
        (("-o", "m.ndp"), "would overwrite"),
        (("-o", "r.html", "--format", "md"), "the name of a file of html"),
        (("-o", "r.JSON", "--format", "html"), "an output that ends in .html"),
        (("--data", "m.ndp"), "but no array x"),
    ],
)
def test_refusals_leave_nothing_behind(work, arguments, word):
    before = sorted(path.name for path in work.iterdir())
    refused(run("report", "m.ndp", "--data", "t.npz", *arguments, cwd=work), word)
    assert sorted(path.name for path in work.iterdir()) == before


def test_without_the_model(make, tmp_path, monkeypatch):
    model, x, y = make()
    program = nd.compile(model, x)
    model.unlink()
    monkeypatch.chdir(tmp_path)
    report = nd.report(program, x, y)
    assert "--model" in report.content["ledger"]["missing"]
    assert report.content["summary"]["ann_accuracy"] is None
    assert report.content["summary"]["accuracy"] is not None
    for text in (report.html(), report.markdown()):
        assert "m.onnx" in text


def test_without_labels_the_ann_is_the_truth(make):
    model, x, _ = make()
    report = nd.report(nd.compile(model, x), x, model=model)
    assert report.content["curve"]["accuracy"] is None
    assert report.content["confusion"]["rows"] == "ANN's class"
    assert "ANN&#39;s class against" in report.html()


def test_labels_beyond_the_classes(make):
    model, x, y = make()
    report = nd.report(nd.compile(model, x), x, y + 100, model=model)
    assert "Labels run from 100" in report.content["confusion"]["missing"]
    assert report.html()


def test_one_output_says_yes_or_no(make):
    model, x, _ = make(outputs=1)
    report = nd.report(nd.compile(model, x), x, np.arange(len(x)) % 2, model=model)
    summary, confusion = report.content["summary"], report.content["confusion"]
    assert summary["task"] == "binary"
    assert summary["accuracy"] == report.content["curve"]["accuracy"][-1]
    assert np.sum(confusion["matrix"]) == summary["samples"]
    assert 100 * np.trace(confusion["matrix"]) / summary["samples"] == summary["accuracy"]
    assert report.html()


def test_numbers_have_errors_and_no_classes(make):
    model, x, _ = make()
    y = np.random.default_rng(0).normal(size=(len(x), 3)).astype(np.float32)
    for scheme in ("rate", "ttfs"):
        report = nd.report(nd.compile(model, x, scheme=scheme), x, y, model=model)
        summary, curve = report.content["summary"], report.content["curve"]
        assert summary["task"] == "regression"
        assert summary["accuracy"] is summary["agreement"] is None
        assert curve["rms_error"][-1] == pytest.approx(summary["rms_error"])
        assert curve["rms_difference_from_ann"][-1] == pytest.approx(summary["rms_difference"])
        assert curve["rms_difference_from_last_step"][-1] == 0
        assert "numbers" in report.content["confusion"]["missing"]
        assert {stage["agreement"] for stage in report.content["ledger"]["summary"]} == {None}
        assert "RMS error against steps" in report.html()


def test_many_classes(make):
    model, x, y = make(outputs=300)
    report = nd.report(nd.compile(model, x), x, y, model=model)
    assert report.content["confusion"]["matrix"] is None
    pairs = report.content["confusion"]["most_confused"]
    assert 0 < len(pairs) <= 20
    assert f"{pairs[0]['row']} taken for" in report.html()


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "poisson", "steps": 4},
        {"encoding": "deterministic", "steps": 1},
        {"target": "loihi1", "steps": 16},
        {"scheme": "ttfs", "steps": 4},
        {"steps": 300},
    ],
)
def test_other_programs(make, options):
    model, x, y = make()
    report = nd.report(nd.compile(model, x, **options), x, y, model=model)
    assert "missing" not in report.content["ledger"]
    assert len(report.content["curve"]["steps"]) <= 65
    assert report.content["curve"]["steps"][-1] == options["steps"]
    assert report.html()
    assert json.loads(report.json())


def test_names_are_text(make):
    model, x, y = make(names=(HOSTILE, "r", "h"))
    program = nd.compile(model, x)
    assert HOSTILE in {p.name for p in program.populations}
    report = nd.report(program, x, y, model=model, names={"program": HOSTILE, "data": HOSTILE})
    page = report.html()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    text = report.markdown()
    assert "\\<script\\>" in text
    code = [line for line in text.splitlines() if line.startswith("    ")]
    assert all(HOSTILE not in line for line in text.splitlines() if line not in code)


def test_a_program_that_says_nothing_of_itself(make):
    """Provenance is written by whoever made the file."""
    from dataclasses import replace

    model, x, y = make()
    program = nd.compile(model, x)
    for provenance in ({}, {"model": 3, "options": [1], "calibration": {"samples": "x"}}):
        report = nd.report(replace(program, provenance=provenance), x, y)
        assert "--model" in report.content["ledger"]["missing"]
        assert report.html()
        assert report.markdown()
        assert json.loads(report.json())


def test_a_target_of_somebody_else(make, tmp_path):
    from dataclasses import replace

    model, x, y = make()
    program = replace(nd.compile(model, x), target=str(tmp_path / "mine.toml"))
    report = nd.report(program, x, y, model=model)
    assert "could not be mapped" in report.content["cores"]["missing"]
    assert report.html()


def test_bad_arguments(make):
    model, x, y = make()
    program = nd.compile(model, x)
    for options in ({"limit": 0}, {"threads": 0}, {"sample": -1}, {"sample": 60}):
        with pytest.raises(NeuroDeployError):
            nd.report(program, x, y, model=model, **options)
    with pytest.raises(NeuroDeployError):
        nd.report(program, x, y[:-1], model=model)
    with pytest.raises(NeuroDeployError):
        nd.report(program, x[:, :3], y, model=model)


@pytest.mark.parametrize("name", ["fashion_report", "fashion_ttfs_report", "resnet_report"])
def test_small(request, name):
    report = request.getfixturevalue(name)
    assert len(report.html().encode()) < 3_000_000
    assert len(report.json().encode()) < 6_000_000


def test_numbers():
    assert [number(v) for v in (None, True, 12345, 0.5, 123456.7, float("nan"))] == [
        "-", "yes", "12,345", "0.5", "123,457", "-",
    ]  # fmt: skip
    assert [compact(v) for v in (0.25, 100, 1e4, 126_155, 2.5e6)] == [
        "0.25", "100", "10 k", "126 k", "2.5 M",
    ]  # fmt: skip
    assert [quantity(v, "J") for v in (None, 0, 1.5e-6, 2e-13)] == ["-", "0 J", "1.5 µJ", "0.2 pJ"]
    assert (percent(0.1234), place(3.0), place(3.14)) == ("12.3 %", "3", "3.1")


def test_axes():
    assert Axis(0, 100, 0, 1).ticks() == [0, 20, 40, 60, 80, 100]
    assert Axis.over([], 0, 1).at(0.0) == 0.5
    assert Axis.over([3.0, 3.0], 0, 10).ticks()
    assert Axis.over([np.inf, 1.0, 2.0], 0, 10).high == 2.0
    assert len(shorten("x" * 500)) < 70
    assert shorten("short") == "short"


def test_a_busy_sample_stays_small(make):
    model, x, y = make()
    program = nd.compile(model, x, steps=20_000, balance="percentile", percentile=1.0)
    report = nd.report(program, x, y, model=model, limit=1)
    raster = report.content["raster"]
    assert sum(len(row) for band in raster["populations"] for row in band["spikes"]) <= 20_000
    assert len(report.html().encode()) < 3_000_000
    assert len(report.content["traces"]["populations"][0]["steps"]) <= 512
