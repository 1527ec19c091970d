"""Networks that neurodeploy was not made with: does a code of few steps keep what they say?

    python tools/compare_held_networks.py --networks mobilenetv2 all-convolutional robust
    python tools/compare_held_networks.py --networks --nxtf b_cifar_pseudo_mobile_net_0.87.h5 \\
        --nxtf-train cifar10_train.npz --nxtf-test cifar10_test.npz

The first trains three networks on Fashion-MNIST (Debian package `dataset-fashion-mnist`), some
minutes each; they are kept in `--folder`. The second reads the MobileNet of Intel's NxTF tutorials
(`held_networks/keras_chain.py` says where it is). 500 images calibrate; every image of the test set
is classified by ONNX Runtime and by the program. Prints one JSON line a program.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from accuracy_codes import asked
from accuracy_curve import network_outputs
from held_networks.keras_chain import write_onnx
from held_networks.trained import NETWORKS, accuracy, channels_first, train, write

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.program import Preprocessing
from neurodeploy.samples import load_samples
from neurodeploy.training.images import Images, read_images


def compared(
    name: str, path: Path, images: Images, runs: list[tuple[str, dict]], calibration: int
) -> None:
    """One line a program, beside ONNX Runtime's float network."""
    prepare = Preprocessing(1 / 255, (0.0,), (1.0,)).apply
    theirs = network_outputs(str(path), images.test_x, prepare).argmax(1)
    right = 100 * float((theirs == images.test_y).mean())
    for scheme, options in runs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = nd.compile(
                path, calibration=images.train_x[:calibration], scheme=scheme, try_samples=0,
                **options,
            )  # fmt: skip
        found = nd.simulate(program, images.test_x)
        reached = 100 * float((found.predictions == images.test_y).mean())
        row = {
            "network": name,
            "scheme": scheme,
            **options,
            "ann": round(right, 2),
            "accuracy": round(reached, 2),
            "lost": round(right - reached, 2),
            "agreement": round(100 * float((found.predictions == theirs).mean()), 2),
            "latency": program.latency,
            "spikes": round(found.spikes_per_sample),
            "operations": round(found.synaptic_operations_per_sample),
            "overflows": sum(found.wrapped.values()) + sum(found.clipped.values()),
        }
        print(json.dumps(row), flush=True)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="*", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--train-images", type=int, default=None, help="only the first so many")
    parser.add_argument("--test-images", type=int, default=None, help="only the first so many")
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("build/held"))
    parser.add_argument("--nxtf", type=Path, help="Keras file of Intel's MobileNet")
    parser.add_argument("--nxtf-train", help=".npz: x (n, 32, 32, 3), to calibrate")
    parser.add_argument("--nxtf-test", help=".npz: x (n, 32, 32, 3) and labels y")
    parser.add_argument("--run", action="append", type=asked, help="scheme:option=value")
    options = parser.parse_args()
    runs = options.run or [("radix", {"bits": 6})]
    options.folder.mkdir(parents=True, exist_ok=True)

    def told(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    try:
        if options.networks:
            images = read_images(options.data).limited(options.train_images, options.test_images)
        for name in options.networks:
            path = options.folder / f"{name}-{options.epochs}-{options.seed}.onnx"
            if not path.exists():
                start = time.perf_counter()
                network = train(name, images, options.epochs, options.seed, told)
                write(network, path, images.train_x.shape[1:])
                attacked = NETWORKS[name][1]
                against = (
                    f", {accuracy(network, images, attacked):.2f} % of attacked ones"
                    if attacked
                    else ""
                )
                told(
                    f"{name}: {accuracy(network, images):.2f} %{against}, trained in "
                    f"{time.perf_counter() - start:.0f} s"
                )
            compared(name, path, images, runs, options.calibration_samples)
        if options.nxtf:
            path = options.folder / f"{options.nxtf.stem}.onnx"
            write_onnx(options.nxtf, path)
            compared("nxtf-mobilenet", path, _cifar(options), runs, options.calibration_samples)
    except (NeuroDeployError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _cifar(options: argparse.Namespace) -> Images:
    """The images that calibrate, and those that test."""
    if not options.nxtf_train or not options.nxtf_test:
        raise ValueError("--nxtf needs --nxtf-train and --nxtf-test")
    train, test = load_samples(options.nxtf_train), load_samples(options.nxtf_test)
    if test.y is None:
        raise ValueError(f"{options.nxtf_test} holds no labels y")
    some = slice(options.test_images)
    x, y = channels_first(test.x)[some], test.y.reshape(-1).astype(np.int64)[some]
    return Images(channels_first(train.x), np.zeros(len(train.x), np.int64), x, y)


if __name__ == "__main__":
    sys.exit(main())
