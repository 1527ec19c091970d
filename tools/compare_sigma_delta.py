"""Sigma-delta on moving images: operations a frame against `graded`, drift, and Lava.

An image moves inside its frame, a pixel every `--every` frames, and another one follows after
`--hold` frames. All of it follows from the numbers given. Drift is the difference between the
outputs of a frame in the stream and those of the same frame alone (`Program.alone`).

    python tools/compare_sigma_delta.py --models MODELS --data DATA --frames 500 --lava 4

MODELS holds `verivital__Convnet_avgpool.onnx` and `mnistfc__mnist-net_256x4.onnx`, DATA holds
`mnist_test.npz` and `mnist_train_first2000.npz`; the fashion CNN lies in `models/fashion_cnn`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import neurodeploy as nd
from neurodeploy.program import Program
from neurodeploy.simulator.result import Result

FASHION = Path(__file__).resolve().parent.parent / "models" / "fashion_cnn"
#: How far an image moves from where it was, in pixels: down and to the right.
REACH = (3, 4)


@dataclass(frozen=True)
class Subject:
    """A network with its images; `shape` is that of its input."""

    title: str
    model: Path
    test: Path
    calibration: Path
    shape: tuple[int, ...] = (1, 28, 28)

    def images(self, path: Path, limit: int) -> tuple[np.ndarray, np.ndarray]:
        """The first so many images (n, 28, 28), uint8, and their labels."""
        with np.load(path, allow_pickle=False) as held:
            return held["x"][:limit].reshape(-1, 28, 28), held["y"][:limit]

    def laid(self, frames: np.ndarray) -> np.ndarray:
        """Frames as the network takes them."""
        return frames.reshape(len(frames), *self.shape)


@dataclass(frozen=True)
class Setting:
    """Options of the scheme; `refreshes`: what the same program is run with."""

    divide: str
    threshold: float
    refreshes: tuple[int, ...] = (0,)


SETTINGS = (
    Setting("sums", 0.0),
    Setting("sums", 0.01),
    Setting("sums", 0.02),
    Setting("changes", 0.0, (0, 100, 20)),
    Setting("changes", 0.01, (0, 100, 20)),
)


def subjects(models: Path, data: Path) -> dict[str, Subject]:
    """The networks by the name that `--network` takes."""
    mnist = (data / "mnist_test.npz", data / "mnist_train_first2000.npz")
    return {
        "fashion": Subject(
            "fashion CNN", FASHION / "model.onnx", FASHION / "test.npz", FASHION / "calibration.npz"
        ),
        "avgpool": Subject(
            "MNIST CNN, average pooling", models / "verivital__Convnet_avgpool.onnx", *mnist
        ),
        "dense": Subject(
            "MNIST 256x4", models / "mnistfc__mnist-net_256x4.onnx", *mnist, shape=(784, 1)
        ),
    }


def to_and_fro(steps: np.ndarray, reach: int) -> np.ndarray:
    """0, 1 ... reach, reach - 1 ... -reach ... 0 and again."""
    return np.abs((steps + 3 * reach) % (4 * reach) - 2 * reach) - reach


def _moved(by: int, size: int) -> tuple[slice, slice]:
    """Where a line of pixels goes, and which of it does."""
    return slice(max(by, 0), size + min(by, 0)), slice(max(-by, 0), size - max(by, 0))


def moving(images: np.ndarray, count: int, every: int, hold: int) -> np.ndarray:
    """Frames of moving images, uint8 (count, height, width); what leaves the frame is lost.

    Parameters
    ----------
    images
        uint8 (n, height, width), one after the other.
    every
        Frames that an image stands still before it moves by a pixel.
    hold
        Frames before the next image.
    """
    t = np.arange(count)
    steps = t % hold // every
    found = np.zeros((count, *images.shape[1:]), np.uint8)
    for k, down, right in zip(t, *(to_and_fro(steps, reach) for reach in REACH), strict=True):
        image = images[k // hold % len(images)]
        (to_row, from_row), (to_column, from_column) = map(_moved, (down, right), image.shape)
        found[k][to_row, to_column] = image[from_row, from_column]
    return found


def compiled(subject: Subject, calibration: np.ndarray, **options: object) -> Program:
    """The network's program."""
    return nd.compile(
        subject.model, calibration, scale=1 / 255, try_samples=0,
        warn=lambda line: print(f"{subject.title}: {line}", file=sys.stderr), **options,
    )  # type: ignore[arg-type]  # fmt: skip


