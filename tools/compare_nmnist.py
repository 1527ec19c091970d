"""N-MNIST by spike timing of order 1.9 and 1, and through time with a surrogate gradient.

    python tools/compare_nmnist.py --data ../shared/data

One network, 2312-100-10, and one order of samples; each trained network of integrate-and-fire
neurons is compiled for Loihi 1 as well, and run on the same recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from fostdgd_bench.through_time import fit_through_time

import neurodeploy as nd
from neurodeploy.training.fostdgd import IntegrateAndFireNetwork
from neurodeploy.training.fostdgd.fitting import Settings, accuracy, fit
from neurodeploy.training.fostdgd.inputs import TrainingSamples, read_training_samples
from neurodeploy.training.fostdgd.spiking_nir import save_nir

LAYERS, STEPS, BIN = "2x34x34-100-10", 30, 10_000.0


def compiled(network: IntegrateAndFireNetwork, test: TrainingSamples) -> float:
    """Accuracy of the int8 program of stock neurons, in percent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.nir"
        save_nir(network, path)
        program = nd.compile(
            str(path), reset="zero", steps=STEPS, target="loihi1", warn=lambda _: None
        )
    if not all(p.neuron.is_stock for p in program.populations):
        raise SystemExit("not all neurons are stock neurons")
    result = nd.simulate(program, test.x, warn=lambda _: None)
    return 100 * float((result.predictions == test.labels).mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of nmnist_*.npz")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, test = (
        read_training_samples(
            options.data / f"nmnist_{name}.npz", (2, 34, 34), 10, "events", STEPS, BIN
        )
        for name in ("train1000", "test100")
    )
    rows: dict[str, list[float]] = {}
    for seed in options.seeds:
        for name, order, lr in (("order 1.9, lr 1e-3", 1.9, 1e-3), ("order 1, lr .03", 1.0, 0.03)):
            settings = Settings(
                LAYERS, order, lr, schedule="constant", epochs=options.epochs,
                batch=options.batch, seed=seed,
            )  # fmt: skip
            network = fit(settings, train).network
            rows.setdefault(name, []).append(accuracy(network, test))
            rows.setdefault(f"{name}, int8 on stock neurons", []).append(compiled(network, test))
        flat = [
            TrainingSamples(s.x.reshape(*s.x.shape[:2], -1), s.labels, "events", STEPS)
            for s in (train, test)
        ]
        twin = IntegrateAndFireNetwork("2312-100-10", seed=seed)
        other = fit_through_time(twin, flat[0], options.epochs, options.batch, 1e-3, seed)
        with torch.no_grad():
            x, _, labels = flat[1].batch(np.arange(len(test)), torch.Generator())
            right = 100 * float((other(x).argmax(1) == labels).double().mean())
        rows.setdefault("surrogate gradient through time, Adam 1e-3", []).append(right)
        print(f"seed {seed} done", file=sys.stderr)
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    for name, found in rows.items():
        told = " ".join(f"{value:.0f}" for value in found)
        print(f"{name:44} {np.mean(found):6.2f}  ({told})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
