"""Mutate programs, samples, targets and models at random, and use them as a user would.

Checksums are right again behind each change, so that a file gets past the door. Whatever it
holds, it must be used or refused with one clear message: no traceback, no hang, no memory beyond
a limit, no control character on the terminal. Files are judged in a process of their own, which
is replaced when it dies or hangs. Prints a table, and every failure with what reproduces it; exits
with 1 if there is one. The same seed gives the same mutants.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from importer_fuzz.worker import Worker, serve

KINDS = ("ndp", "npz", "npy", "toml", "onnx")
#: Of the files that are no models: programs hold most of what can be wrong.
SHARES = {"ndp": 50, "npz": 20, "npy": 10, "toml": 20}


def mutants(
    kinds: list[str], seed: int, start: int, count: int
) -> Iterator[tuple[str, int, str, bytes, list[str]]]:
    """Mutants number `start` to ``start + count``: of what, which, suffix, file, changes."""
    others = [kind for kind in kinds if kind != "onnx"]
    if "onnx" in kinds:
        import fuzz_importer

        models = fuzz_importer.all_seeds([], ["generated"])
        share = count if not others else count // 2
        for each, number, content, changes in fuzz_importer.mutants(models, seed, start, share):
            yield each.name, number, ".onnx", content, changes
        start, count = start + share, count - share
    if not others:
        return
    from file_fuzz.seeds import file_seeds

    seeds = {kind: file_seeds([kind]) for kind in others}
    weights = [SHARES[kind] for kind in others]
    for number in range(start, start + count):
        rng = random.Random(f"{seed} {number}")
        each = rng.choice(seeds[rng.choices(others, weights)[0]])
        content, changes = each.mutate(each.content, rng)
        yield each.name, number, each.suffix, content, changes


def fuzz(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One record a mutant."""
    from file_fuzz.judging import FAILURES

    records = []
    end = time.monotonic() + 60 * options.minutes if options.minutes else float("inf")
    with tempfile.TemporaryDirectory() as name, worker(options) as judge:
        for seed, number, suffix, content, changes in mutants(
            options.kinds, options.seed, options.start, options.count
        ):
            if time.monotonic() > end:
                break
            path = Path(name) / f"mutant{suffix}"
            path.write_bytes(content)
            record = {"seed": seed, "number": number, "kind": suffix, "changes": changes}
            record |= judge.judge(path)
            records.append(record)
            if record["outcome"] in FAILURES:
                print(failure(record, options.seed), file=sys.stderr, flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    kept = options.keep / f"{number}-{record['outcome']}{suffix}"
                    kept.write_bytes(content)
    return records


def replay(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Judge files as they are."""
    with worker(options) as judge:
        return [
            {"seed": path.name, "number": 0, "kind": path.suffix, "changes": []}
            | judge.judge(path.resolve())
            for path in options.replay
        ]


def worker(options: argparse.Namespace) -> Worker:
    """The process that judges."""
    command = [sys.executable, __file__, "--serve"]
    return Worker(command, options.time_limit, options.memory_limit << 20)


def failure(record: dict[str, Any], seed: int) -> str:
    """One failure, and how to make it again."""
    changes = "".join(f"\n    {change!a}" for change in record["changes"])
    detail = str(record["detail"]).replace("\n", "\n    ")
    return (
        (
            f"{record['outcome']}: {record['seed']}, mutant {record['number']} of seed {seed}"
            f"{changes}\n    -> {detail}"
        )
        .encode("ascii", "backslashreplace")
        .decode()
    )


def summary(records: list[dict[str, Any]]) -> str:
    """A table of outcomes by kind of file, the commonest refusals, and the slowest."""
    from file_fuzz.judging import FAILURES, OUTCOMES

    lines = ["| file | " + " | ".join(OUTCOMES) + " |", "| --- |" + " --: |" * len(OUTCOMES)]
    for kind in [*sorted({record["kind"] for record in records}), ""]:
        counts = Counter(r["outcome"] for r in records if not kind or r["kind"] == kind)
        lines.append(f"| {kind or 'all'} | " + " | ".join(str(counts[o]) for o in OUTCOMES) + " |")
    failed = Counter(r["outcome"] for r in records if r["outcome"] in FAILURES)
    said = ", ".join(f"{n} {kind}" for kind, n in failed.items()) or "no failures"
    lines += ["", f"{len(records):,} files: {said}"]
    reasons = Counter(_pattern(r["detail"]) for r in records if r["outcome"] == "refused")
    lines += ["", f"{len(reasons)} kinds of refusal; the commonest:"]
    lines += [f"{count:6} {reason}" for reason, count in reasons.most_common(15)]
    slow = max(records, key=lambda record: record.get("seconds", 0.0), default=None)
    if slow is not None:
        lines += ["", f"slowest: {slow.get('seconds')} s, mutant {slow['number']} ({slow['kind']})"]
    return "\n".join(lines)


def _pattern(reason: str) -> str:
    """A reason without the names and numbers of the one file."""
    reason = re.sub(r"/\S+mutant\.\w+:? ?", "", reason.split("\n")[0])
    reason = re.sub(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|\[[^\[\]]*\]", "*", reason)
    return ascii(re.sub(r"-?\d[\d.e+,]*", "#", reason)[:110])[1:-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="mutants")
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--start", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--seed", type=int, default=0, help="of the random changes")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--time-limit", type=float, default=60, help="processor seconds a mutant")
    parser.add_argument("--memory-limit", type=int, default=4096, help="MiB of address space")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="save the files that fail")
    parser.add_argument("--replay", nargs="+", type=Path, metavar="FILE", help="judge these files")
    parser.add_argument("--serve", type=int, metavar="BYTES", help=argparse.SUPPRESS)
    options = parser.parse_args()
    from file_fuzz.judging import FAILURES, judge

    if options.serve:
        serve(options.serve, judge)
        return 0
    records = replay(options) if options.replay else fuzz(options)
    if options.replay:
        print("\n".join(f"{r['seed']}: {r['outcome']} {r['detail']!a}" for r in records))
    else:
        print(summary(records))
    return 1 if any(record["outcome"] in FAILURES for record in records) else 0


if __name__ == "__main__":
    sys.exit(main())
