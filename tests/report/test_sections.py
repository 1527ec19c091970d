"""Recordings, schemes and chips on the page; what a reader without eyes or on paper gets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.explaining import recompile
from neurodeploy.mapping import map_program
from neurodeploy.targets.loading import target_folder

pytestmark = pytest.mark.filterwarnings("ignore::neurodeploy.DataWarning")


@pytest.fixture(scope="module")
def recorded():
    """A program of a camera of 6 x 5 places and two polarities, and four recordings."""
    rng = np.random.default_rng(0)
    layers = [
        nd.SpikingLayer(rng.normal(0, 0.5, (8, 60)), membrane_leak=0.1, reset="zero"),
        nd.SpikingLayer(rng.normal(0, 0.5, (3, 8)), membrane_leak=0.1, reset="zero"),
    ]
    x = (rng.random((4, 20, 60)) < 0.05).astype(np.uint8)
    program = nd.compile(nd.spiking_network(60, layers), steps=20)
    camera = replace(
        program, encoder=replace(program.encoder, shape=(2, 6, 5), sample_shape=(20, 2, 6, 5))
    )
    return camera, x.reshape(4, 20, 2, 6, 5)


def test_the_events_are_those_of_the_recording(recorded):
    program, x = recorded
    found = nd.report(program, x, sample=2).content["events"]
    assert found["shape"] == [2, 6, 5]
    for polarity, channel in enumerate(found["channels"]):
        of = x[2, :, polarity]
        assert channel["events"] == of.sum()
        assert channel["a_step"] == of.sum((1, 2)).tolist()
        assert channel["a_place"] == of.sum(0).tolist()
        steps = [(np.flatnonzero(of[:, row].any(1)) + 1).tolist() for row in range(6)]
        assert channel["steps_of_rows"] == steps


def test_the_pictures_of_a_recording(recorded):
    page = nd.report(*recorded).html()
    for title in ("Events of sample 0, step by step", "Where the events of sample 0 fell"):
        assert page.count(f"<h3>{title}</h3>") == 1
    assert "The network spikes already" in page


def test_images_have_no_events(make):
    model, x, y = make()
    content = nd.report(nd.compile(model, x), x, y, model=model).content
    assert content["events"] == {"channels": []}
    assert "was named" in content["schemes"]["missing"]


def test_the_schemes_are_those_of_the_choice(make):
    model, x, _ = make()
    program = nd.compile(model, x, scheme="auto", warn=lambda line: None)
    report = nd.report(program, x, model=model)
    choice, found = program.provenance["choice"], report.content["schemes"]
    assert found["chosen"] == choice["chosen"]
    assert {row["name"]: row["latency"] for row in found["schemes"]} == {
        name: row["latency"] for name, row in choice["from"].items()
    }
    (line,) = [x for x in report.markdown().splitlines() if "this program" in x]
    assert f"| {program.latency} | {program.period} |" in line


def test_schemes_compared_for_the_report(make):
    """Each as it would be compiled by hand, on half of the samples."""
    model, x, _ = make()
    program = nd.compile(model, x, steps=8)
    assert "missing" in nd.report(program, x[:6], model=model, compare=recompile).content["schemes"]
    found = nd.report(program, x, model=model, compare=recompile).content["schemes"]
    rows = {row["name"]: row for row in found["schemes"]}
    assert set(rows) >= {"rate", "ttfs", "radix", "graded"}
    assert found["chosen"] == "rate"
    assert rows["rate"]["interval"] == 8
    radix = nd.compile(model, x[::2], scheme="radix")
    assert (rows["radix"]["latency"], rows["radix"]["interval"]) == (radix.latency, radix.period)
    assert rows["radix"]["samples"] == 30


@pytest.mark.parametrize(
    "said", [1, {"from": 3}, {"from": {"x": 1}}, {"from": {"x": {"latency": "a"}}}]
)
def test_a_choice_that_is_no_choice(make, said):
    """A file may say anything of itself."""
    model, x, _ = make()
    program = nd.compile(model, x)
    program = replace(program, provenance={**program.provenance, "choice": said})
    assert "missing" in nd.report(program, x, model=model).content["schemes"]


def test_all_chips_of_a_program_on_many(make, tmp_path):
    """Cores of two neurons, two a chip."""
    model, x, _ = make()
    text = (target_folder() / "cpu.toml").read_text(encoding="utf-8")
    small = tmp_path / "small.toml"
    small.write_text(f"{text}\n[core]\nneurons = 2\n[chip]\ncores = 2\n")
    program = nd.compile(model, x)
    report = nd.report(program, x, model=model, target=str(small))
    mapped = map_program(program, str(small))
    assert mapped.chips > 2
    assert report.content["cores"]["chips"] == mapped.chips
    chips = [
        b for s in report.sections for b in s.blocks if getattr(b, "title", "") == "Chips of cpu"
    ]
    (figure,) = chips
    assert [row[0] for row in figure.table.rows] == list(range(mapped.chips))
    assert sum(row[1] for row in figure.table.rows) == len(mapped.cores)


class Named(HTMLParser):
    """Labels of regions, headers of columns, and drawings with their titles."""

    def __init__(self, page):
        super().__init__()
        self.regions, self.headers, self.drawings = [], [], []
        self.ids, self.in_header = Counter(), False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.update(filter(None, [given.get("id")]))
        if given.get("role") == "region":
            assert given["tabindex"] == "0"
            self.regions.append(given["aria-label"])
        if tag == "svg":
            self.drawings.append(given["aria-labelledby"].split())
        if self.in_header is False and tag == "th":
            self.in_header = True
            self.headers.append("")

    def handle_data(self, text):
        if self.in_header:
            self.headers[-1] += text

    def handle_endtag(self, tag):
        if tag == "th":
            self.in_header = False


def test_everything_has_a_name(recorded, make):
    model, x, y = make()
    for report in (nd.report(*recorded), nd.report(nd.compile(model, x), x, y, model=model)):
        found = Named(report.html())
        assert max(Counter(found.regions).values()) == 1
        assert all(map(str.strip, found.headers))
        assert found.drawings
        assert all(found.ids[name] == 1 for names in found.drawings for name in names)


def test_paper_is_light_and_shows_the_facts(make):
    model, x, _ = make()
    page = nd.report(nd.compile(model, x), x, model=model).html()
    printed = page[page.index("@media print") :]
    assert "color-scheme: light" in printed
    assert "--page: #ffffff" in printed
    assert "details.card::details-content { content-visibility: visible" in printed
