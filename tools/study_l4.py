"""What the L4-norm correction brings under Poisson input: accuracy with and without it.

Compiles models/fashion_cnn for each balance and number of steps, with and without the
correction, and simulates test images with several seeds. Prints a Markdown table of mean and
standard deviation over the seeds (docs/l4.md holds one), and JSON with --json.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import neurodeploy as nd
from neurodeploy.samples import load_samples

FOLDER = Path(__file__).resolve().parent.parent / "models" / "fashion_cnn"


def numbers(text: str) -> list[int]:
    """Whole numbers between commas."""
    return [int(part) for part in text.split(",")]


def measure(options: argparse.Namespace) -> list[dict]:
    """One record a setting, with the accuracy of each seed."""
    test = load_samples(FOLDER / "test.npz").limit(options.limit)
    calibration = load_samples(FOLDER / "calibration.npz").x
    records = []
    for steps in options.steps:
        for balance in options.balance.split(","):
            for l4 in (False, True):
                accuracy, spikes = [], []
                for seed in range(options.seeds):
                    program = nd.compile(
                        FOLDER / "model.onnx",
                        calibration=calibration,
                        steps=steps,
                        encoding=options.encoding,
                        balance=balance,
                        l4=l4,
                        seed=seed,
                        overflow="off",
                        scale=1 / 255,
                    )
                    result = nd.simulate(program, test.x)
                    accuracy.append(result.accuracy(test.y))
                    spikes.append(result.spikes_per_sample)
                record = {
                    "steps": steps,
                    "balance": balance,
                    "l4": l4,
                    "accuracy": accuracy,
                    "mean": float(np.mean(accuracy)),
                    "sd": float(np.std(accuracy)),
                    "spikes_per_sample": float(np.mean(spikes)),
                }
                records.append(record)
                print(
                    f"{steps:4} steps {balance:10} l4={l4!s:5} "
                    f"{record['mean']:.2f} +- {record['sd']:.2f} %",
                    file=sys.stderr,
                    flush=True,
                )
    return records


def markdown(records: list[dict]) -> str:
    """Rows by steps and balance; both settings and the gain side by side."""
    lines = [
        "| steps | balance | without (%) | with L4 (%) | gain (points) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for plain, corrected in zip(records[::2], records[1::2], strict=True):
        lines.append(
            f"| {plain['steps']} | {plain['balance']} "
            f"| {plain['mean']:.2f} ± {plain['sd']:.2f} "
            f"| {corrected['mean']:.2f} ± {corrected['sd']:.2f} "
            f"| {corrected['mean'] - plain['mean']:+.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=numbers, default=[8, 16, 32, 64, 128])
    parser.add_argument("--balance", default="percentile,max,mmse")
    parser.add_argument("--encoding", default="poisson")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0..N-1")
    parser.add_argument("--limit", type=int, default=1000, help="test images")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    records = measure(options)
    print(json.dumps(records, indent=1) if options.json else markdown(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
