"""Train the reference network on Fashion-MNIST and write `model.onnx` and its data files.

Needs the `train` extra (torch 2.13.0) and the images of the Debian package
`dataset-fashion-mnist` (gzipped IDX). Takes a few minutes on two cores:

    make setup-train && .venv/bin/python models/fashion_cnn/train.py

Writes, beside this file:

- `model.onnx`        as torch's own exporter writes it, batch norm and all
- `test.npz`          the 10,000 test images, uint8 (n, 1, 28, 28), and labels
- `calibration.npz`   the first 1,000 training images and labels
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).resolve().parent
DATA = Path("/usr/share/datasets/fashion-mnist")


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes (the format of MNIST's files)."""
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", count=rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def network() -> nn.Sequential:
    """The network: four convolutions with batch norm, two average poolings, two dense layers."""

    def conv(inputs: int, outputs: int) -> list[nn.Module]:
        return [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]

    return nn.Sequential(
        *conv(1, 32),
        *conv(32, 32),
        nn.AvgPool2d(2),
        *conv(32, 64),
        *conv(64, 64),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 256),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(256, 10),
    )


def train(model: nn.Module, x: np.ndarray, y: np.ndarray, epochs: int, batch: int) -> None:
    """Adam with a one-cycle rate; random horizontal flips are the only augmentation."""
    optimiser = torch.optim.Adam(model.parameters(), weight_decay=1e-5)
    steps = epochs * (len(x) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        start, total = time.perf_counter(), 0.0
        order = torch.randperm(len(x))
        model.train()
        for step in range(len(x) // batch):
            pick = order[step * batch : (step + 1) * batch].numpy()
            images = torch.from_numpy(x[pick]).float()[:, None] / 255
            flipped = torch.rand(len(images)) < 0.5
            images[flipped] = images[flipped].flip(-1)
            loss = loss_of(model(images), torch.from_numpy(y[pick].astype(np.int64)))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        seconds = time.perf_counter() - start
        mean = total / (len(x) // batch)
        print(f"epoch {epoch + 1}/{epochs}: loss {mean:.4f}, {seconds:.0f} s", file=sys.stderr)


@torch.no_grad()
def accuracy(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    """Top-1 accuracy in percent."""
    model.eval()
    hits = 0
    for start in range(0, len(x), 500):
        images = torch.tensor(x[start : start + 500]).float()[:, None] / 255
        hits += int((model(images).argmax(1).numpy() == y[start : start + 500]).sum())
    return 100 * hits / len(x)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the IDX files")
    parser.add_argument("--out", type=Path, default=HERE, help="where the files are written")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train-images-idx3-ubyte.gz").exists():
        print(
            f"train: no Fashion-MNIST in {options.data}; install the Debian package "
            "dataset-fashion-mnist, or name a folder with --data",
            file=sys.stderr,
        )
        return 2

    torch.manual_seed(options.seed)
    torch.set_num_threads(os.cpu_count() or 1)
    x = read_idx(options.data / "train-images-idx3-ubyte.gz")
    y = read_idx(options.data / "train-labels-idx1-ubyte.gz")
    test_x = read_idx(options.data / "t10k-images-idx3-ubyte.gz")
    test_y = read_idx(options.data / "t10k-labels-idx1-ubyte.gz")

    model = network()
    train(model, x, y, options.epochs, options.batch)
    print(f"test accuracy: {accuracy(model, test_x, test_y):.2f} %")

    model.eval()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model,
        (torch.zeros(2, 1, 28, 28),),
        options.out / "model.onnx",
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        external_data=False,
    )
    np.savez_compressed(options.out / "test.npz", x=test_x[:, None], y=test_y)
    np.savez_compressed(options.out / "calibration.npz", x=x[:1000, None], y=y[:1000])
    return 0


if __name__ == "__main__":
    sys.exit(main())
