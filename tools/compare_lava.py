"""Random programs on the simulator and on Lava's runtime: every message, every membrane.

Prints one summary line; the exit code is 1 if anything differs or a run fails.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from neurodeploy.errors import NeuroDeployError
from neurodeploy.lava.run import run
from neurodeploy.program import Program
from neurodeploy.simulator import reference
from neurodeploy.testing import random_program, random_recurrent_program, random_ttfs_program
from neurodeploy.testing.codecs import messages_of
from neurodeploy.testing.coded_programs import CODES, random_coded_program
from neurodeploy.testing.neurons import EVERY_KIND, OUR_KINDS

#: Neuron kinds by the name of an option, besides those of the package one by one.
GROUPS = {"any": OUR_KINDS, "every": EVERY_KIND, "graded": EVERY_KIND[len(OUR_KINDS) :]}
KINDS = {**GROUPS, **{kind.kind: (kind,) for kind in EVERY_KIND}}


def make(shape: str, kind: str, seed: int, networks: int = 1) -> tuple[Program, np.ndarray]:
    """A random program and input messages."""
    rng = np.random.default_rng(seed)
    among = KINDS[kind]
    if shape == "recurrent":
        return random_recurrent_program(rng, among=among, max_neurons=8, max_steps=40)
    if shape == "any":
        return random_program(rng, among=among)
    coded = shape in CODES
    if coded:
        program, level = random_coded_program(rng, shape, networks=networks)  # type: ignore[arg-type]
    else:
        program, level = random_ttfs_program(rng, networks=networks)
    drain = max(p.fire_phase(program.period) for p in program.populations)
    return program, messages_of(program.encoder, level, program.period, drain)


def main() -> int:
    """Run the comparison; 0 if all is equal."""
    parser = argparse.ArgumentParser(description=__doc__, prog="compare_lava.py")
    parser.add_argument("--programs", type=int, default=100, metavar="N", help="how many (100)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="program k has the seed S + k (0)"
    )
    parser.add_argument(
        "--kind",
        choices=["any", "recurrent", "ttfs", *CODES],
        default="any",
        help="programs without cycles, with cycles, or of a window code as compiled (any)",
    )
    parser.add_argument(
        "--neurons",
        choices=sorted(KINDS),
        default="every",
        help="neuron kinds: any of the package's, graded (test kinds that send integers), every "
        "one of these, or one by name (every)",
    )
    parser.add_argument(
        "--networks",
        type=int,
        default=1,
        metavar="N",
        help="of window codes: networks side by side in a program (1); a run costs its start",
    )
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds a program (120)")
    parser.add_argument(
        "--stock", action="store_true", help="Lava's own models, not ours of its processes"
    )
    options = parser.parse_args()
    started = time.monotonic()
    spikes = values = wrapped = clipped = bad = failed = 0
    for k in range(options.seed, options.seed + options.programs):
        program, messages = make(options.kind, options.neurons, k, options.networks)
        names = [p.name for p in program.populations]
        expected = reference.run(program, messages)
        try:
            found = run(
                program,
                messages,
                membranes=names,
                stock=options.stock,
                timeout=options.timeout,
            )
        except NeuroDeployError as error:
            print(f"\nseed {k}: {error}", file=sys.stderr)
            failed += 1
            continue
        wrong = sum(
            int((found.spikes[n] != expected.spikes[n]).sum())
            + int((found.membrane[n] != expected.membrane[n]).sum())
            for n in names
        )
        wrong += sum(int((found.messages[n] != m).sum()) for n, m in expected.messages.items())
        if wrong:
            print(f"\nseed {k}: {wrong} values differ", file=sys.stderr)
        bad += bool(wrong)
        spikes += sum(int(s.sum()) for s in expected.spikes.values())
        values += sum(m.size for m in expected.membrane.values())
        wrapped += sum(expected.wrapped.values())
        clipped += sum(expected.clipped.values())
        print(f"\r{k - options.seed + 1}/{options.programs}", end="", file=sys.stderr, flush=True)
    seconds = time.monotonic() - started
    print(file=sys.stderr)
    ended = f", {failed} did not run" if failed else ""
    each = f" of {options.networks} networks" if options.networks > 1 else ""
    print(
        f"{options.programs} programs{each}, {spikes} spikes and {values} membranes compared "
        f"({wrapped} currents wrapped, {clipped} membranes clipped), {seconds:.0f} s: "
        f"{bad} differ{ended}"
    )
    return 1 if bad or failed else 0


if __name__ == "__main__":
    sys.exit(main())
