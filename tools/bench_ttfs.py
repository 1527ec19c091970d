"""Time to first spike beside ONNX Runtime: images a second, side by side in one run.

The spiking program (int8, bit-accurate) against ONNX Runtime on the float network, same images,
same threads. Each repetition runs both, one after the other; medians and their ratio are printed,
and accuracy and agreement on all test images for each W.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

import neurodeploy as nd
from neurodeploy.samples import load_samples

FOLDER = Path(__file__).resolve().parent.parent / "models" / "fashion_cnn"


def float_network(threads: int, batch: int):
    """A function of float images: what ONNX Runtime predicts."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(
        str(FOLDER / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name

    def run(x: np.ndarray) -> np.ndarray:
        parts = [x[start : start + batch] for start in range(0, len(x), batch)]
        return np.concatenate([session.run(None, {name: part})[0].argmax(1) for part in parts])

    return run


def measure(options: argparse.Namespace) -> list[dict]:
    """One record for each number of steps."""
    test = load_samples(FOLDER / "test.npz")
    x = test.x.astype(np.float32) / 255
    calibration = load_samples(FOLDER / "calibration.npz").x
    # ONNX Runtime at its best batch size
    best: dict[int, float] = {}
    for batch in (16, 64, 256):
        run = float_network(options.threads, batch)
        run(x[:256])
        started = time.perf_counter()
        run(x[: options.samples])
        best[batch] = time.perf_counter() - started
    run = float_network(options.threads, min(best, key=best.__getitem__))
    ann = run(x)
    records = []
    for steps in options.steps:
        program = nd.compile(
            FOLDER / "model.onnx",
            calibration=calibration,
            scheme="ttfs",
            steps=steps,
            scale=1 / 255,
        )
        nd.simulate(program, test.x[:64], threads=options.threads)
        speeds: dict[str, list[float]] = {"float": [], "ttfs": []}
        for _ in range(options.repeat):
            started = time.perf_counter()
            run(x[: options.samples])
            speeds["float"].append(options.samples / (time.perf_counter() - started))
            started = time.perf_counter()
            nd.simulate(program, test.x[: options.samples], threads=options.threads)
            speeds["ttfs"].append(options.samples / (time.perf_counter() - started))
        result = nd.simulate(program, test.x, threads=options.threads)
        own, theirs = statistics.median(speeds["ttfs"]), statistics.median(speeds["float"])
        records.append(
            {
                "steps": steps,
                "ann_accuracy": float(100 * (ann == test.y).mean()),
                "accuracy": result.accuracy(test.y),
                "agreement": float(100 * (result.predictions == ann).mean()),
                "spikes_per_neuron": result.spikes_per_sample / program.neurons,
                "latency_steps": program.latency,
                "images_per_second": own,
                "onnxruntime_images_per_second": theirs,
                "ratio": own / theirs,
            }
        )
    return records


def markdown(records: list[dict]) -> str:
    """The table."""
    lines = [
        "| W | accuracy (%) | ANN (%) | agreement (%) | spikes a neuron | latency (steps) "
        "| images/s | ONNX Runtime, float | ratio |",
        "| --- " * 9 + "|",
    ]
    for r in records:
        lines.append(
            f"| {r['steps']} | {r['accuracy']:.2f} | {r['ann_accuracy']:.2f} "
            f"| {r['agreement']:.2f} | {r['spikes_per_neuron']:.3f} | {r['latency_steps']} "
            f"| {r['images_per_second']:.0f} | {r['onnxruntime_images_per_second']:.0f} "
            f"| {r['ratio']:.2f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[16, 64, 256])
    parser.add_argument("--samples", type=int, default=10000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    records = measure(options)
    print(json.dumps(records, indent=1) if options.json else markdown(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
