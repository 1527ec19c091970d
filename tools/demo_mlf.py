"""A network of multi-level firing on real images: compile, simulate, deploy two to Lava, compare.

Called by `make demo-mlf`; runs alone as well. Writes out/mlf_dsresnet_fashion.ndp.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.program.expansion import expand_levels
from neurodeploy.reporting.console import Progress, table, warn
from neurodeploy.samples import load_samples

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "models" / "mlf_dsresnet_fashion"
STEPS = 4


def run(options: argparse.Namespace) -> int:
    """The whole way; returns the exit code."""
    test = load_samples(ROOT / "models" / "fashion_cnn" / "test.npz").limit(options.limit)
    assert test.y is not None
    out = ROOT / "out" / f"{FOLDER.name}.ndp"
    out.parent.mkdir(exist_ok=True)
    with Progress().running() as progress:
        print(f"1. compile  {FOLDER.name}/model.onnx for loihi2, {STEPS} steps")
        program = nd.compile(
            FOLDER / "model.onnx", steps=STEPS, scale=1 / 255, progress=progress.stage, warn=warn
        )
        program.save(out)
        program = nd.load(out)  # from here on only the file counts
        print(f"2. simulate {len(test.x):,} test images, bit for bit")
        result = nd.simulate(program, test.x, progress=progress.counter("simulate", len(test.x)))
        few = test.x[: max(options.deploy, 1)]
        spread = nd.simulate(expand_levels(program), few)
        levels = nd.simulate(program, few)
        print(f"3. deploy   {options.deploy} images to Lava's runtime, compare every message")
        lava = nd.deploy(
            program,
            test.x[: options.deploy],
            verify=True,
            membranes=True,
            progress=lambda done, total: progress.stage("lava", done, total),
        )
    differ = int((spread.outputs != levels.outputs).sum())
    rows = [
        ("spiking accuracy (%)", result.accuracy(test.y)),
        ("messages an image", round(result.spikes_per_sample)),
        ("synaptic operations an image", round(result.synaptic_operations_per_sample)),
        ("images a second, simulator", result.samples / result.seconds),
        ("outputs of stock populations in its place that differ", differ),
        ("messages compared with Lava", lava.compared_spikes),
        ("of which differ", lava.mismatched_spikes),
        ("membranes compared with Lava", lava.compared_membranes),
        ("of which differ", lava.mismatched_membranes),
    ]
    table(f"Fashion-MNIST, {len(test.x):,} images, {program.period} steps", ("", ""), rows)
    wrong = lava.mismatched_spikes or lava.mismatched_membranes or differ
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=int, help="only the first so many test images")
    parser.add_argument("--deploy", type=int, default=2, help="images that go to Lava")
    try:
        return run(parser.parse_args())
    except NeuroDeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
