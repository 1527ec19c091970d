"""Parameter reconstruction on its tasks, every figure beside its baselines.

docs/reconstruction.md has the tables:

    python tools/study_reconstruction.py xor
    python tools/study_reconstruction.py addition --base 2
    python tools/study_reconstruction.py rows --data ../shared/data
    python tools/study_reconstruction.py scaling --data ../shared/data

Needs the `train` extra. Prints a Markdown table of the mean over the seeds (and the least and the
most where they differ), and JSON of every run with --json. Tests see strings, numbers and images
that were not trained on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from reconstruction_study import addition, rows, xor
from reconstruction_study.baselines import Figures


def runs(options: argparse.Namespace) -> Iterator[Figures]:
    """Every line of the table that is asked for, seed after seed."""
    for seed in options.seeds:
        if options.task == "xor":
            yield from xor.measure(options, seed)
        elif options.task == "addition":
            yield from addition.measure(options, seed)
        elif options.task == "rows":
            yield from rows.measure(options, seed)
        else:
            yield from rows.scaling(options, seed)


def _shown(values: list[float]) -> str:
    values = [value for value in values if not np.isnan(value)]
    if not values:
        return ""
    mean = f"{np.mean(values):.4g}"
    same = np.ptp(values) < 1e-9
    return mean if same else f"{mean} ({min(values):.4g} to {max(values):.4g})"


def markdown(found: list[Figures]) -> str:
    """A line a method: mean over the seeds, least and most."""
    methods = list(dict.fromkeys(one.method for one in found))
    sets = list(dict.fromkeys(name for one in found for name in one.accuracy))
    more = list(dict.fromkeys(name for one in found for name in one.more))
    lines = [
        "| method | " + " | ".join(sets + more) + " |",
        "| --- " * (1 + len(sets + more)) + "|",
    ]
    for method in methods:
        some = [one for one in found if one.method == method]
        cells = [_shown([one.accuracy.get(name, np.nan) for one in some]) for name in sets]
        cells += [_shown([one.more.get(name, np.nan) for one in some]) for name in more]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("task", choices=["xor", "addition", "rows", "scaling"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--train", type=int, help="samples; default: 128, 300, 3000")
    parser.add_argument("--length", type=int, default=8, help="xor: of a string")
    parser.add_argument("--longer", type=int, default=14, help="xor: of the longer strings")
    parser.add_argument("--base", type=int, default=2, help="addition")
    parser.add_argument("--one-hot", action="store_true", help="addition: digits as one-hot inputs")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="rows, scaling")
    parser.add_argument("--epochs", type=int, nargs="+", default=[20, 40], help="rows")
    parser.add_argument("--rate", type=float, default=2e-3, help="rows: of all gradient training")
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 1000, 4000], help="scaling")
    parser.add_argument("--candidates", type=int, default=6000, help="xor, addition: a round")
    parser.add_argument("--test-images", type=int, default=6000, help="rows, scaling")
    parser.add_argument(
        "--quick", action="store_true", help="xor, addition: no proof, no gradients"
    )
    parser.add_argument("--json", action="store_true", help="print every run")
    parser.add_argument("--read", type=Path, nargs="+", help="print what --json printed before")
    options = parser.parse_args()
    if options.train is None:
        options.train = {"xor": 128, "addition": 300}.get(options.task, 3000)
    if options.task in ("rows", "scaling") and not all(
        (options.data / name).exists() for name in rows.FILES
    ):
        print(f"study_reconstruction: {options.data} lacks {rows.FILES}", file=sys.stderr)
        return 2
    if options.read:
        held = [one for path in options.read for one in json.loads(path.read_text())]
        print(markdown([Figures(**one) for one in held]))
        return 0
    torch.set_num_threads(1)
    found = []
    for one in runs(options):
        shown = ", ".join(f"{name} {value:.4f}" for name, value in one.accuracy.items())
        more = ", ".join(f"{name} {value:.4g}" for name, value in one.more.items())
        print(f"seed {one.seed}: {one.method}: {shown} ({more})", file=sys.stderr, flush=True)
        found.append(one)
    print(json.dumps([asdict(one) for one in found], indent=1) if options.json else markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
