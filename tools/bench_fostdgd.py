"""Time and memory of a training step beside back-propagation through time, by the number of steps.

    python tools/bench_fostdgd.py --steps 20 100 500

Each figure is of a process of its own and one thread: CPU seconds of the median batch; and, in a
second process whose freed memory goes back to the system at once, by how much the peak of its
memory lies above what it held before.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import torch
from torch.nn import functional

from neurodeploy.training.fostdgd import IntegrateAndFireNetwork

METHODS = ("spike timing", "through time")


def one(options: argparse.Namespace) -> dict[str, float]:
    """Measure one method at one number of steps, in this process."""
    torch.set_num_threads(1)
    network: torch.nn.Module = IntegrateAndFireNetwork(options.layers, seed=0)
    if options.method == METHODS[1]:
        from fostdgd_bench.through_time import ThroughTime

        network = ThroughTime(network)  # type: ignore[arg-type]
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)
    random = torch.Generator().manual_seed(0)
    inputs = int(options.layers.split("-")[0])
    steps = options.steps[0]

    def batch(steps: int) -> None:
        rate = torch.rand(options.batch, inputs, generator=random)
        labels = torch.randint(0, 10, (options.batch,), generator=random)
        if options.input == "current":
            readout = network(rate * 0.2, steps)
        else:
            spikes = torch.empty(steps, *rate.shape, dtype=torch.uint8)
            for row in spikes:
                row.copy_(torch.rand(rate.shape, generator=random) < rate * 0.2)
            readout = network(spikes)
        optimizer.zero_grad()
        functional.cross_entropy(10 * readout, labels).backward()
        optimizer.step()

    batch(2)  # what is allocated once
    before = _peak()
    times = []
    for _ in range(options.repeat):
        began = time.process_time()
        batch(steps)
        times.append(time.process_time() - began)
    return {"seconds": statistics.median(times), "mib": (_peak() - before) / 1024}


def _peak() -> int:
    """Largest memory that the process ever held, KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _child(
    options: argparse.Namespace, steps: int, method: str, environment: dict[str, str] | None = None
) -> dict[str, float]:
    """`one` in a process of its own."""
    child = subprocess.run(
        [sys.executable, __file__, "--layers", options.layers, "--steps", str(steps),
         "--batch", str(options.batch), "--input", options.input, "--repeat",
         str(options.repeat), "--method", method],
        stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    found: dict[str, float] = json.loads(child.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", default="784-300-10")
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 100, 500])
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--input", choices=["current", "spikes"], default="current")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.method:
        print(json.dumps(one(options)))
        return 0
    rows = []
    for steps in options.steps:
        found = []
        for method in METHODS:
            time_of, memory_of = (
                _child(options, steps, method),
                _child(options, steps, method, {"MALLOC_MMAP_THRESHOLD_": "65536"}),
            )
            found.append({"seconds": time_of["seconds"], "mib": memory_of["mib"]})
            rows.append({"steps": steps, "method": method, **found[-1]})
        ours, theirs = found
        faster = theirs["seconds"] / ours["seconds"]
        if not options.json:
            print(
                f"{steps:4} steps: spike timing {1e3 * ours['seconds']:7.1f} ms "
                f"{ours['mib']:7.1f} MiB; through time {1e3 * theirs['seconds']:7.1f} ms "
                f"{theirs['mib']:7.1f} MiB; {faster:.1f} times as fast, "
                f"{ours['mib'] / max(theirs['mib'], 1e-9):.3f} of the memory",
                flush=True,
            )
    if options.json:
        print(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
