"""What the levels of multi-level firing are worth: small spiking ResNets, trained side by side.

Fashion-MNIST at 14 x 14, 6,000 images, four epochs, ResNet-8 of 8, 16 and 32 channels, four time
steps; the full test set. Prints the accuracy of each network and seed, and how much larger the
stem's gradient is with K levels than with one, before training. Needs the `train` extra and the
images of the Debian package `dataset-fashion-mnist`.

    python tools/mlf_levels.py --data /usr/share/datasets/fashion-mnist
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from neurodeploy.errors import NeuroDeployError
from neurodeploy.training.fitting import Recipe, fit
from neurodeploy.training.images import Images, read_images
from neurodeploy.training.spiking_resnet import Kind, SpikingResNet, preset

DATA = Path("/usr/share/datasets/fashion-mnist")
STEPS = 4


def halved(x: np.ndarray) -> np.ndarray:
    """uint8 images of half the size: the mean of each 2 x 2 pixels."""
    n, channels, rows, columns = x.shape
    parts = x.reshape(n, channels, rows // 2, 2, columns // 2, 2).astype(np.float32)
    return np.rint(parts.mean((3, 5))).astype(np.uint8)


def small_images(data: Path, train: int) -> Images:
    """The first so many images to train with and all to test with, 14 x 14."""
    images = read_images(data).limited(train)
    return replace(images, train_x=halved(images.train_x), test_x=halved(images.test_x))


def network(levels: int, kind: Kind, seed: int) -> SpikingResNet:
    """A small network; those of one seed begin with the same weights."""
    torch.manual_seed(seed)
    return SpikingResNet(preset("tiny", levels=levels, kind=kind), STEPS)


def stem_gradient(levels: int, kind: Kind, seed: int, images: Images) -> float:
    """Norm of the loss's gradient by the stem's weights, on the first 256 images."""
    made = network(levels, kind, seed).train()
    x = torch.from_numpy(images.train_x[:256]).float() / 255
    y = torch.from_numpy(images.train_y[:256])
    torch.nn.functional.cross_entropy(made(x), y).backward()
    gradient = made.stem.conv.weight.grad
    assert gradient is not None
    return float(gradient.norm())


def trained(levels: int, kind: Kind, seed: int, images: Images, epochs: int) -> tuple[float, float]:
    """Accuracy in percent, and seconds."""
    made, begun = network(levels, kind, seed), time.perf_counter()
    recipe = Recipe(epochs=epochs, flip=False, seed=seed)  # too few epochs for more images
    history = fit(made, images, recipe, tested="last")
    return history[-1]["accuracy"], time.perf_counter() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the images")
    parser.add_argument("--images", type=int, default=6000, help="to train with (6000)")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--levels", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--kinds", nargs="+", choices=["ds", "plain"], default=["ds"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        images = small_images(options.data, options.images)
    except NeuroDeployError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = []
    for kind in options.kinds:
        for seed in options.seeds:
            one = stem_gradient(1, kind, seed, images)
            for levels in options.levels:
                accuracy, seconds = trained(levels, kind, seed, images, options.epochs)
                ratio = stem_gradient(levels, kind, seed, images) / one
                rows.append(
                    {"kind": kind, "levels": levels, "seed": seed, "accuracy": accuracy,
                     "stem_gradient": ratio, "seconds": seconds}
                )  # fmt: skip
                if not options.json:
                    print(
                        f"{kind:5} K={levels} seed {seed}: {accuracy:.2f} %, stem gradient "
                        f"{ratio:.2f} times that of K=1, {seconds:.0f} s",
                        flush=True,
                    )
    if options.json:
        print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
