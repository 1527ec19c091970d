"""Lava with its own models and with ours: milliseconds a step, side by side, and what differs.

Each pair runs both on the same samples, one after the other, so that a busy machine hits both;
medians are printed. Then more samples go through our models, and every spike is compared with the
simulator's and with that of Lava's own models. The exit code is 1 if any differs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.lava.comparison import compare
from neurodeploy.lava.deploy import default_simulator, stream
from neurodeploy.lava.run import LavaTrace, run
from neurodeploy.program import Program
from neurodeploy.reporting.console import print_json, table
from neurodeploy.samples import load_samples
from neurodeploy.simulator.encoding import check_samples

FOLDER = Path(__file__).resolve().parent.parent / "models" / "fashion_cnn"


def program_of(options: argparse.Namespace) -> Program:
    """The program named, or the fashion network compiled now."""
    if options.program is not None:
        return nd.load(options.program)
    return nd.compile(
        FOLDER / "model.onnx",
        calibration=load_samples(FOLDER / "calibration.npz").x,
        steps=options.steps,
        scale=1 / 255,
    )


def time_pairs(program: Program, x: np.ndarray, pairs: int) -> dict[str, Any]:
    """Milliseconds a step, and seconds before the first, of each run."""
    messages = stream(program, x)
    found: dict[str, Any] = {"steps": len(messages)}
    for name in ("stock", "fast"):
        found |= {f"{name}_ms": [], f"{name}_start_seconds": []}
    for _ in range(pairs):
        for name in ("stock", "fast"):
            trace = run(
                program,
                messages,
                membranes=[program.decoder.population],
                stock=name == "stock",
            )
            found[f"{name}_ms"].append(1000 * trace.step_seconds / len(messages))
            found[f"{name}_start_seconds"].append(trace.start_seconds)
    for name in ("stock", "fast"):
        found[f"{name}_median_ms"] = statistics.median(found[f"{name}_ms"])
    ratios = zip(found["stock_ms"], found["fast_ms"], strict=True)
    found["ratio"] = statistics.median(stock / fast for stock, fast in ratios)
    return found


def check(program: Program, x: np.ndarray, stock_images: int) -> dict[str, Any]:
    """How many spikes were compared, and how many differ."""
    messages = stream(program, x)
    fast = run(program, messages, membranes=[program.decoder.population])
    expected = default_simulator(membranes=False)(program, messages)
    compared = compare(program, fast, expected, membranes=False)
    found: dict[str, Any] = {
        "images": len(x),
        "images_ms": 1000 * fast.step_seconds / len(messages),
        "spikes_compared": compared.compared_spikes,
        "differ_from_simulator": compared.mismatched_spikes,
    }
    if stock_images:
        part = x[:stock_images]
        stock = run(program, stream(program, part), stock=True)
        rows = len(part) * program.period  # the silence after the last image differs
        found["stock_images"] = len(part)
        found["differ_from_stock"] = different(program, fast, stock, rows)
    return found


def different(program: Program, one: LavaTrace, other: LavaTrace, rows: int) -> int:
    """Spikes of the first steps that only one side has."""
    return sum(
        int(np.count_nonzero(one.spikes[p.name][:rows] != other.spikes[p.name][:rows]))
        for p in program.populations
    )


def show(timed: dict[str, Any], checked: dict[str, Any]) -> None:
    """The numbers as a table."""
    rows: list[tuple[str, object]] = [
        ("stock models, ms a step (median)", timed["stock_median_ms"]),
        ("fast models, ms a step (median)", timed["fast_median_ms"]),
        ("times faster a step (median of the pairs)", timed["ratio"]),
        ("stock models, seconds to start", statistics.median(timed["stock_start_seconds"])),
        ("fast models, seconds to start", statistics.median(timed["fast_start_seconds"])),
    ]
    if checked:
        rows += [
            (f"fast models on {checked['images']} images, ms a step", checked["images_ms"]),
            ("spikes compared with the simulator", checked["spikes_compared"]),
            ("of which differ", checked["differ_from_simulator"]),
        ]
    if "differ_from_stock" in checked:
        images = checked["stock_images"]
        rows.append((f"differ from stock models, {images} images", checked["differ_from_stock"]))
    table(f"Lava, {timed['steps']} steps a run", ("", ""), rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", metavar="P", help="another program than the fashion network")
    parser.add_argument("--data", default=str(FOLDER / "test.npz"), metavar="NPZ")
    parser.add_argument("--steps", type=int, default=64, help="time steps an image (64)")
    parser.add_argument("--pairs", type=int, default=3, help="runs of each kind (3)")
    parser.add_argument("--samples", type=int, default=1, help="images a timed run (1)")
    parser.add_argument("--images", type=int, default=10, help="images compared; 0: none (10)")
    parser.add_argument(
        "--stock-images",
        type=int,
        default=10,
        help="of those also through the stock models, which takes minutes; 0: none (10)",
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        program = program_of(options)
        x = check_samples(load_samples(options.data).x, program.encoder.sample_shape)
        timed = time_pairs(program, x[: options.samples], options.pairs)
        checked = (
            check(program, x[: options.images], options.stock_images) if options.images else {}
        )
    except NeuroDeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print_json(timed | checked)
    else:
        show(timed, checked)
    return 1 if checked.get("differ_from_simulator") or checked.get("differ_from_stock") else 0


if __name__ == "__main__":
    sys.exit(main())
