"""A bare environment: install the wheel, compile, simulate, report; then Lava, and verify.

    python tools/smoke_install.py                            # builds the wheel, tries this Python
    python tools/smoke_install.py --python python3.10 python3.13
    python tools/smoke_install.py --wheel dist/x.whl --no-lava
    python tools/smoke_install.py --torch                    # a torch module, verified, as well

Nothing of this checkout is on the environment's path: what runs is what the wheel holds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "models" / "fashion_cnn"
#: Makes samples for the model, with NumPy alone; run in the bare environment.
_SAMPLES = """
import numpy as np
x = np.load({calibration!r})["x"]
np.savez("c.npz", x=x[:200])
np.savez("t.npz", x=x[200:216])
"""
#: The walk of docs/install.md; run in the bare environment.
_TORCH = """
import pathlib, re
page = pathlib.Path({page!r}).read_text(encoding="utf-8")
exec(re.search(r"```python\\n(.*?)```", page, re.S)[1])
assert result.mismatched_spikes == 0
"""


def main() -> int:
    """Try every Python asked for; exit code 1 if one fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", nargs="+", default=[sys.executable], help="interpreters")
    parser.add_argument("--wheel", type=Path, help="default: built here")
    parser.add_argument("--no-lava", action="store_true", help="Lava is optional: leave it out")
    parser.add_argument("--torch", action="store_true", help="install torch, run docs/install.md")
    options = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as folder:
        wheel = options.wheel.resolve() if options.wheel else build(Path(folder))
        for python in options.python:
            began = time.perf_counter()
            try:
                walk(python, wheel, Path(folder), not options.no_lava, options.torch)
            except subprocess.CalledProcessError as error:
                good = False
                print(f"{python}: FAILED: {' '.join(map(str, error.cmd))[:200]}")
                print((error.stdout or "")[-3000:])
            else:
                print(f"{python}: all steps passed in {time.perf_counter() - began:.0f} s")
    return 0 if good else 1


def build(folder: Path) -> Path:
    """A wheel and an sdist of this checkout; the wheel is made from the sdist, as on an index."""
    run([sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT])
    print(*sorted(path.name for path in (folder / "dist").iterdir()), sep="\n")
    return next((folder / "dist").glob("*.whl"))


def walk(python: str, wheel: Path, folder: Path, lava: bool, torch: bool) -> None:
    """All steps in an environment of its own."""
    place = Path(tempfile.mkdtemp(dir=folder))
    if Path(python).resolve() == Path(sys.executable).resolve():
        venv.create(place / "env", with_pip=True)
    else:
        run([python, "-m", "venv", place / "env"])
    programs = place / "env" / ("Scripts" if os.name == "nt" else "bin")
    ours, nd = programs / "python", programs / "neurodeploy"
    at = place / "work"
    at.mkdir()
    wanted = f"{wheel}[torch]" if torch else str(wheel)
    run([ours, "-m", "pip", "install", "-q", wanted], at)
    print(run([ours, "--version"], at).strip(), flush=True)
    calibration = str(MODEL / "calibration.npz")
    run([ours, "-c", _SAMPLES.format(calibration=calibration)], at)
    health = json.loads(run([nd, "doctor", "--json"], at))
    assert health["ok"], health["missing"]
    assert any(need["command"] == "neurodeploy setup-lava" for need in health["missing"])
    compiled = [nd, "compile", MODEL / "model.onnx", "--calibration", "c.npz", "--scheme", "graded"]
    run([*compiled, "-o", "m.ndp"], at)
    found = json.loads(run([nd, "simulate", "m.ndp", "--data", "t.npz", "--json"], at))
    assert found["samples"] == 16, found
    run([nd, "report", "m.ndp", "--data", "t.npz", "-o", "report.html"], at)
    assert (at / "report.html").stat().st_size > 10_000
    print("  installed, compiled, simulated, reported", flush=True)
    if not lava:
        return
    run([nd, "setup-lava"], at)
    deployed = [nd, "deploy", "m.ndp", "--data", "t.npz", "--limit", "2", "--verify", "--json"]
    compared = json.loads(run(deployed, at))
    assert compared["compared_spikes"] > 0, compared
    assert compared["mismatched_spikes"] == 0, compared
    print(f"  Lava: {compared['compared_spikes']:,} spikes compared, 0 differ", flush=True)
    if torch:
        (at / "walk.py").write_text(_TORCH.format(page=str(ROOT / "docs" / "install.md")))
        print(f"  torch: {run([ours, 'walk.py'], at).strip().splitlines()[-1]}", flush=True)


def run(command: Sequence[str | Path], at: Path | None = None) -> str:
    """Stdout of a command; its stderr is shown where it fails."""
    bare = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=at, env=bare, text=True, check=False,
        capture_output=True,
    )  # fmt: skip
    if done.returncode:
        told = done.stdout + done.stderr
        raise subprocess.CalledProcessError(done.returncode, list(map(str, command)), told)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