def row(
    program: Program, result: Result, alone: Result, graded: Result, labels: np.ndarray
) -> tuple[str, ...]:
    """What is said of a run; `alone`: the same frames each by itself."""
    spread = float(np.ptp(alone.outputs))
    drift = np.abs(result.outputs - alone.outputs).max(axis=tuple(range(1, result.outputs.ndim)))
    late = drift[-len(drift) // 10 :]
    return (
        f"{result.synaptic_operations_per_sample / 1e3:,.0f} k",
        f"{result.synaptic_operations_per_sample / graded.synaptic_operations_per_sample:.2f}",
        f"{result.spikes_per_sample:,.0f}",
        f"{100 * (result.predictions == labels).mean():.1f}",
        f"{100 * (result.predictions == graded.predictions).mean():.1f}",
        f"{100 * (result.predictions == alone.predictions).mean():.1f}",
        f"{100 * drift.max() / spread:.1f}",
        f"{100 * late.mean() / spread:.1f}",
        f"{program.latency}",
    )


HEAD = (
    "network", "scheme", "threshold", "refresh", "operations a frame", "of `graded`",
    "messages a frame", "accuracy (%)", "as `graded` (%)", "as alone (%)", "largest drift (%)",
    "mean drift, last tenth (%)", "latency (steps)",
)  # fmt: skip


def rows(subject: Subject, options: argparse.Namespace) -> list[tuple[str, ...]]:
    """All settings on a network."""
    calibration, _ = subject.images(subject.calibration, options.calibration_samples)
    images, labels = subject.images(subject.test, -(-options.frames // options.hold))
    frames = subject.laid(moving(images, options.frames, options.every, options.hold))
    wanted = np.repeat(labels, options.hold)[: options.frames]
    known = subject.laid(calibration)
    stock = compiled(subject, known, scheme="graded", stock=True)
    graded = nd.simulate(stock, frames, threads=options.threads)
    found = [(subject.title, "graded --stock", "", "", *row(stock, graded, graded, graded, wanted))]
    for setting in SETTINGS:
        if options.divide and setting.divide != options.divide:
            continue
        program = compiled(
            subject, known, scheme="sigma-delta",
            divide=setting.divide, threshold=setting.threshold, refresh=0,
        )  # fmt: skip
        alone = nd.simulate(program.alone, frames, threads=options.threads)
        for refresh in setting.refreshes:
            made = replace(program, refresh=refresh)
            result = nd.simulate(made, frames, threads=options.threads)
            found.append(
                (
                    subject.title, f"sigma-delta, {setting.divide}", f"{setting.threshold:g}",
                    str(refresh or "never"), *row(made, result, alone, graded, wanted),
                )
            )  # fmt: skip
            print(line(found[-1]), file=sys.stderr, flush=True)
        if options.lava:
            ran = nd.deploy(
                replace(program, refresh=3), frames[: options.lava], verify=True, stock=True
            )
            print(
                f"{subject.title}, {setting.divide}, threshold {setting.threshold:g}: Lava's own "
                f"models, {options.lava} frames, a whole one every 3: {ran.compared_spikes:,} "
                f"messages compared, {ran.mismatched_spikes} differ",
                flush=True,
            )
    return found


def line(cells: tuple[str, ...]) -> str:
    """A row of the table."""
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--network", action="append", choices=("fashion", "avgpool", "dense"))
    parser.add_argument("--divide", choices=("sums", "changes"), help="only these (both)")
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--every", type=int, default=1, help="frames before a pixel's move")
    parser.add_argument("--hold", type=int, default=50, help="frames of an image")
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--lava", type=int, default=0, help="frames to run on Lava as well")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    known = subjects(options.models, options.data)
    table = [HEAD, ("---",) * len(HEAD)]
    for name in options.network or known:
        table += rows(known[name], options)
    print("\n".join(map(line, table)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
