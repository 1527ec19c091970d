"""Random programs through `neurodeploy.simulate` and the reference: outputs, spikes, operations.

The public way, closed forms included, beside docs/semantics.md in plain NumPy; half of the
programs are odd ones that no compiler makes. Overflow counts are compared, too. Prints one line
for each seed that differs, with the internal error if there was one, and one summary line; the
exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter

import numpy as np

from neurodeploy.program import Program
from neurodeploy.simulator.closed_form import is_by_sample, is_closed_form
from neurodeploy.simulator.dense_sweep import can_sweep
from neurodeploy.testing import random_program, random_ttfs_program
from neurodeploy.testing.comparing import compare_simulate
from neurodeploy.testing.odd_programs import odd_program, odd_samples


def make(seed: int) -> tuple[Program, np.ndarray]:
    """A program and samples: every second seed an odd one, else any neurons or as compiled."""
    rng = np.random.default_rng(seed)
    if seed % 2 == 0:
        program = odd_program(rng)
    elif seed % 4 == 1:
        program, _ = random_program(rng)
    else:
        program, _ = random_ttfs_program(rng)
    return program, odd_samples(rng, program)


def way(program: Program) -> str:
    """How `simulate` runs it."""
    if not is_by_sample(program):
        return "as a stream"
    if not is_closed_form(program):
        return "stepped by sample"
    return "in closed form, dense" if can_sweep(program) else "in closed form, spike by spike"


def main() -> int:
    """Run the comparison; 0 if all is equal."""
    parser = argparse.ArgumentParser(description=__doc__, prog="compare_simulator.py")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="programs (2000)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="program k has the seed S + k (0)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of simulate (1)")
    options = parser.parse_args()
    started = time.monotonic()
    ways: Counter[str] = Counter()
    spikes = overflows = differ = failed = 0
    for k in range(options.seed, options.seed + options.count):
        program, x = make(k)
        try:
            ways[way(program)] += 1
            trace = compare_simulate(program, x, options.threads)
        except AssertionError as error:
            print(f"\nseed {k}: differs\n{error}", file=sys.stderr)
            differ += 1
        except Exception:  # whatever it is, it is to be counted
            print(f"\nseed {k}: fails\n{traceback.format_exc(limit=-3)}", file=sys.stderr)
            failed += 1
        else:
            spikes += sum(int(s.sum()) for s in trace.spikes.values())
            overflows += sum(trace.wrapped.values()) + sum(trace.clipped.values())
        print(f"\r{k - options.seed + 1}/{options.count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    taken = ", ".join(f"{count} {name}" for name, count in sorted(ways.items()))
    print(
        f"{options.count} programs ({taken}), {spikes} spikes and {overflows} overflows of the "
        f"reference, {time.monotonic() - started:.0f} s: {differ} differ, {failed} fail"
    )
    return 1 if differ or failed else 0


if __name__ == "__main__":
    sys.exit(main())
