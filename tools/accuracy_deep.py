"""The rate code in a deep residual network: it is trained here, compiled and run beside itself.

Fashion-MNIST at 14 x 14, a narrow residual CNN of 6 n + 2 layers (He et al. 2016; ResNet-56 is
n = 9) with batch norm, Adam and one fixed seed. Printed for each number of steps: accuracy,
agreement with the network in ONNX Runtime, messages an image. Needs torch and the images of the
Debian package `dataset-fashion-mnist`.

    python tools/accuracy_deep.py --data /usr/share/datasets/fashion-mnist --blocks 9 \\
        --run rate:steps=32 --run rate:steps=64 --run rate:steps=64,signed=false
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from accuracy_codes import asked
from accuracy_curve import network_outputs
from mlf_levels import DATA, small_images
from torch import nn

import neurodeploy as nd
from neurodeploy.program import Preprocessing
from neurodeploy.training.images import Images

SCALE = 1 / 255


class Block(nn.Module):
    """Two convolutions and what comes in; where maps shrink, every second pixel and zeros."""

    def __init__(self, reads: int, channels: int) -> None:
        super().__init__()
        stride = 1 if reads == channels else 2
        self.first = nn.Conv2d(reads, channels, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm, self.other = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.more = channels - reads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.other(self.second(torch.relu(self.norm(self.first(x)))))
        if self.more:
            x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.more))
        return torch.relu(x + y)


def network(blocks: int, width: int, seed: int) -> nn.Module:
    """Three groups of so many blocks, of `width`, 2 `width` and 4 `width` channels."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Conv2d(1, width, 3, 1, 1, bias=False)]
    layers += [nn.BatchNorm2d(width), nn.ReLU()]
    reads = width
    for channels in (width, 2 * width, 4 * width):
        for _ in range(blocks):
            layers.append(Block(reads, channels))
            reads = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(reads, 10))


def train(model: nn.Module, images: Images, epochs: int, seed: int) -> None:
    """Adam with a learning rate of one cycle, batches of 64."""
    x = torch.from_numpy(images.train_x).float() * SCALE
    y = torch.from_numpy(images.train_y).long()
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    batches = len(x) // 64
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, total_steps=epochs * batches)
    model.train()
    for epoch in range(epochs):
        started, loss_sum = time.perf_counter(), 0.0
        for at in torch.randperm(len(x), generator=order)[: batches * 64].split(64):
            loss = nn.functional.cross_entropy(model(x[at]), y[at])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            loss_sum += float(loss.detach())
        seconds = time.perf_counter() - started
        print(f"epoch {epoch}: loss {loss_sum / batches:.3f}, {seconds:.0f} s", file=sys.stderr)
    model.eval()


def exported(model: nn.Module, shape: tuple[int, ...]) -> bytes:
    """As ONNX, for any number of images."""
    held = io.BytesIO()
    entry = torch.zeros(1, *shape)
    names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "n"}}}
    torch.onnx.export(model, (entry,), held, dynamo=False, **names)
    return held.getvalue()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--blocks", type=int, default=9, help="blocks a group: 6 n + 2 layers")
    parser.add_argument("--width", type=int, default=4, help="channels of the first group")
    parser.add_argument("--train", type=int, default=12000, help="images to train with")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--samples", type=int, default=1000, help="test images")
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", type=Path, help="keep the network here; taken if it is there")
    parser.add_argument("--run", action="append", type=asked, default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)

    images = small_images(options.data, options.train)
    path = options.model or Path(tempfile.mkdtemp()) / "deep.onnx"
    if not path.exists():
        model = network(options.blocks, options.width, options.seed)
        train(model, images, options.epochs, options.seed)
        path.write_bytes(exported(model, images.train_x.shape[1:]))
    x, y = images.test_x[: options.samples], images.test_y[: options.samples]
    theirs = network_outputs(str(path), x, Preprocessing(SCALE).apply).argmax(1)

    def tell(predictions: np.ndarray, **row: object) -> None:
        row["accuracy"] = round(float(100 * (predictions == y).mean()), 2)
        row["agreement"] = round(float(100 * (predictions == theirs).mean()), 2)
        print(json.dumps(row), flush=True)

    tell(theirs, code="ANN", layers=6 * options.blocks + 2, samples=len(x))
    for scheme, values in options.run:
        program = nd.compile(
            str(path), images.train_x[: options.calibration_samples], scheme=scheme, scale=SCALE,
            try_samples=0, warn=lambda line: print(line, file=sys.stderr), **values,
        )  # fmt: skip
        result = nd.simulate(program, x, threads=1)
        tell(
            result.predictions, code=scheme, **values,
            spikes=round(result.spikes_per_sample), latency=program.latency,
        )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
