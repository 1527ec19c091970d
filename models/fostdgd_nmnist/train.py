"""Train 2x34x34-100-10 integrate-and-fire neurons on N-MNIST and write `model.nir`.

Needs the extras `train` and `nir`, and a folder with `nmnist_train1000.npz` and
`nmnist_test100.npz` (raw events; docs/spiking-networks.md lists the arrays). Half a minute on one
core:

    make setup-dev && .venv/bin/python models/fostdgd_nmnist/train.py --data ../shared/data

Then the network is compiled for Loihi 1, run on the test recordings, and both accuracies are
printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import neurodeploy as nd
from neurodeploy.reporting.console import Progress
from neurodeploy.training.fostdgd.fitting import Settings, fit
from neurodeploy.training.fostdgd.inputs import read_training_samples
from neurodeploy.training.fostdgd.spiking_nir import save_nir

HERE = Path(__file__).resolve().parent
STEPS, BIN_US = 30, 10_000.0
SETTINGS = Settings(
    "2x34x34-100-10", order=1.9, lr=1e-3, schedule="constant", epochs=20, batch=50, seed=0
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of nmnist_*.npz")
    parser.add_argument("--out", type=Path, default=HERE / "model.nir")
    options = parser.parse_args()
    train, test = (
        read_training_samples(
            options.data / f"nmnist_{name}.npz", (2, 34, 34), 10, "events", STEPS, BIN_US
        )
        for name in ("train1000", "test100")
    )
    with Progress().running() as bars:
        fitted = fit(
            SETTINGS, train, test, evaluate="last",
            progress=lambda done, total: bars.stage("train", done, total),
        )  # fmt: skip
    save_nir(fitted.network, options.out)
    program = nd.compile(
        str(options.out), reset="zero", steps=STEPS, target="loihi1",
        warn=lambda line: print(line, file=sys.stderr),
    )  # fmt: skip
    result = nd.simulate(program, test.x)
    right = 100 * float((result.predictions == test.labels).mean())
    stock = all(p.neuron.is_stock for p in program.populations)
    print(f"float {fitted.accuracies[-1]:.2f} %, int8 {right:.2f} %; stock neurons only: {stock}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
