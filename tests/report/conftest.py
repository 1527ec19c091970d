"""Programs with a report each, and a real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

import neurodeploy as nd

SHARED = Path(__file__).resolve().parents[3] / "shared"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

#: Measures the page it stands in, and tells the page around it.
_MEASURE = """
const plots = [...document.querySelectorAll("svg.plot")].map(svg => {
  const frame = svg.getBoundingClientRect();
  const marks = [...svg.querySelectorAll("path, rect")];
  const texts = [...svg.querySelectorAll("text")].map(text => text.getBoundingClientRect());
  const letters = [...svg.querySelectorAll("text")].map(text =>
    parseFloat(getComputedStyle(text).fontSize) * frame.width / svg.viewBox.baseVal.width);
  const inked = marks.filter(mark => {
    const style = getComputedStyle(mark), box = mark.getBBox();
    return (box.width > 0 || box.height > 0) && (style.fill != "none" || style.stroke != "none");
  });
  return {
    title: svg.querySelector("title").textContent,
    width: frame.width, height: frame.height,
    marks: inked.length, texts: texts.length,
    letters: Math.min(...letters),
    outside: texts.filter(t => t.left < frame.left - 2 || t.right > frame.right + 2
      || t.top < frame.top - 2 || t.bottom > frame.bottom + 2).length,
  };
});
parent.postMessage(JSON.stringify({
  width: innerWidth, scroll: document.documentElement.scrollWidth, plots,
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  background: getComputedStyle(document.body).backgroundColor,
  open: document.querySelectorAll("details[open]").length,
}), "*");
"""


class Browser:
    """Chromium without a window; each page in a frame as wide as asked (windows have a least)."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.binary, self.folder = binary, folder

    def measure(self, page: str, width: int, *, dark: bool = False, opened: bool = False) -> dict:
        """What a copy of the page with a script in it measures of itself."""
        allowed = page.replace("default-src 'none';", "default-src 'none'; script-src 'nonce-t';")
        assert allowed != page
        if opened:
            allowed = allowed.replace("<details", "<details open")
        script = f"<script nonce='t'>addEventListener('load', () => {{{_MEASURE}}})</script>"
        copy = allowed.replace("</body>", f"{script}</body>")
        dumped, console = self._run(copy, width, dark)
        assert console == [], console
        found = re.search(r"<pre>(.*?)</pre>", dumped, re.DOTALL)
        assert found, dumped[-2000:]
        return json.loads(unescape(found[1]))

    def console(self, page: str, width: int) -> list[str]:
        """What the page, untouched, writes to the console."""
        return self._run(page, width, False)[1]

    def _run(self, page: str, width: int, dark: bool) -> tuple[str, list[str]]:
        (self.folder / "page.html").write_text(page)
        (self.folder / "frame.html").write_text(
            "<!doctype html><body style='margin:0'><pre></pre><script>addEventListener('message', "
            "e => document.querySelector('pre').textContent = e.data)</script>"
            f"<iframe src='page.html' style='border:0;width:{width}px;height:900px'></iframe>"
        )
        options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        if dark:
            options.append("--blink-settings=preferredColorScheme=0")
        result = subprocess.run(
            [
                self.binary,
                "--headless=new",
                *options,
                "--disable-gpu",
                "--enable-logging=stderr",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                f"--user-data-dir={self.folder / 'profile'}",
                "--window-size=1600,1000",
                "--virtual-time-budget=5000",
                "--dump-dom",
                (self.folder / "frame.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return result.stdout, [line for line in result.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture
def browser(tmp_path):
    """Chromium; skipped where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        binary = shutil.which(name)
        if binary:
            return Browser(binary, tmp_path)
    pytest.skip("no browser: `make setup-browser` (apt-get install chromium)")


def tiny(folder: Path, *, names=("first", "relu", "head"), outputs=3) -> Path:
    """A model of one hidden layer, its data, and the path of the model."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], names[0]),
        helper.make_node("Relu", ["a"], ["b"], names[1]),
        helper.make_node("MatMul", ["b", "h"], ["y"], names[2]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])],
        [
            numpy_helper.from_array(rng.standard_normal((6, 8)).astype(np.float32), "w"),
            numpy_helper.from_array(rng.standard_normal((8, outputs)).astype(np.float32), "h"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, folder / "m.onnx")
    x = rng.random((60, 6)).astype(np.float32)
    np.savez(folder / "t.npz", x=x, y=rng.integers(0, outputs, 60))
    return folder / "m.onnx"


@pytest.fixture
def make(tmp_path):
    """Model path and samples of `tiny`."""

    def made(**options):
        model = tiny(tmp_path, **options)
        with np.load(tmp_path / "t.npz") as data:
            return model, data["x"], data["y"]

    return made


@pytest.fixture(scope="session")
def fashion_report(fashion, fashion_program, fashion_test):
    """Of the reference network, rate code."""
    x, y = fashion_test
    return nd.report(fashion_program, x, y, model=fashion / "model.onnx")


@pytest.fixture(scope="session")
def fashion_ttfs(fashion, fashion_calibration):
    """The reference network as time to first spike."""
    return nd.compile(fashion / "model.onnx", fashion_calibration, "ttfs", 16)


@pytest.fixture(scope="session")
def fashion_ttfs_report(fashion, fashion_ttfs, fashion_test):
    """Of that, with another chip's energies."""
    x, y = fashion_test
    model = fashion / "model.onnx"
    return nd.report(fashion_ttfs, x, y, model=model, energy_model="loihi1-davies2018")


@pytest.fixture(scope="session")
def resnet_report():
    """ResNet-20 of CIFAR-10, rate code; the shared model."""
    if not SHARED.exists():
        pytest.skip("shared models are not here")
    with np.load(SHARED / "data" / "cifar10_test.npz") as data:
        x, y = np.ascontiguousarray(data["x"].transpose(0, 3, 1, 2)), data["y"].reshape(-1)
    model = SHARED / "models" / "resnet20_cifar10.onnx"
    program = nd.compile(
        model, x[-100:], steps=16, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    )
    return nd.report(program, x, y, model=model, limit=200)
