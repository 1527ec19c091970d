"""Closed forms beside the stepped neurons: what every neuron sent, outputs, spikes, operations.

    python tools/compare_closed_form.py --random 200
    python tools/compare_closed_form.py radix.ndp graded.ndp --data test.npz --limit 4

Random programs of each code with a closed form, or compiled ones on real samples. One line for
each program; exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import neurodeploy as nd
from neurodeploy.program import Program
from neurodeploy.samples import load_samples
from neurodeploy.simulator import encoding
from neurodeploy.simulator.closed_form import EventSweep, obstacle
from neurodeploy.simulator.dense_sweep import DenseSweep, can_sweep
from neurodeploy.simulator.engine import Engine
from neurodeploy.testing.coded_programs import random_coded_program


def differences(program: Program, level: np.ndarray, ways: list) -> int:
    """Numbers that are not those of the stepped neurons, over all ways."""
    engine, wrong = Engine(program), 0
    names = [p.name for p in program.populations]
    for way in ways:
        swept = way(program).run(level, every=True)
        for k, row in enumerate(level):
            run = engine.run_samples(row[None], k, keep=(program.period - 1,), messages=names)
            wrong += int(
                (run.membranes[program.decoder.population][0, 0] != swept.membrane[k]).sum()
            )
            for name in names:
                code = program.window_code(name)
                assert code is not None  # there is no obstacle
                said = code.integers(run.messages[name], program.period)[0]
                wrong += int((said != swept.fired[name][k]).sum())
                wrong += int(run.spikes[name][0] != swept.spikes[name][k])
            for stepped, counted in zip(run.operations, swept.operations, strict=True):
                wrong += int(stepped[0] != counted[k])
    return wrong


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs="*", help=".ndp")
    parser.add_argument("--data", help=".npz with x, for the programs")
    parser.add_argument("--limit", type=int, default=4, help="samples")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="programs of each code")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = 0
    for path in options.programs:
        program = nd.load(path)
        found = obstacle(program)
        if found is not None:
            print(f"{path}: stepped, no closed form: {found[0]} {found[1]}")
            continue
        x = load_samples(options.data).x[: options.limit]
        ways = [DenseSweep] if can_sweep(program) else [EventSweep]
        wrong = differences(program, encoding.levels(program.encoder, x), ways)
        print(
            f"{path}: {program.scheme}, {len(x)} samples, {wrong} differences ({ways[0].__name__})"
        )
        failed += wrong > 0
    for code in ("radix", "graded", "mask_maximum") if options.random else ():
        wrong = dense = 0
        for k in range(options.random):
            program, level = random_coded_program(np.random.default_rng(options.seed + k), code)
            ways = [EventSweep, *([DenseSweep] if can_sweep(program) else [])]
            dense += len(ways) > 1
            wrong += differences(program, level, ways)
        print(f"{code}: {options.random} random programs ({dense} dense too), {wrong} differences")
        failed += wrong > 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
