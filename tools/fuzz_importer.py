"""Mutate ONNX models at random and see whether the importer refuses them or tells the truth.

Each mutant must be refused cleanly, with one finding a node, or become a Network that computes
what ONNX Runtime computes. Files are judged in a process of their own with limits of time and
memory. Prints a table of outcomes, and every failure with what reproduces it; exits with 1 if
there is one. The same seed gives the same mutants.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from importer_fuzz.mutations import mutate
from importer_fuzz.seeds import Seed, backend_seeds, file_seeds, generated_seeds
from importer_fuzz.worker import Worker, serve

ROOT = Path(__file__).resolve().parent.parent
FILES = ("models/*/model.onnx", "../shared/models/*.onnx", "../shared/models/**/*.onnx")


def mutants(
    seeds: list[Seed], seed: int, start: int, count: int
) -> Iterator[tuple[Seed, int, bytes, list[str]]]:
    """Mutants number `start` to ``start + count``: whose, which, the file, what was changed."""
    order = [each for each in seeds for _ in range(each.weight)]
    random.Random(seed).shuffle(order)
    for number in range(start, start + count):
        each = order[number % len(order)]
        rng = random.Random(f"{seed} {each.name} {number}")
        content, changes = mutate(each.load(), rng)
        yield each, number, content, changes


def all_seeds(patterns: list[str], parts: list[str]) -> list[Seed]:
    """Seed models of the chosen kinds."""
    seeds: list[Seed] = []
    if "generated" in parts:
        seeds += generated_seeds()
    if "files" in parts:
        found = {path.resolve() for pattern in patterns for path in _glob(pattern)}
        seeds += file_seeds(sorted(found))
    if "backend" in parts:
        from neurodeploy.importing.registry import HANDLERS

        seeds += backend_seeds(frozenset(HANDLERS))
    return seeds


def _glob(pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    if path.is_absolute():
        yield from Path(path.anchor).glob(str(path.relative_to(path.anchor)))
    elif pattern.startswith("../"):
        yield from ROOT.parent.glob(pattern[3:])
    else:
        yield from ROOT.glob(pattern)


def fuzz(options: argparse.Namespace, seeds: list[Seed]) -> list[dict[str, Any]]:
    """One record a mutant."""
    records = []
    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    with tempfile.TemporaryDirectory() as name, worker(options) as judge:
        folder = Path(name)
        for path in {path for each in seeds for path in each.beside}:
            shutil.copy(path, folder)
        for each, number, content, changes in mutants(
            seeds, options.seed, options.start, options.count
        ):
            if time.monotonic() > end:
                break
            path = folder / "mutant.onnx"
            path.write_bytes(content)
            began = time.monotonic()
            result = judge.judge(path)
            record = {"seed": each.name, "number": number, "changes": changes, **result}
            record["wall"] = round(time.monotonic() - began, 2)
            records.append(record)
            if record["outcome"] in failures():
                print(failure(record, options.seed), file=sys.stderr, flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{number}-{record['outcome']}.onnx").write_bytes(content)
    return records


def replay(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Judge files as they are."""
    with worker(options) as judge:
        return [
            {"seed": path.stem, "number": 0, "changes": [], **judge.judge(path.resolve())}
            for path in options.replay
        ]


def worker(options: argparse.Namespace) -> Worker:
    """The process that judges."""
    command = [sys.executable, __file__, "--serve"]
    return Worker(command, options.time_limit, options.memory_limit << 20)


def failures() -> tuple[str, ...]:
    """Outcomes that are errors of the importer."""
    from importer_fuzz.oracle import FAILURES

    return FAILURES


def failure(record: dict[str, Any], seed: int) -> str:
    """One failure, and how to make it again."""
    changes = "".join(f"\n    {change}" for change in record["changes"])
    detail = str(record["detail"]).replace("\n", "\n    ")
    return (
        f"{record['outcome']}: {record['seed']}, mutant {record['number']} of seed {seed}"
        f"{changes}\n    -> {detail}"
    )


def _pattern(reason: str) -> str:
    """A reason without the names and numbers of the one file."""
    reason = re.sub(r"/\S+\.onnx:? ?|^\[ONNXRuntimeError\] : ", "", reason)
    reason = re.sub(r"In Node, .*?Error (?=[A-Z])", "", reason)
    reason = re.sub(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|\[[^\[\]]*\]", "*", reason)
    return re.sub(r"-?\d[\d.e+]*", "#", reason)[:110]


def summary(records: list[dict[str, Any]]) -> str:
    """A table of outcomes by seed model, and the reasons behind them by frequency."""
    from importer_fuzz.oracle import OUTCOMES

    kinds = [kind for kind in OUTCOMES if any(r["outcome"] == kind for r in records)]
    names = sorted({record["seed"] for record in records})
    lines = ["| seed | " + " | ".join(kinds) + " |", "| --- |" + " --: |" * len(kinds)]
    for name in [*names, ""]:
        counts = Counter(r["outcome"] for r in records if not name or r["seed"] == name)
        lines.append(f"| {name or 'all'} | " + " | ".join(str(counts[k]) for k in kinds) + " |")
    failed = Counter(r["outcome"] for r in records if r["outcome"] in failures())
    said = ", ".join(f"{n} {kind}" for kind, n in failed.items()) or "no failures"
    lines += ["", f"{len(records):,} files: {said}"]
    reasons = Counter(_pattern(r["detail"]) for r in records if r["outcome"] == "ort-refuses")
    lines += ["", "ONNX Runtime refuses what imports:"]
    lines += [f"{count:6} {reason}" for reason, count in reasons.most_common(20)]
    unforeseen = Counter(
        _pattern(reason)
        for record in records
        for reason in set(record.get("reasons", ()))
        if "is malformed" in reason or "not a valid graph" in reason
    )
    lines += ["", "Refused by the general rules, not by one of an operator's own:"]
    lines += [f"{count:6} {reason}" for reason, count in unforeseen.most_common(20)]
    slow = max(records, key=lambda record: record.get("seconds", 0.0), default=None)
    if slow is not None:
        lines += ["", f"slowest import: {slow.get('seconds')} s, mutant {slow['number']}"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="mutants")
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--start", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=0, help="of the random changes")
    parser.add_argument("--models", nargs="+", metavar="GLOB", default=list(FILES))
    parser.add_argument(
        "--seeds",
        nargs="+",
        choices=["generated", "files", "backend"],
        default=["generated", "files", "backend"],
        help="kinds of models to mutate",
    )
    parser.add_argument("--time-limit", type=float, default=20, help="processor seconds a mutant")
    parser.add_argument("--memory-limit", type=int, default=4096, help="MiB of address space")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="save the files that fail")
    parser.add_argument("--replay", nargs="+", type=Path, metavar="FILE", help="judge these files")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=int, metavar="BYTES", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return 0
    if options.replay:
        records = replay(options)
    else:
        records = fuzz(options, all_seeds(options.models, options.seeds))
    if options.json:
        print(json.dumps(records, indent=1))
    else:
        if options.replay:
            print("\n".join(f"{r['seed']}: {r['outcome']} {r['detail']}" for r in records))
        else:
            print(summary(records))
    return 1 if any(record["outcome"] in failures() for record in records) else 0


if __name__ == "__main__":
    sys.exit(main())
