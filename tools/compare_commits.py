"""One benchmark on two commits in turn: did a change make something slower?

    python tools/compare_commits.py --before b44a7bf -- tools/bench_startup.py --runs 5 --json
    python tools/compare_commits.py --before b44a7bf -- tools/bench_simulator.py --json FILE

Each commit is checked out in a folder of its own and run from there, before and after one after
the other, so that both meet the same noise of the machine. The benchmark's JSON is read from its
output, or from the file that it writes where an argument reads FILE. Medians of every number,
and their ratio, are printed; numbers that are not measurements (a count, a goal) show ratio 1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def checked_out(commit: str, folder: Path) -> Path:
    """The tree of a commit, in a folder of its own that Git knows of."""
    made = folder / commit.replace("/", "_")
    command = ["git", "worktree", "add", "--quiet", "--detach", str(made), commit]
    subprocess.run(command, cwd=ROOT, check=True)
    return made


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a JSON document, named by the way to it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, (int, float)):
        yield name, float(value)
        return
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield from numbers(part, f"{name}.{key}" if name else str(key))


def measure(tree: Path, benchmark: list[str]) -> dict[str, float]:
    """The numbers of one run of a benchmark in a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "result.json"
        arguments = [str(written) if part == "FILE" else part for part in benchmark]
        environment = os.environ | {"PYTHONPATH": str(tree)}
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        text = written.read_text() if written.exists() else ran.stdout.decode()
    return dict(numbers(json.loads(text)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--before", required=True, help="the commit to compare with")
    parser.add_argument("--after", default="HEAD", help="default: HEAD")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each; default: 3")
    parser.add_argument("--only", default="", help="only numbers whose name has this text")
    parser.add_argument("benchmark", nargs="+", help="script and arguments, behind --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = {}
        try:
            for name in ("before", "after"):
                trees[name] = checked_out(getattr(options, name), Path(folder) / name)
            found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
            for turn in range(options.rounds):
                # Who goes first changes, so that neither always meets a cold machine.
                for name in sorted(trees, reverse=turn % 2 == 0):
                    print(f"round {turn + 1} of {options.rounds}: {name}", file=sys.stderr)
                    for key, value in measure(trees[name], options.benchmark).items():
                        found[key][name].append(value)
        finally:
            for tree in trees.values():
                command = ["git", "worktree", "remove", "--force", str(tree)]
                subprocess.run(command, cwd=ROOT, check=True)
    print(f"| {'number':<58} | {options.before:>10} | {options.after:>10} | ratio |")
    print("| --- | ---: | ---: | ---: |")
    for key, runs in found.items():
        if options.only not in key or len(runs) < 2:
            continue
        before, after = (statistics.median(runs[name]) for name in ("before", "after"))
        ratio = f"{after / before:5.3f}" if before else "    -"
        print(f"| {key:<58} | {before:>10.4g} | {after:>10.4g} | {ratio} |")


if __name__ == "__main__":
    main()
