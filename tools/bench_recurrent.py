"""A fully recurrent population on the engine beside the reference, in one run.

Every neuron reaches every neuron; biases and thresholds give the activity that is asked for. The
reference steps a part of the steps, the engine all of them; both are equal there in every spike
and membrane, or the tool says so and ends with 1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from neurodeploy.program import Connection, Decoder, Dense, Encoder, Lif, Population, Program
from neurodeploy.simulator import reference
from neurodeploy.simulator.engine import Engine


def network(neurons: int, period: int, interval: int, seed: int) -> tuple[Program, np.ndarray]:
    """A recurrent population whose neurons fire about every `interval` steps, and its input.

    The weights have mean zero and are small beside the bias, so that activity neither dies nor
    grows; membranes start anywhere by a stream of the first steps.
    """
    rng = np.random.default_rng(seed)
    bias = rng.integers(900, 1100, neurons).astype(np.int16)
    lif = Lif(bias, 1000 * interval, du=4095, dv=0, reset="subtract", shift=0)
    weights = rng.integers(-127, 128, (neurons, neurons)).astype(np.int8)
    inputs = 16
    drive = rng.integers(-127, 128, (neurons, inputs)).astype(np.int8)
    program = Program(
        (Population("loop", (neurons,), lif, 2),),
        (
            Connection("input", "loop", Dense(drive)),
            Connection("loop", "loop", Dense(weights)),
        ),
        Encoder((inputs,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("loop", 1.0),
        period,
    )
    messages = (rng.random((period, inputs)) < 0.2).astype(np.int32)
    return program, messages


def peers(
    program: Program, messages: np.ndarray, spikes: np.ndarray, repeat: int
) -> dict[str, dict[str, float]]:
    """Microseconds a step of other frameworks, and the share of steps that are the engine's."""
    import torch
    from simulator_bench.recurrent_peers import PEERS

    torch.set_num_threads(1)
    loop = program.population("loop")
    inside = next(c for c in program.connections if c.source == "loop").synapses.weights
    outside = next(c for c in program.connections if c.source == "input").synapses.weights
    # a message of row r arrives at row r + 1, where the window begins
    drive = messages[:-1] @ outside.T.astype(np.int64) + loop.neuron.bias
    given = inside.astype(np.float32), drive.astype(np.float32), float(loop.neuron.threshold)
    found = {}
    for name, run in PEERS.items():
        took = []
        with torch.no_grad():
            for _ in range(repeat):
                began = time.perf_counter()
                fired = run(*given)
                took.append((time.perf_counter() - began) / len(fired))
        same = float((fired == spikes[1:]).mean())
        found[name] = {"us_a_step": 1e6 * statistics.median(took), "same": same}
    return found


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds a step of both, the ratio of their medians, and how active it was."""
    program, messages = network(options.neurons, options.steps, options.interval, options.seed)
    few = messages[: options.reference_steps]
    engine = Engine(program)
    engine.run_stream(few)  # compiled, and weights laid out
    ours, theirs = [], []
    for _ in range(options.repeat):
        began = time.perf_counter()
        found = engine.run_stream(messages)
        ours.append((time.perf_counter() - began) / len(messages))
        began = time.perf_counter()
        expected = reference.run(program, few)
        theirs.append((time.perf_counter() - began) / len(few))
    for name in ("spikes", "membrane"):
        mine, right = getattr(found, name)["loop"], getattr(expected, name)["loop"]
        if not np.array_equal(mine[: len(few)], right):
            raise SystemExit(f"the engine's {name} differ")
    found_by: dict[str, dict[str, float]] = {}
    if options.peers:
        found_by = peers(program, messages, found.spikes["loop"], options.repeat)
    return {
        "peers": found_by,
        "neurons": options.neurons,
        "steps": options.steps,
        "activity": float(found.spikes["loop"].mean()),
        "engine_us_a_step": 1e6 * statistics.median(ours),
        "reference_us_a_step": 1e6 * statistics.median(theirs),
        "ratio": statistics.median(theirs) / statistics.median(ours),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, prog="bench_recurrent.py")
    parser.add_argument("--neurons", type=int, default=1000, help="of the population (1000)")
    parser.add_argument("--steps", type=int, default=1000, help="of the engine (1000)")
    parser.add_argument(
        "--reference-steps", type=int, default=200, help="of the reference, which is slow (200)"
    )
    parser.add_argument(
        "--interval", type=int, default=20, help="steps from spike to spike: 20 is 5 %% (20)"
    )
    parser.add_argument("--repeat", type=int, default=5, help="medians of so many (5)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--peers", action="store_true", help="other frameworks as well (make setup-bench)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = measure(options)
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"{options.neurons} neurons, {options.steps} steps, {found['activity']:.1%} active: "
            f"engine {found['engine_us_a_step']:.1f} us a step, "
            f"reference {found['reference_us_a_step']:.1f} us, {found['ratio']:.0f} times as fast"
        )
        for name, peer in found["peers"].items():
            ratio = peer["us_a_step"] / found["engine_us_a_step"]
            print(
                f"  {name}: {peer['us_a_step']:.1f} us a step ({ratio:.1f} times the engine's), "
                f"{peer['same']:.2%} of neurons and steps the same"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
