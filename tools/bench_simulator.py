"""The engine beside SpikingJelly and sinabs: same weights, same steps, same cores, one run.

Needs `make setup-bench`. Each repetition runs every simulator once, one after the other, so that
a busy machine hits all of them; the table shows medians and the ratio of the medians. Each peer
gets its best batch size of those tried. Predictions are compared: the peers compute in float.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

import neurodeploy as nd
from neurodeploy.importing import load_network
from neurodeploy.network import Activation, Conv, Dense, Network, Permute, Pool
from neurodeploy.passes import FoldBatchNorm
from neurodeploy.program import Program
from neurodeploy.samples import load_samples

FOLDER = Path(__file__).resolve().parent.parent / "models" / "fashion_cnn"
Run = Callable[[np.ndarray], np.ndarray]


def layers(network: Network, program: Program, neuron: Callable[[], nn.Module]) -> nn.Sequential:
    """The network in torch with threshold 1: weights scaled by lambda_before / lambda."""
    levels = {p.name: p.spike_value for p in program.populations}
    modules: list[nn.Module] = []
    before = 1.0
    for node in network:
        if isinstance(node, Conv | Dense):
            level = levels.get(node.name, 1.0)
            weight = torch.tensor(node.weight * before / level)
            if isinstance(node, Conv):
                outputs, inputs = weight.shape[:2]
                module: nn.Module = nn.Conv2d(
                    inputs * node.groups,
                    outputs,
                    tuple(weight.shape[2:]),
                    node.stride,
                    node.padding[:2],
                    node.dilation,
                    node.groups,
                )
            else:
                module = nn.Linear(weight.shape[1], weight.shape[0])
            module.weight.data = weight
            module.bias.data = torch.tensor(node.bias / level)
            modules.append(module)
            before = level
        elif isinstance(node, Activation):
            modules.append(neuron())
        elif isinstance(node, Pool):
            modules.append(nn.AvgPool2d(node.kernel, node.stride))
        elif isinstance(node, Permute):
            modules.append(nn.Flatten())
    return nn.Sequential(*modules)


def spikingjelly(network: Network, program: Program, batch: int) -> Run:
    """Multi-step IFNode, soft reset, initial potential 1/2; stateless layers see (T*N, ...)."""
    from spikingjelly.activation_based import functional
    from spikingjelly.activation_based.neuron import IFNode

    steps = program.period

    class Folded(nn.Module):
        """IFNode over time, whatever the layers between fold into the batch axis."""

        def __init__(self) -> None:
            super().__init__()
            self.node = IFNode(v_threshold=1.0, v_reset=None, step_mode="m")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x.reshape(steps, -1, *x.shape[1:])
            self.node.v = torch.full_like(x[0], 0.5)
            return self.node(x).flatten(0, 1)

    model = layers(network, program, Folded).eval()

    @torch.no_grad()
    def run(x: np.ndarray) -> np.ndarray:
        found = []
        for start in range(0, len(x), batch):
            part = torch.tensor(x[start : start + batch])
            functional.reset_net(model)
            repeated = part.repeat(steps, *[1] * (part.ndim - 1))
            found.append(model(repeated).reshape(steps, len(part), -1).sum(0).argmax(1).numpy())
        return np.concatenate(found)

    return run


def sinabs(network: Network, program: Program, batch: int) -> Run:
    """IAFSqueeze with single spikes, soft reset; sinabs folds samples first, then time."""
    import sinabs.activation as activation
    import sinabs.layers as sl

    steps = program.period
    model = layers(
        network,
        program,
        lambda: sl.IAFSqueeze(num_timesteps=steps, spike_fn=activation.SingleSpike),
    ).eval()

    @torch.no_grad()
    def run(x: np.ndarray) -> np.ndarray:
        found = []
        for start in range(0, len(x), batch):
            part = torch.tensor(x[start : start + batch])
            for module in model.modules():
                if isinstance(module, sl.IAFSqueeze):
                    module.reset_states()
            repeated = part.repeat_interleave(steps, 0)
            found.append(model(repeated).reshape(len(part), steps, -1).sum(1).argmax(1).numpy())
        return np.concatenate(found)

    return run


PEERS = {"spikingjelly": spikingjelly, "sinabs": sinabs}


def timed(run: Run, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Samples a second, and the predictions."""
    start = time.perf_counter()
    found = run(x)
    return len(x) / (time.perf_counter() - start), found


def measure(options: argparse.Namespace) -> dict:
    """Medians of paired runs."""
    torch.set_num_threads(options.threads)
    test = load_samples(FOLDER / "test.npz")
    program = nd.compile(
        FOLDER / "model.onnx",
        calibration=load_samples(FOLDER / "calibration.npz").x,
        steps=options.steps,
        scale=1 / 255,
        overflow="off",
    )
    network = FoldBatchNorm().apply(load_network(str(FOLDER / "model.onnx")).network)
    raw, x = test.x[: options.samples], test.x.astype(np.float32) / 255

    def ours(samples: np.ndarray) -> np.ndarray:
        return nd.simulate(program, samples, threads=options.threads).predictions

    ours(raw[:8])  # kernels are compiled or loaded now
    runs: dict[str, tuple[Run, np.ndarray]] = {"neurodeploy": (ours, raw)}
    batches = {}
    for name in options.peers:
        rates = {}
        for batch in options.batches:
            rates[batch], _ = timed(PEERS[name](network, program, batch), x[: 2 * batch])
        batches[name] = max(rates, key=rates.__getitem__)
        count = max(batches[name], options.samples // 4 // batches[name] * batches[name])
        runs[name] = (PEERS[name](network, program, batches[name]), x[:count])
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    predictions = {}
    for repetition in range(options.repeat):
        for name, (run, samples) in runs.items():
            speed, predictions[name] = timed(run, samples)
            speeds[name].append(speed)
            print(f"run {repetition + 1}: {name} {speed:.1f} samples/s", file=sys.stderr)
    result = {"steps": options.steps, "threads": options.threads, "simulators": {}}
    for name, values in speeds.items():
        agree = predictions[name] == predictions["neurodeploy"][: len(predictions[name])]
        result["simulators"][name] = {
            "samples_per_second": statistics.median(values),
            "runs": values,
            "batch": batches.get(name),
            "agreement_percent": float(100 * agree.mean()),
        }
    fastest = max(
        (r["samples_per_second"] for n, r in result["simulators"].items() if n != "neurodeploy"),
        default=float("nan"),
    )
    own = result["simulators"]["neurodeploy"]["samples_per_second"]
    result["times_the_fastest_peer"] = own / fastest
    return result


def markdown(result: dict) -> str:
    """The table."""
    lines = [
        f"Fashion CNN, {result['steps']} steps, {result['threads']} threads, median of paired runs",
        "",
        "| simulator | samples/s | batch | same predictions (%) |",
        "| --- | --- | --- | --- |",
    ]
    for name, row in result["simulators"].items():
        lines.append(
            f"| {name} | {row['samples_per_second']:.1f} | {row['batch'] or '-'} "
            f"| {row['agreement_percent']:.1f} |"
        )
    lines += ["", f"neurodeploy / fastest peer: {result['times_the_fastest_peer']:.2f}"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=64)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options)
    print(json.dumps(result, indent=1) if options.json else markdown(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
