"""Compile and run random ONNX networks, and hold each against a plain evaluation of itself.

A network is whatever may stand between an input of any sign and a layer: pooling first, last and
twice, residual sums, concatenations, groups, padding, one to three axes. What the program computes
must be what the quantised network computes, derived from the network and not from the program, and
its error must stay within a bound from the levels (`neurodeploy/testing/scheme_promises.py`).
Prints every fault with the seed that reproduces it, and a summary; exits with 1 if there is a
fault.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

import numpy as np

from neurodeploy.testing.whole_way import Tried, try_network

SCHEMES = ("ttfs", "radix", "graded", "rate")


def attempt(scheme: str, seed: int) -> Tried:
    """One network; an exception that is no message of ours is a fault."""
    try:
        return try_network(scheme, seed)
    except Exception as error:
        return Tried((f"{type(error).__name__}: {error}",), f"{scheme} {seed}")


def check(scheme: str, seeds: range) -> int:
    """Try all seeds; the number of networks at fault."""
    outcomes: Counter[str] = Counter()
    slack, share = [], []
    started = time.perf_counter()
    for number, seed in enumerate(seeds, 1):
        tried = attempt(scheme, seed)
        if tried.faults:
            outcomes["wrong"] += 1
            print(f"WRONG {tried.description}")
            for fault in tried.faults:
                print(f"  {fault}")
        elif tried.refusal:
            outcomes["refused"] += 1
            print(f"refused {tried.description}\n  {tried.refusal}")
        elif tried.warning:
            outcomes["overflow announced"] += 1
        else:
            outcomes["right"] += 1
        if tried.held:
            slack.append(tried.held.slack)
            share.append(tried.held.error / max(tried.held.bound, 1e-12))
        if number % 50 == 0 or number == len(seeds):
            seconds = time.perf_counter() - started
            print(f"{scheme}: {number} of {len(seeds)}, {seconds:.0f} s", file=sys.stderr)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    print(f"{scheme}: {len(seeds)} networks: {counts}; {outcomes['wrong']} wrong")
    if slack:
        middle, most = np.quantile(slack, [0.5, 0.9])
        print(
            f"  width of what the plain evaluation allows, in the range of the outputs: median "
            f"{middle:.2g}, 90 % under {most:.2g}"
        )
        print(f"  mean error in shares of its bound: median {np.median(share):.2g}")
    return outcomes["wrong"]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="networks a scheme")
    parser.add_argument("--scheme", choices=[*SCHEMES, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    options = parser.parse_args()
    schemes = SCHEMES if options.scheme == "all" else (options.scheme,)
    seeds = range(options.seed, options.seed + options.count)
    return 1 if sum(check(scheme, seeds) for scheme in schemes) else 0


if __name__ == "__main__":
    sys.exit(main())
