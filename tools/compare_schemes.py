"""All schemes on three networks: what a user reads to choose one.

Each scheme is compiled with its default options (or those stated) from the same calibration images
and simulated on the same test images, the network itself runs in ONNX Runtime.

    python tools/compare_schemes.py --models MODELS --data DATA --limit 10000 --stepped-limit 1000

MODELS holds `resnet20_cifar10.onnx` and `mlperftiny_resnet8_cifar10.onnx`, DATA holds
`cifar10_test.npz` and `cifar10_train_first2000.npz` (x uint8 with channels last, y); the fashion
CNN lies in `models/fashion_cnn`. Options of a scheme: `--scheme ttfs:steps=31`,
`--scheme graded:stock`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort

import neurodeploy as nd
from neurodeploy.conversion import schemes
from neurodeploy.errors import NeuroDeployError
from neurodeploy.program import Preprocessing
from neurodeploy.samples import load_samples
from neurodeploy.simulator.closed_form import is_closed_form

FASHION = Path(__file__).resolve().parent.parent / "models" / "fashion_cnn"


@dataclass(frozen=True)
class Subject:
    """A network with its samples; `scale`, `mean` and `std` make its input of the images."""

    title: str
    model: Path
    test: Path
    calibration: Path
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channels_last: bool = False

    def images(self, path: Path, limit: int) -> tuple[np.ndarray, np.ndarray]:
        """The first so many images as the model takes them, and their labels (-1: none)."""
        samples = load_samples(path)
        x = samples.x[:limit]
        y = np.full(len(x), -1) if samples.y is None else samples.y[:limit].reshape(-1)
        return np.ascontiguousarray(np.moveaxis(x, -1, 1) if self.channels_last else x), y

    def ann(self, x: np.ndarray) -> np.ndarray:
        """The class that ONNX Runtime finds for each image."""
        session = ort.InferenceSession(str(self.model), providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        made = Preprocessing(self.scale, self.mean, self.std)
        parts = [x[at : at + 200] for at in range(0, len(x), 200)]
        found = [session.run(None, {name: made.apply(part)})[0].argmax(1) for part in parts]
        return np.concatenate(found)


@cache
def answers(subject: Subject, limit: int) -> np.ndarray:
    """The classes that the network itself finds for its first images."""
    return subject.ann(subject.images(subject.test, limit)[0])


def subjects(models: Path, data: Path) -> dict[str, Subject]:
    """The three networks by the name that `--network` takes."""
    images = (data / "cifar10_test.npz", data / "cifar10_train_first2000.npz")
    return {
        "fashion": Subject(
            "fashion CNN", FASHION / "model.onnx", FASHION / "test.npz", FASHION / "calibration.npz"
        ),
        "resnet8": Subject(
            "ResNet-8",
            models / "mlperftiny_resnet8_cifar10.onnx",
            *images,
            scale=1.0,
            channels_last=True,
        ),
        "resnet20": Subject(
            "ResNet-20",
            models / "resnet20_cifar10.onnx",
            *images,
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            channels_last=True,
        ),
    }


def stated(text: str) -> tuple[str, dict[str, int | bool | str]]:
    """``ttfs:steps=31`` as a scheme and its options; ``stock`` alone is ``stock=true``."""
    name, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    return name, {key: _value(value or "true") for key, _, value in pairs}


def _value(text: str) -> int | bool | str:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def measure(subject: Subject, scheme: str, given: dict, options: argparse.Namespace) -> dict:
    """One row: a scheme on a network."""
    calibration, _ = subject.images(subject.calibration, options.calibration_samples)
    program = nd.compile(
        subject.model,
        calibration,
        scheme=scheme,
        scale=subject.scale,
        mean=subject.mean,
        std=subject.std,
        try_samples=0,
        warn=lambda line: print(f"{subject.title}, {scheme}: {line}", file=sys.stderr),
        **given,
    )
    stepped = not is_closed_form(program)
    limit = options.stepped_limit if stepped and options.stepped_limit else options.limit
    x, y = subject.images(subject.test, limit)
    ann = answers(subject, limit)
    nd.simulate(program, x[: 8 if stepped else 256], threads=options.threads)  # kernels are loaded
    started = time.perf_counter()
    result = nd.simulate(program, x, threads=options.threads)
    seconds = time.perf_counter() - started
    return {
        "network": subject.title,
        "scheme": program.scheme,
        "options": given,
        "images": len(x),
        "ann_accuracy": float(100 * (ann == y).mean()),
        "accuracy": float(100 * (result.predictions == y).mean()),
        "agreement": float(100 * (result.predictions == ann).mean()),
        "spikes": result.spikes_per_sample,
        "synaptic_operations": result.synaptic_operations_per_sample,
        "latency": program.latency,
        "interval": program.period,
        "unsettled": sum(result.unsettled.values()),
        "images_per_second": len(x) / seconds,
    }


def markdown(rows: list[dict]) -> str:
    """The table."""
    lines = [
        "| network | scheme | images | accuracy (%) | ANN (%) | agreement (%) | messages an image "
        "| synaptic operations | latency (steps) | a sample every (steps) | images/s |",
        "| --- " * 11 + "|",
    ]
    for r in rows:
        said = "".join(f" --{key} {value}" for key, value in r["options"].items())
        lines.append(
            f"| {r['network']} | {r['scheme']}{said} | {r['images']:,} | {r['accuracy']:.2f} "
            f"| {r['ann_accuracy']:.2f} | {r['agreement']:.2f} | {r['spikes']:,.0f} "
            f"| {r['synaptic_operations'] / 1e6:.1f} M | {r['latency']:,} | {r['interval']} "
            f"| {r['images_per_second']:.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--network", action="append", choices=("fashion", "resnet8", "resnet20"))
    parser.add_argument("--scheme", action="append", type=stated, help="ttfs or ttfs:steps=31")
    parser.add_argument("--limit", type=int, default=1000, help="test images")
    parser.add_argument(
        "--stepped-limit",
        type=int,
        default=None,
        help="test images of programs that are stepped (as many as of the others)",
    )
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    options = parser.parse_args()
    known = subjects(options.models, options.data)
    rows = []
    for name in options.network or known:
        for scheme, given in options.scheme or [(each, {}) for each in schemes()]:
            try:
                row = measure(known[name], scheme, given, options)
            except NeuroDeployError as error:  # a scheme that this network cannot have
                print(f"{known[name].title}, {scheme}: {error}", file=sys.stderr)
                continue
            rows.append(row)
            print(
                json.dumps(row) if options.json else markdown([row]).splitlines()[-1],
                flush=True,
                file=sys.stdout if options.json else sys.stderr,
            )
    if not options.json:
        print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
