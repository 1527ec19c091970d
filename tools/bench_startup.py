"""How long a command takes before it works: `--help`, and `simulate` on a saved program.

    python tools/bench_startup.py
    python tools/bench_startup.py --program model.ndp --runs 9 --json

`simulate` runs one sample, so its time is an upper bound of when it is ready. Each command is run
once before the clock starts: files are in the system's cache and kernels compiled then. Processor
time is shown beside the wall's, for a machine that others use too.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import neurodeploy as nd

FASHION = Path(__file__).resolve().parents[1] / "models" / "fashion_cnn"
#: Seconds that the wall clock may show.
GOALS = {"--help": 0.3, "simulate": 1.5}


def measure(arguments: list[str], runs: int) -> dict[str, float]:
    """Medians of the seconds that a command takes."""
    command = [sys.executable, "-m", "neurodeploy", *arguments]
    wall, processor = [], []
    for run in range(runs + 1):
        before, began = os.times(), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        if run:
            after = os.times()
            wall.append(time.perf_counter() - began)
            processor.append(
                after.children_user
                + after.children_system
                - before.children_user
                - before.children_system
            )
    return {"seconds": statistics.median(wall), "processor_seconds": statistics.median(processor)}


def programs(folder: Path, given: list[str]) -> dict[str, tuple[str, str]]:
    """By name, a program's file and one sample for it."""
    if not given:
        x = np.load(FASHION / "calibration.npz")["x"]
        for name, options in (("rate", {"steps": 64}), ("ttfs", {"scheme": "ttfs", "steps": 64})):
            made = nd.compile(FASHION / "model.onnx", calibration=x, **options)
            made.save(folder / f"{name}.ndp")
            given.append(str(folder / f"{name}.ndp"))
    found = {}
    for number, path in enumerate(given):
        sample = folder / f"{number}.npy"
        np.save(sample, np.zeros((1, *nd.load(path).encoder.sample_shape), np.float32))
        found[Path(path).stem] = path, str(sample)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--program", action="append", default=[], help="an .ndp file; default: the reference's"
    )
    parser.add_argument("--runs", type=int, default=5, help="timed runs of each; default: 5")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commands = {"--help": ["--help"]}
        for name, (path, data) in programs(Path(folder), options.program).items():
            commands[f"simulate {name}"] = ["simulate", path, "--data", data, "--json"]
        found = {
            name: measure(arguments, max(1, options.runs))
            | {"goal": GOALS[name.split(maxsplit=1)[0]]}
            for name, arguments in commands.items()
        }
    if options.json:
        print(json.dumps({"runs": options.runs, "commands": found}, indent=2))
        return
    print(f"{'command':<24}{'seconds':>10}{'processor':>12}{'goal':>8}")
    for name, row in found.items():
        times = f"{row['seconds']:>10.2f}{row['processor_seconds']:>12.2f}"
        print(f"{name:<24}{times}{row['goal']:>8.1f}")


if __name__ == "__main__":
    main()
