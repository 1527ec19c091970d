"""Orders of FractionalSGD beside order 1, and beside order 1 at the equivalent learning rate.

    python tools/compare_fractional_orders.py --train train.npz --test test.npz

Each run is 784-100-10, 3 epochs, a constant learning rate. The control has order 1 and the learning
rate times ``eps**(1 - order) / Gamma(2 - order)``: what an order does at small steps.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from fostdgd_bench.data import FASHION, images

from neurodeploy.training.fostdgd.fitting import Settings, fit
from neurodeploy.training.fractional_sgd import equivalent_factor


def runs(options: argparse.Namespace) -> list[tuple[str, float, float]]:
    """Name, order and learning rate of each row."""
    found = []
    for lr in options.lr:
        for order in options.orders:
            found.append((f"order {order:g}", order, lr))
            if order != 1:
                control = lr * equivalent_factor(order)
                found.append((f"  control of {order:g}: order 1", 1.0, control))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--train", type=Path, default=FASHION, help=".npz, or a folder of IDX")
    parser.add_argument("--test", type=Path, default=FASHION)
    parser.add_argument("--limit", type=int, default=10_000, help="training images")
    parser.add_argument("--layers", default="784-100-10")
    parser.add_argument("--orders", type=float, nargs="+", default=[0.5, 1.0, 1.5, 1.9])
    parser.add_argument("--lr", type=float, nargs="+", default=[1e-4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--input", default="poisson")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    train = images(options.train, "train", options.input, options.steps)
    train = type(train)(
        train.x[: options.limit], train.labels[: options.limit], train.encoding, train.steps
    )
    test = images(options.test, "t10k", options.input, options.steps)
    print(f"{len(train):,} images to train, {len(test):,} to test", file=sys.stderr)
    rows = []
    for name, order, lr in runs(options):
        accuracies, seconds = [], []
        for seed in options.seeds:
            settings = Settings(
                options.layers, order, lr, schedule="constant", epochs=options.epochs,
                batch=options.batch, seed=seed,
            )  # fmt: skip
            fitted = fit(settings, train, test, evaluate="last")
            accuracies.append(fitted.accuracies[-1])
            seconds.append(fitted.cpu_seconds)
        rows.append(
            {"run": name.strip(), "order": order, "lr": lr, "accuracies": accuracies,
             "mean": float(np.mean(accuracies)), "cpu_seconds": max(seconds)}
        )  # fmt: skip
        told = " ".join(f"{a:.2f}" for a in accuracies)
        line = (
            f"{name:32} lr {lr:<10.4g} {np.mean(accuracies):6.2f}  ({told})  {max(seconds):.1f} s"
        )
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
