"""The page in a real browser, on a phone and on a desk."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

import neurodeploy as nd

PLOTS = {
    "Accuracy against steps of the readout",
    "Label against the program's class",
    "What each layer alone brings to the output",
    "Causes within each layer",
    "Error that has added up, layer by layer",
    "Spikes of each layer",
    "How activity is spread over the neurons",
    "Spikes of sample 0",
    "Outputs of sample 0 as they add up",
    "Cores of loihi2",
}
REPORTS = ("fashion_report", "fashion_ttfs_report", "resnet_report")


class Links(HTMLParser):
    """Every address a page would fetch or follow."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", [390, 1400])
def test_every_plot_is_drawn_and_nothing_overflows(browser, request, name, width):
    page = request.getfixturevalue(name).html()
    assert len(page.encode()) < 3_000_000
    found = browser.measure(page, width)
    assert found["width"] == width
    assert found["scroll"] <= width
    assert {plot["title"] for plot in found["plots"]} >= PLOTS
    for plot in found["plots"]:
        assert plot["width"] > 0.7 * min(width, 640), plot
        assert plot["height"] > 40, plot
        assert plot["marks"] >= 2, plot
        assert plot["texts"] >= 2, plot
        assert plot["outside"] == 0, plot
        assert plot["letters"] >= 9, plot
    assert browser.console(page, width) == []


def test_with_all_tables_open(browser, fashion_report):
    found = browser.measure(fashion_report.html(), 390, opened=True)
    assert found["open"] > 10
    assert found["scroll"] <= 390


def test_light_and_dark(browser, fashion_report):
    page = fashion_report.html()
    light, dark = browser.measure(page, 390), browser.measure(page, 390, dark=True)
    assert (light["dark"], dark["dark"]) == (False, True)
    assert light["background"] != dark["background"]


def test_hostile_names(browser, make):
    long = "<script>console.error(1)</script>" + "a" * 500
    model, x, y = make(names=(long, "r", "<img src=x onerror=console.error(2)>"))
    page = nd.report(nd.compile(model, x), x, y, model=model).html()
    assert browser.console(page, 390) == []
    found = browser.measure(page, 390, opened=True)
    assert found["scroll"] <= 390
    assert all(plot["outside"] == 0 for plot in found["plots"])


def test_nothing_is_fetched(fashion_report):
    page = fashion_report.html()
    assert all(link.startswith(("#", "data:,")) for link in Links(page).found)
    assert "<script" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page
