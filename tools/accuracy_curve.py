"""Accuracy against time steps: one network compiled and run at each of several step counts.

The network itself runs in ONNX Runtime on the same samples. Printed for each count: accuracy,
points lost, agreement with the network, spikes and synaptic operations a sample, latency.

    python tools/accuracy_curve.py resnet20.onnx --data test.npz --calibration train.npz \\
        --scheme rate --steps 32,64,128 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import onnxruntime as ort
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import neurodeploy as nd
from neurodeploy.program import Preprocessing
from neurodeploy.samples import load_samples


def numbers(text: str) -> tuple[float, ...]:
    """Numbers between commas."""
    return tuple(float(part) for part in text.split(","))


def whole_numbers(text: str) -> tuple[int, ...]:
    """Whole numbers between commas."""
    return tuple(int(part) for part in text.split(","))


def network_outputs(model: str, x: np.ndarray, prepare) -> np.ndarray:
    """What ONNX Runtime computes with the model as it is on disk: float (n, classes)."""
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    (entry, *_) = session.get_inputs()
    fixed = entry.shape[0] if isinstance(entry.shape[0], int) else 0
    outputs = []
    for start in range(0, len(x), fixed or 200):
        part = x[start : start + (fixed or 200)]
        full = np.resize(part, (fixed, *part.shape[1:])) if fixed else part  # fill the last batch
        found = session.run(None, {entry.name: prepare(full)})[0]
        outputs.append(found[: len(part)])
    return np.concatenate(outputs).reshape(len(x), -1)


def measure(options: argparse.Namespace) -> dict:
    """The curve as one JSON-like object."""
    test, calibration = load_samples(options.data), load_samples(options.calibration).x
    x, y = test.x[: options.samples], test.y
    if y is None:
        sys.exit(f"{options.data} holds no labels y")
    y = y[: options.samples].reshape(-1)
    if options.channels_last:
        x, calibration = np.moveaxis(x, -1, 1), np.moveaxis(calibration, -1, 1)
    calibration = np.ascontiguousarray(calibration[: options.calibration_samples])
    prepare = Preprocessing(options.scale, options.mean, options.std).apply
    theirs = network_outputs(options.model, x, prepare).argmax(1)
    ann = float(100 * (theirs == y).mean())
    rows = []
    with Progress(console=Console(stderr=True), transient=True) as bar:
        for steps in options.steps:
            task = bar.add_task(f"{options.scheme}, {steps} steps", total=len(x))
            program = nd.compile(
                options.model,
                calibration=calibration,
                scheme=options.scheme,
                steps=steps,
                scale=options.scale,
                mean=options.mean,
                std=options.std,
                balance=options.balance,
                percentile=options.percentile,
                reset=options.reset,
            )
            result = nd.simulate(program, x, progress=lambda n, task=task: bar.advance(task, n))
            accuracy = float(100 * (result.predictions == y).mean())
            rows.append(
                {
                    "steps": steps,
                    "accuracy": accuracy,
                    "lost": ann - accuracy,
                    "agreement": float(100 * (result.predictions == theirs).mean()),
                    "spikes": result.spikes_per_sample,
                    "synaptic_operations": result.synaptic_operations_per_sample,
                    "latency_steps": program.latency,
                    "samples_per_second": len(x) / result.seconds,
                    "overflows": sum(result.wrapped.values()) + sum(result.clipped.values()),
                }
            )
    return {
        "model": options.model,
        "scheme": options.scheme,
        "samples": len(x),
        "calibration_samples": len(calibration),
        "ann_accuracy": ann,
        "curve": rows,
    }


def show(found: dict) -> None:
    """The curve as a table."""
    table = Table(
        title=f"{found['model']}, {found['scheme']}, {found['samples']} samples, "
        f"ANN {found['ann_accuracy']:.2f} %"
    )
    columns = ("steps", "accuracy %", "lost", "agrees %", "spikes", "synaptic ops", "latency")
    for column in (*columns, "samples/s"):
        table.add_column(column, justify="right")
    for row in found["curve"]:
        table.add_row(
            str(row["steps"]),
            f"{row['accuracy']:.2f}",
            f"{row['lost']:+.2f}",
            f"{row['agreement']:.2f}",
            f"{row['spikes']:,.0f}",
            f"{row['synaptic_operations'] / 1e6:,.1f} M",
            str(row["latency_steps"]),
            f"{row['samples_per_second']:,.1f}",
        )
    Console(width=120).print(table)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="ONNX file")
    parser.add_argument("--data", required=True, help=".npz with x and labels y")
    parser.add_argument("--calibration", required=True, help=".npz with x")
    parser.add_argument("--calibration-samples", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=None, help="only the first so many")
    parser.add_argument("--channels-last", action="store_true", help="x is (n, H, W, C)")
    parser.add_argument("--scheme", default="rate", choices=("rate", "ttfs"))
    parser.add_argument("--steps", type=whole_numbers, default=(32, 64, 128))
    parser.add_argument("--scale", type=float, default=1 / 255)
    parser.add_argument("--mean", type=numbers, default=(0.0,))
    parser.add_argument("--std", type=numbers, default=(1.0,))
    parser.add_argument("--balance", default=None, choices=("percentile", "max", "mmse"))
    parser.add_argument("--percentile", type=float, default=99.9)
    parser.add_argument("--reset", default=None, choices=("subtract", "zero"))
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    found = measure(options)
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
