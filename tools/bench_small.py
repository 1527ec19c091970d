"""Size, accuracy and speed of the programs of small networks, to be compared between commits.

    python tools/bench_small.py --count 500
    python tools/compare_commits.py --before COMMIT -- $PWD/tools/bench_small.py --json

`fashion_cnn` is in the repository; ResNet-8 and ResNet-20 are looked for in `--shared`, and left
out where they are not there. Images a second are the best of three runs on one thread.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import neurodeploy as nd

ROOT = Path(__file__).resolve().parents[1]
RUNS = 3
#: Of ResNet-20's training.
CIFAR = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def networks(shared: Path) -> Iterator[tuple[str, Path, Path, Path, dict[str, Any]]]:
    """Name, model, calibration and test samples, and how samples become the model's input."""
    fashion = ROOT / "models" / "fashion_cnn"
    yield (
        "fashion_cnn",
        fashion / "model.onnx",
        fashion / "calibration.npz",
        fashion / "test.npz",
        {},
    )
    images = [
        shared / "data" / name for name in ("cifar10_train_first2000.npz", "cifar10_test.npz")
    ]
    for name, file, how in (
        ("resnet8", "mlperftiny_resnet8_cifar10.onnx", {"scale": 1.0}),
        ("resnet20", "resnet20_cifar10.onnx", CIFAR),
    ):
        model = shared / "models" / file
        if model.exists() and all(path.exists() for path in images):
            yield name, model, images[0], images[1], how


def samples(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images, channels first, and their labels."""
    with np.load(path) as data:
        x, y = data["x"][:count], data["y"][:count]
    return (x.transpose(0, 3, 1, 2).copy() if x.shape[-1] == 3 else x), y


def measure(name: str, scheme: str, count: int, shared: Path) -> dict[str, float]:
    """One network with one scheme."""
    model, calibration, test, how = next(row[1:] for row in networks(shared) if row[0] == name)
    known, _ = samples(calibration, 200)
    x, y = samples(test, count)
    steps = {"ttfs": 32, "rate": 32}.get(scheme)
    program = nd.compile(model, known, scheme, steps=steps, try_samples=0, **how)
    with tempfile.TemporaryDirectory() as folder:
        program.save(Path(folder) / "p.ndp")
        size = (Path(folder) / "p.ndp").stat().st_size
    runs = [nd.simulate(program, x, threads=1) for _ in range(RUNS)]
    return {
        "program_kb": round(size / 1000, 1),
        "cores": len(nd.map(program, placement="layers").cores),
        "accuracy": round(runs[0].accuracy(y), 2),
        "images_s": round(count / min(run.seconds for run in runs), 1),
    }


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--count", type=int, default=500, help="test images")
    parser.add_argument("--schemes", default="ttfs,radix,rate")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--networks", help="names, comma-separated; default: all that are there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    shared = options.shared.resolve()
    wanted = options.networks.split(",") if options.networks else None
    found = {}
    for name, *_ in networks(shared):
        if wanted is None or name in wanted:
            for scheme in options.schemes.split(","):
                found[f"{name} {scheme}"] = measure(name, scheme, options.count, shared)
    if options.json:
        print(json.dumps(found))
        return
    for name, numbers in found.items():
        print(f"{name}: {', '.join(f'{what} {value}' for what, value in numbers.items())}")


if __name__ == "__main__":
    main()
