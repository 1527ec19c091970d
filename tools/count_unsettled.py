"""How many neurons of an `online` program did not settle, layer by layer.

A neuron that answers while its input still arrives may end at another integer than the rounded
quotient (docs/semantics.md, section 11). Prints one line a layer and a summary; the exit code is 1
if there was any.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import neurodeploy as nd
from neurodeploy.samples import load_samples
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import Activity, activity
from neurodeploy.simulator.threads import default_threads

BATCH = 8


def main() -> int:
    """Count; 0 if all settled."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], prog="count_unsettled.py")
    parser.add_argument("program", type=Path, help="a compiled .ndp file")
    parser.add_argument("samples", type=Path, help="a .npy or .npz file")
    parser.add_argument("--limit", type=int, metavar="N", help="samples to run (all)")
    options = parser.parse_args()
    program = nd.load(options.program)
    x = load_samples(options.samples).x[: options.limit]
    x = encoding.check_samples(x, program.encoder.sample_shape)

    def run(first: int) -> Activity:
        level = encoding.levels(program.encoder, x[first : first + BATCH])
        return activity(program, level, first)

    wrong: dict[str, int] = {}
    messages = 0
    with ThreadPoolExecutor(default_threads()) as pool:
        for found in pool.map(run, range(0, len(x), BATCH)):
            messages += sum(int(sent.sum()) for sent in found.sent.values())
            for name, count in found.unsettled.items():
                wrong[name] = wrong.get(name, 0) + count
    of = {name: program.population(name).size * len(x) for name in wrong}
    for name, count in wrong.items():
        print(f"{name}: {count} of {of[name]}")
    print(
        f"{len(x)} samples: {sum(wrong.values())} of {sum(of.values())} neurons did not settle, "
        f"{messages / len(x):.0f} messages a sample"
    )
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
