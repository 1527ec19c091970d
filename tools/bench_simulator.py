"""The engine beside SpikingJelly, sinabs, snnTorch, norse and Lava: same program, same cores.

Needs `make setup-bench`. Every simulator runs the integers of one compiled program, so that not
only predictions but the readout's membranes can be compared. Each repetition runs every simulator
once, one after the other; torch peers run in the fastest form of those tried (layer by layer or
step by step, memory format, batch size). The rates of 1 to 30 % are synthetic: thresholds are set
for them, see simulator_bench/rates.py. Prints Markdown; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulator_bench import machine, memory
from simulator_bench.networks import NETWORKS
from simulator_bench.peers import TORCH_PEERS
from simulator_bench.peers import missing as missing_peer

RATE_SAMPLES = 8
#: The thresholds that the compiler set, no synthetic ones.
COMPILED = "compiled"


def bench(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Everything that was asked for and can be run; what is known, after each cell anew."""
    from simulator_bench.ceiling import adds_per_second
    from simulator_bench.contenders import CLOCKS
    from simulator_bench.measure import LAVA, Bench, say
    from simulator_bench.peers import lava
    from simulator_bench.rates import with_synthetic_rate

    machine.pin(options.threads)
    where = machine.describe(options.threads)
    if where["load"] > machine.BUSY * options.threads:
        say(f"the machine is busy (load {where['load']}): timings will mean little")
    left_out = {}
    peers = [name for name in options.peers if name != LAVA]
    for name in list(peers):
        if reason := missing_peer(name):
            left_out[name] = reason
            peers.remove(name)
    with_lava = LAVA in options.peers and options.lava_samples > 0
    if with_lava and (reason := lava.missing()):
        left_out[LAVA], with_lava = reason, False
    if peers:
        import torch

        torch.set_num_threads(options.threads)
    say("ceiling")
    ceiling = adds_per_second()
    runner = Bench(
        peers=peers,
        threads=options.threads,
        repeat=options.repeat,
        seconds=options.seconds,
        batches=options.batches,
        lava_samples=options.lava_samples if with_lava else 0,
        lava_timeout=options.lava_timeout,
        memory=options.memory,
        clock=CLOCKS[options.clock],
    )
    results: dict[str, Any] = {
        "machine": where,
        "clock": options.clock,
        "repeat": options.repeat,
        "ceiling": {"adds_per_second": ceiling, "best": max(ceiling.values())},
        "cells": [],
        "left_out": left_out,
    }
    yield results
    for name in options.networks:
        if reason := NETWORKS[name].missing:
            left_out[name] = reason
            continue
        x = NETWORKS[name].samples(options.samples)
        for steps in options.steps:
            compiled = NETWORKS[name].program(steps)
            for position, rate in enumerate(options.rates):
                say(f"{name}, {steps} steps, rate {rate}")
                program = compiled
                if rate is not None:
                    program = with_synthetic_rate(compiled, x[:RATE_SAMPLES], rate / 100)
                found = runner.cell(name, program, x, extras=position == 0)
                cell = {"network": name, "steps": steps, "rate": rate, **found}
                results["cells"].append(cell)
                yield results


def _rate(text: str) -> float | None:
    if text == COMPILED:
        return None
    value = float(text)
    if not 0 < value < 100:
        raise argparse.ArgumentTypeError(f"{text} is no percentage above 0 and below 100")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value


def _parser() -> argparse.ArgumentParser:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--steps", type=_count, nargs="+", default=[32, 64, 256])
    parser.add_argument(
        "--rates",
        type=_rate,
        nargs="+",
        default=[None, 1.0, 5.0, 15.0, 30.0],
        metavar="PERCENT",
        help=f"mean spikes a neuron and 100 steps, or {COMPILED!r} (compiled 1 5 15 30)",
    )
    everyone = [*TORCH_PEERS, "lava"]
    parser.add_argument("--peers", nargs="*", choices=everyone, default=everyone)
    parser.add_argument("--repeat", type=_count, default=5, help="paired runs (5)")
    parser.add_argument("--threads", type=_count, default=cores, help="of each simulator (cores)")
    parser.add_argument("--samples", type=_count, default=2048, help="at most (2048)")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="that a run of a simulator should take (2)"
    )
    parser.add_argument(
        "--clock",
        choices=["wall", "processor"],
        default="wall",
        help="processor: seconds that this process worked, for busy machines; one thread (wall)",
    )
    parser.add_argument("--batches", type=_count, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--lava-samples", type=int, default=1, help="0 leaves Lava out (1)")
    parser.add_argument("--lava-timeout", type=float, default=600.0, help="seconds (600)")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write Markdown")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one network, 32 steps, compiled thresholds, two short runs: does everything work?",
    )
    parser.add_argument("--serve", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    return parser


def main() -> int:
    parser = _parser()
    options = parser.parse_args()
    if options.serve:
        return memory.serve(options.serve)
    if options.quick:
        options.networks, options.steps, options.rates = options.networks[:1], [32], [None]
        options.repeat, options.seconds, options.batches = 2, 0.5, [16]
    if options.clock == "processor" and options.threads > 1:
        # torch's threads wait for each other in a loop, which counts as work
        parser.error("--clock processor compares one thread: add --threads 1")
    if options.samples < max(options.batches):
        parser.error(f"{options.samples} samples do not fill a batch of {max(options.batches)}")
    text, code = "", 0
    try:
        for results in bench(options):  # hours: what is measured is written at once
            text = _written(results, options)
    except KeyboardInterrupt:
        print("interrupted: this is what was measured", file=sys.stderr)
        code = 130
    print(text, end="")
    return code


def _written(results: dict[str, Any], options: argparse.Namespace) -> str:
    """The table as Markdown, and the files that were asked for."""
    # not before: a process that measures a peer's memory starts here, too
    from simulator_bench.table import markdown

    text = markdown(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    return text


if __name__ == "__main__":
    sys.exit(main())
