"""N-MNIST from scratch in snnTorch, and its int8 program of stock neurons beside it.

    python tools/train_nmnist.py --data ../shared/data

A convolution and a dense layer of leaky neurons, trained through time with a surrogate gradient on
1,000 recordings of 30 steps of 10 ms; snnTorch's own exporter writes the NIR graph.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import nir
import numpy as np
import snntorch as snn
import torch
from snntorch.export_nir import export_to_nir

import neurodeploy as nd

STEPS, BIN, SIDE = 30, 10_000, 34
#: Rows and columns that are left of a map after a kernel of 5 in strides of 2.
MAP = (SIDE // 2 - 5) // 2 + 1


def rasters(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Recordings as uint8 (n, steps, 2, 17, 17), 1 where any of 2 x 2 places has an event."""
    with np.load(path) as held:
        start, label = held["start"], held["label"].astype(np.int64)
        step, x, y, p = held["t_us"] // BIN, held["x"] // 2, held["y"] // 2, held["p"]
    made = np.zeros((len(label), STEPS, 2, SIDE // 2, SIDE // 2), np.uint8)
    of = np.repeat(np.arange(len(label)), np.diff(start))
    kept = step < STEPS
    made[of[kept], step[kept], p[kept], y[kept], x[kept]] = 1
    return made, label


def network(channels: int) -> torch.nn.Sequential:
    """Convolution and dense layer, each with leaky neurons that reset to zero."""

    def leaky(*shape: int) -> snn.Leaky:
        return snn.Leaky(
            beta=torch.full(shape, 0.9), threshold=torch.ones(shape), reset_mechanism="zero",
            spike_grad=snn.surrogate.fast_sigmoid(slope=10), init_hidden=True,
        )  # fmt: skip

    return torch.nn.Sequential(
        torch.nn.Conv2d(2, channels, 5, stride=2, bias=False),
        leaky(channels, MAP, MAP),
        torch.nn.Flatten(),
        torch.nn.Linear(channels * MAP * MAP, 10, bias=False),
        leaky(10),
    )


def counts(model: torch.nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    """Spikes of the last layer over all steps, (n, 10)."""
    for module in model.modules():
        if isinstance(module, snn.Leaky):
            module.reset_mem()
    return torch.stack([model(x[:, step]) for step in range(STEPS)]).sum(0)


def main() -> int:
    """Train, export, compile, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of nmnist_*.npz")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    train, labels = rasters(options.data / "nmnist_train1000.npz")
    test, truth = rasters(options.data / "nmnist_test100.npz")
    model = network(options.channels)
    adam = torch.optim.Adam(model.parameters(), 2e-3)
    began = time.perf_counter()
    for epoch in range(options.epochs):
        order = np.random.default_rng(options.seed + epoch).permutation(len(train))
        for part in np.array_split(order, len(train) // options.batch):
            found = counts(model, torch.from_numpy(train[part]).float())
            loss = torch.nn.functional.cross_entropy(found / 3, torch.from_numpy(labels[part]))
            adam.zero_grad()
            loss.backward()
            adam.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}", file=sys.stderr)
    seconds = time.perf_counter() - began
    with torch.no_grad():
        own = counts(model, torch.from_numpy(test).float()).numpy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.nir"
        sample = torch.zeros(1, 2, SIDE // 2, SIDE // 2)
        graph = export_to_nir(model, sample, ignore_dims=[0])
        graph.infer_types()
        nir.write(path, graph)
        program = nd.compile(
            str(path), dt=1e-4, reset="zero", steps=STEPS, target="loihi1", warn=lambda _: None
        )
    result = nd.simulate(program, test, warn=lambda _: None)
    rows = {
        "seconds of training": round(seconds, 1),
        "float, of 100": int((own.argmax(1) == truth).sum()),
        "int8 on stock neurons, of 100": int((result.outputs.argmax(1) == truth).sum()),
        "same class": int((result.outputs.argmax(1) == own.argmax(1)).sum()),
        "all neurons stock": all(p.neuron.is_stock for p in program.populations),
    }
    print(json.dumps(rows) if options.json else "\n".join(f"{k}: {v}" for k, v in rows.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
