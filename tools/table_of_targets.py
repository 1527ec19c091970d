"""What can run where: target x scheme x (needs, accuracy, steps, cores) (docs/to-a-chip.md).

    python tools/table_of_targets.py --models MODELS --data DATA --network resnet8 --limit 1000

MODELS, DATA and the networks are those of `tools/compare_schemes.py`. Each row is a program of
default options, but for those that it names. Cores are those of `neurodeploy map`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from compare_schemes import Subject, subjects

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.mapping import map_program
from neurodeploy.targets import load_target

#: Target, scheme, options that are not the defaults.
ROWS = (
    ("loihi1", "rate", {"steps": 32}),
    ("loihi1", "rate", {"steps": 64}),
    ("loihi1", "rate", {"reset": "zero", "steps": 64}),
    ("loihi2", "rate", {"reset": "zero", "steps": 64}),
    ("loihi2", "graded", {"stock": True}),
    ("loihi2", "graded", {}),
    ("loihi2", "rate", {"steps": 32}),
    ("loihi2", "radix", {}),
    ("loihi2", "online", {}),
    ("loihi2", "ttfs", {}),
)


def _microcode(program: nd.Program) -> str:
    own = sorted({p.neuron.kind for p in program.populations if not program.is_stock(p.name)})
    return f"yes ({', '.join(own)})" if own else "no"


def row(subject: Subject, target: str, scheme: str, given: dict, options: argparse.Namespace):
    """Cells of one row; of a refusal its message."""
    x, y = subject.images(subject.test, options.limit)
    calibration, _ = subject.images(subject.calibration, options.calibration_samples)
    said = " ".join(
        f"--{name}" if value is True else f"--{name} {value}" for name, value in given.items()
    )
    head = (subject.title, target, f"{scheme} {said}".strip())
    try:
        program = nd.compile(
            subject.model, calibration, scheme=scheme, target=target, scale=subject.scale,
            mean=subject.mean, std=subject.std, try_samples=0, warn=str, **given,
        )  # fmt: skip
    except NeuroDeployError as error:
        return (*head, f"refused: {error.message}", "", "", "", "")
    result = nd.simulate(program, x, threads=options.threads)
    try:
        cores = str(len(map_program(program, load_target(target)).cores))
    except NeuroDeployError as error:
        cores = error.message
    return (
        *head,
        _microcode(program),
        f"{100 * (result.predictions == y).mean():.1f}",
        f"{program.latency}",
        f"{program.period}",
        cores,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--network", action="append", choices=("fashion", "resnet8", "resnet20"))
    parser.add_argument("--limit", type=int, default=1000, help="test images")
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", type=int, action="append", help="numbers of rows, from 0")
    options = parser.parse_args()
    known = subjects(options.models, options.data)
    names = ("network", "target", "scheme", "needs microcode", "accuracy (%)", "latency (steps)",
             "a sample every (steps)", "cores")  # fmt: skip
    print("| " + " | ".join(names) + " |\n" + "| --- " * len(names) + "|")
    for name in options.network or ("fashion", "resnet8"):
        for number, (target, scheme, given) in enumerate(ROWS):
            if options.only is None or number in options.only:
                made = row(known[name], target, scheme, given, options)
                print("| " + " | ".join(made) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
