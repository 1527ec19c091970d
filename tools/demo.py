"""The main job on real images: compile, simulate all test images, deploy three to Lava, compare.

Called by `make demo`; runs alone as well. Writes out/fashion_cnn.ndp.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.reporting.console import Progress, table, warn
from neurodeploy.reporting.results import Reference
from neurodeploy.samples import load_samples

ROOT = Path(__file__).resolve().parent.parent


def run(options: argparse.Namespace) -> int:
    """The whole way; returns the exit code."""
    folder = ROOT / "models" / "fashion_cnn"
    test = load_samples(folder / "test.npz").limit(options.limit)
    out = ROOT / "out" / "fashion_cnn.ndp"
    out.parent.mkdir(exist_ok=True)

    with Progress().running() as progress:
        print(f"1. compile  {folder.name}/model.onnx for loihi2, {options.steps} steps")
        program = nd.compile(
            folder / "model.onnx",
            calibration=load_samples(folder / "calibration.npz").x,
            steps=options.steps,
            scale=1 / 255,
            tried=lambda trial: print(f"   {trial.sentence}"),
            progress=progress.stage,
            warn=warn,
        )
        program.save(out)
        program = nd.load(out)  # from here on only the file counts
        ann = Reference.compute(str(folder / "model.onnx"), program, test)
        print(f"2. simulate {len(test.x):,} test images, bit for bit")
        result = nd.simulate(program, test.x, progress=progress.counter("simulate", len(test.x)))
        print(f"3. deploy   {options.deploy} images to Lava's runtime, compare every spike")
        lava = nd.deploy(
            program,
            test.x[: options.deploy],
            verify=True,
            progress=lambda done, total: progress.stage("lava", done, total),
        )

    assert test.y is not None
    rows = [
        ("ANN accuracy (%)", float(100 * (ann.predictions == test.y).mean())),
        ("spiking accuracy, same images (%)", result.accuracy(test.y)),
        ("spikes an image", round(result.spikes_per_sample)),
        ("synaptic operations an image", round(result.synaptic_operations_per_sample)),
        ("images a second, simulator", result.samples / result.seconds),
        ("spikes compared with Lava", lava.compared_spikes),
        ("of which differ", lava.mismatched_spikes),
    ]
    table(f"Fashion-MNIST, {len(test.x):,} images, {program.period} steps", ("", ""), rows)
    return 0 if lava.mismatched_spikes == 0 else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=32, help="time steps an image")
    parser.add_argument("--limit", type=int, help="only the first so many test images")
    parser.add_argument("--deploy", type=int, default=3, help="images that go to Lava")
    try:
        return run(parser.parse_args())
    except NeuroDeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
