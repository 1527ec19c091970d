"""Train the spiking DS-ResNet on Fashion-MNIST and write `model.onnx` and `network.pt`.

Needs the `train` extra (torch 2.13.0, SpikingJelly 2.0.0) and the images of the Debian package
`dataset-fashion-mnist`:

    make setup-train && .venv/bin/python models/mlf_dsresnet_fashion/train.py

Two runs, as the file that lies here was made: three epochs of a one-cycle schedule of sixteen, then
one of four that begins with their weights. Both resume where they were interrupted.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from neurodeploy.files import write_atomically
from neurodeploy.training.fitting import read_checkpoint

HERE = Path(__file__).resolve().parent
DATA = Path("/usr/share/datasets/fashion-mnist")
NETWORK = ["--network", "small", "--stem-stride", "2", "--levels", "3", "--steps", "4"]


def train(data: Path, out: Path, *more: str) -> int:
    """One run of the command; its exit code."""
    command = [sys.executable, "-m", "neurodeploy.training", "mlf", "--data", str(data)]
    command += ["--out", str(out), *NETWORK, *more, "--threads", "1", "--resume"]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the images")
    parser.add_argument("--work", type=Path, default=HERE / "runs", help="where checkpoints lie")
    parser.add_argument("--out", type=Path, default=HERE, help="where the files are written")
    options = parser.parse_args()
    first, second = options.work / "first", options.work / "second"
    failed = train(options.data, first, "--epochs", "16", "--stop-after", "3", "--seed", "0")
    failed = failed or train(
        options.data, second, "--epochs", "4", "--rate", "0.08", "--seed", "1",
        "--begin-with", str(first / "checkpoint.pt"),
    )  # fmt: skip
    if failed:
        return failed
    kept = read_checkpoint(second / "checkpoint.pt")
    content = io.BytesIO()
    torch.save(kept["network"], content)
    write_atomically(options.out / "network.pt", content.getvalue())
    shutil.copyfile(second / "model.onnx", options.out / "model.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
