"""Train 784-300-10 integrate-and-fire neurons on Fashion-MNIST and write `model.nir`.

Needs the extras `train` and `nir`, and the images of the Debian package `dataset-fashion-mnist`
(gzipped IDX). Some six minutes on one core:

    make setup-dev && .venv/bin/python models/fostdgd_fashion/train.py

Then the network is compiled for Loihi 1, run on all 10,000 test images, and both accuracies are
printed.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import neurodeploy as nd
from neurodeploy.reporting.console import Progress
from neurodeploy.training.fostdgd.fitting import Settings, fit
from neurodeploy.training.fostdgd.inputs import TrainingSamples
from neurodeploy.training.fostdgd.spiking_nir import save_nir

HERE = Path(__file__).resolve().parent
DATA = Path("/usr/share/datasets/fashion-mnist")
STEPS = 20
SETTINGS = Settings("1x28x28-300-10", order=1.9, lr=1e-3, epochs=12, batch=100, seed=0)


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes (the format of MNIST's files)."""
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", count=rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def split(folder: Path, name: str) -> TrainingSamples:
    """Images (n, 1, 28, 28), as evenly paced spikes."""
    x = read_idx(folder / f"{name}-images-idx3-ubyte.gz")[:, None]
    y = read_idx(folder / f"{name}-labels-idx1-ubyte.gz").astype(np.int64)
    return TrainingSamples(x, y, "deterministic", STEPS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the IDX files")
    parser.add_argument("--out", type=Path, default=HERE / "model.nir")
    parser.add_argument("--epochs", type=int, default=SETTINGS.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path, help="written behind each epoch; resumed from")
    options = parser.parse_args()
    if not (options.data / "train-images-idx3-ubyte.gz").exists():
        print(
            f"train: no Fashion-MNIST in {options.data}; install the Debian package "
            "dataset-fashion-mnist, or name a folder with --data",
            file=sys.stderr,
        )
        return 2
    train, test = split(options.data, "train"), split(options.data, "t10k")
    settings = replace(SETTINGS, epochs=options.epochs, seed=options.seed)
    with Progress().running() as bars:
        fitted = fit(
            settings, train, test, checkpoint=options.checkpoint, resume=True,
            progress=lambda done, total: bars.stage("train", done, total),
            said=lambda line: print(line, file=sys.stderr),
        )  # fmt: skip
    save_nir(fitted.network, options.out)
    program = nd.compile(
        str(options.out), reset="zero", steps=STEPS, target="loihi1", encoding="deterministic",
        scale=1 / 255, warn=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    result = nd.simulate(program, test.x)
    right = 100 * float((result.predictions == test.labels).mean())
    stock = all(p.neuron.is_stock for p in program.populations)
    print(f"float {fitted.accuracies[-1]:.2f} %, int8 {right:.2f} %; stock neurons only: {stock}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
