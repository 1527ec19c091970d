"""The trained network of multi-level firing as a program, beside SpikingJelly's floats.

Of `models/mlf_dsresnet_fashion`: accuracy of the float network (`network.pt`) and of the
8-bit program on the test images, how often their classes agree, currents that wrapped and membranes
that clipped; neurons, connections, cores and synaptic operations beside those of the stock
populations that can stand in its place; and images a CPU second of both, one thread each, in turns.
Needs the `train` extra.

    python tools/mlf_figures.py
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

import neurodeploy as nd
from neurodeploy.mapping import map_program
from neurodeploy.program import INPUT, Program
from neurodeploy.program.expansion import expand_levels
from neurodeploy.samples import load_samples
from neurodeploy.simulator.result import Result
from neurodeploy.targets import load_target
from neurodeploy.training.spiking_resnet import SpikingResNet, preset

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "models" / "mlf_dsresnet_fashion"
STEPS = 4


def floats() -> SpikingResNet:
    """The network that was trained."""
    made = SpikingResNet(preset("small", stem_stride=2), STEPS)
    made.load_state_dict(torch.load(FOLDER / "network.pt", weights_only=True))
    return made.eval()


@torch.no_grad()
def logits_of(network: SpikingResNet, x: np.ndarray, batch: int = 250) -> np.ndarray:
    """Of uint8 images."""
    parts = [
        network(torch.from_numpy(part).float() / 255).numpy()
        for part in np.split(x, range(batch, len(x), batch))
    ]
    return np.concatenate(parts)


def operations(result: Result) -> float:
    """Synaptic operations an image, but for those of the input."""
    inner = [v for k, v in result.synaptic_operations.items() if not k.startswith(f"{INPUT}->")]
    return float(sum(counts.mean() for counts in inner))


def sizes(program: Program) -> dict[str, int]:
    mapping = map_program(program, load_target("loihi2"), placement="layers")
    return {
        "neurons": program.neurons,
        "connections": len(program.connections),
        "cores": len(mapping.cores),
    }


def seconds(run: Callable[[], Any]) -> float:
    """Of this process's CPU: what else runs on the machine does not count."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=int, help="only the first so many test images")
    parser.add_argument("--some", type=int, default=200, help="images to count and time with (200)")
    parser.add_argument("--rounds", type=int, default=5, help="of timing (5)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    test = load_samples(ROOT / "models" / "fashion_cnn" / "test.npz").limit(options.limit)
    assert test.y is not None
    quiet: dict[str, Any] = {"warn": lambda _: None}
    program = nd.compile(FOLDER / "model.onnx", steps=STEPS, scale=1 / 255, **quiet)
    network = floats()
    logits = logits_of(network, test.x)
    result = nd.simulate(program, test.x, threads=options.threads, **quiet)
    classes = logits.argmax(1)
    found: dict[str, Any] = {
        "images": len(test.x),
        "float": float(100 * (classes == test.y).mean()),
        "int8": result.accuracy(test.y),
        "agreement": float(100 * (result.predictions == classes).mean()),
        "wrapped": sum(result.wrapped.values()),
        "clipped": sum(result.clipped.values()),
    }
    some, expanded = test.x[: options.some], expand_levels(program)
    own = nd.simulate(program, some, threads=options.threads, **quiet)
    stock = nd.simulate(expanded, some, threads=options.threads, **quiet)
    found["differ"] = int((own.outputs != stock.outputs).sum())
    for name, one, made in (("levels", own, program), ("stock", stock, expanded)):
        found[name] = {**sizes(made), "operations": operations(one)}
    found["operations_share"] = found["levels"]["operations"] / found["stock"]["operations"]
    times: dict[str, list[float]] = {"engine": [], "spikingjelly": []}
    for _ in range(options.rounds):
        times["engine"].append(
            seconds(lambda: nd.simulate(program, some, threads=options.threads, **quiet))
        )
        times["spikingjelly"].append(seconds(lambda: logits_of(network, some)))
    for name, taken in times.items():
        found[f"images_a_cpu_second_{name}"] = len(some) / median(taken)
    found["speed"] = median(
        b / a for a, b in zip(times["engine"], times["spikingjelly"], strict=True)
    )
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, value in found.items():
        print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
