"""What a session and a notebook show of results, and what pandas and JSON get of them."""

from __future__ import annotations

import json
import re

import pytest

import neurodeploy as nd


@pytest.fixture(scope="module")
def shown(folder, samples, program):
    """One of everything that is returned to users."""
    return {
        "Program": program,
        "Result": nd.simulate(program, samples),
        "Report": nd.check(folder / "m.onnx"),
        "Explanation": nd.explain(program, samples, model=folder / "m.onnx", try_seconds=0),
        "Mapping": nd.map(program),
        "Cost": nd.estimate_cost(program, samples, mapping="none"),
        "Comparison": nd.compare({"a": program, "b": folder / "rate.ndp"}),
        "Rasters": nd.record(program, samples[:2], membranes=["output"]),
    }


def test_a_line_in_a_session(shown):
    for name, value in shown.items():
        line = repr(value)
        assert line.startswith(f"{name}("), line
        assert len(line) < 300, line
        assert "\n" not in line
    assert "latency=4" in repr(shown["Program"])


def test_a_table_in_a_notebook(shown):
    for name, value in shown.items():
        page = value._repr_html_()
        assert f"<b>{name}</b>" in page
        assert '<th scope="col">' in page
        assert page.count("<td>") >= 2
        assert (
            re.sub(r"</?(p|b|table|thead|tbody|tr|td|th)( scope=\"col\")?>", "", page).count("<")
            == 0
        )


def test_plain_values(shown):
    for value in shown.values():
        json.dumps(value.to_dict())
    assert shown["Program"].to_dict()["latency_steps"] == 4


def test_frames(shown):
    pytest.importorskip("pandas", reason="pandas is not installed")
    for value in shown.values():
        frame = value.to_frame()
        assert len(frame) == len(value.records()) > 0
    result = shown["Result"]
    assert list(result.to_frame()["prediction"]) == list(result.predictions)
    assert set(shown["Mapping"].to_frame().columns) >= {"core", "chip", "binding"}


def test_a_name_that_is_not_there_is_refused(shown):
    for ask, name in (
        (shown["Program"].population, "first"),
        (shown["Program"].shape_of, "first"),
        (shown["Explanation"].row, "first"),
        (shown["Cost"].line, "synaptic operations"),
    ):
        assert ask(name) is not None
        with pytest.raises(nd.NeuroDeployError, match=r"'nobody' is no \w+; there are: .*" + name):
            ask("nobody")


def test_names_of_files_stay_text(folder, samples, program):
    found = nd.compare({"<script>": program, "b": program})
    assert "<script>" not in found._repr_html_()


def test_plots(shown, folder, samples, program):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    axes = nd.plot.raster(shown["Rasters"])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["input", "first", "output"]
    held = nd.plot.membranes(shown["Rasters"], "output", sample=1)
    assert len(held.lines) == 3
    assert nd.plot.cores(shown["Mapping"]).images[0].get_array().count() == len(
        shown["Mapping"].cores
    )
    bars = nd.plot.errors(shown["Explanation"])
    assert bars.patches
    for call, word in (
        (lambda: nd.plot.raster(shown["Rasters"], ["nobody"]), "nobody"),
        (lambda: nd.plot.raster(shown["Rasters"], sample=9), "sample 9"),
        (lambda: nd.plot.cores(shown["Mapping"], chip=7), "chip 7"),
    ):
        with pytest.raises(nd.NeuroDeployError, match=word):
            call()
