"""Which lines of the simulator's kernels random programs reach, and that each way is exact.

The suite (`neurodeploy.testing`) runs four times, each in a process of its own and under
coverage.py, and every run compares the engine with the reference, bit for bit:

1. In pure Python (NUMBA_DISABLE_JIT), where the lines of the kernels themselves are seen.
2. Compiled, with nothing cached: the functions that write LLVM's code run while kernels compile.
3. Compiled for a processor with the AVX-512 of 2017.
4. Compiled for a processor with AVX2 and no AVX-512.

Where this machine has less than (3) or (4) ask for, for any processor.

    python tools/kernel_coverage.py            # a table; fails if a line is unvisited
    python tools/kernel_coverage.py --json
    python tools/kernel_coverage.py --way "pure Python" --programs 500    # compares, no more

A machine with AVX-512 is needed to see the few lines that only such a machine compiles.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import neurodeploy

KERNELS = Path(neurodeploy.__file__).resolve().parent / "simulator" / "kernels"
#: Programs by way: those that reach all lines there are to reach.
WAYS = {"pure Python": 120, "compiled": 200, "early AVX-512": 100, "without AVX-512": 200}
#: LLVM's names of processors that are imitated, and what their code needs: instructions that they
#: have, and no later ones.
PROCESSORS = {
    "early AVX-512": (
        "skylake-avx512",
        ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"),
    ),
    "without AVX-512": ("haswell", ("avx2",)),
}


def compare(programs: int) -> None:
    """Random programs of every kind: engine and closed forms beside the reference."""
    import numpy as np

    from neurodeploy.simulator.closed_form import EventSweep
    from neurodeploy.simulator.dense_sweep import DenseSweep, can_sweep
    from neurodeploy.testing.comparing import compare_samples, compare_stream
    from neurodeploy.testing.programs import random_program, random_ttfs_program

    # integers of NumPy that overflow as those of the processor do
    warnings.simplefilter("ignore", RuntimeWarning)
    for seed in range(programs):
        rng, wide = np.random.default_rng(seed), seed % 2 == 0
        compare_stream(*random_program(rng, wide=wide))
        if seed % 4 == 0:
            program, _ = random_program(rng, wide=wide, max_depth=2, aligned=True, timed=False)
            encoder = program.encoder
            size = (2, int(np.prod(encoder.shape)))
            level = rng.integers(encoder.low, encoder.high + 1, size).astype(np.int32)
            compare_samples(program, level, seed, int(rng.integers(1, program.period + 1)))
        if seed % 4 == 1:
            program, level = random_ttfs_program(rng, max_depth=3)
            found = EventSweep(program).run(level)
            if can_sweep(program):
                other = DenseSweep(program).run(level)
                np.testing.assert_equal(other.membrane, found.membrane)
                np.testing.assert_equal(other.operations, found.operations)


def run(name: str, programs: int, *prefix: str, cache: Path | None = None) -> float:
    """Compare in a process of its own, one way; returns the seconds it took.

    Parameters
    ----------
    prefix
        Arguments of Python before the script.
    cache
        An empty folder for what is compiled, where nothing compiled before is to be used.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    if name == "pure Python":
        environment["NUMBA_DISABLE_JIT"] = "1"
    if name in PROCESSORS:
        environment |= imitated(*PROCESSORS[name])
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = str(cache)
    began = time.perf_counter()
    command = [sys.executable, *prefix, __file__, "--compare", "--programs", str(programs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: engine and reference differ, or the run failed\n{done.stderr[-4000:]}")
    return time.perf_counter() - began


def imitated(processor: str, needed: tuple[str, ...]) -> dict[str, str]:
    """Settings that make Numba compile for a processor, if this machine runs its code."""
    from llvmlite import binding

    here = binding.get_host_cpu_features()
    if not all(here.get(feature) for feature in needed):
        return {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    features = ",".join(f"+{feature}" for feature in needed)
    return {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features}


def measured(name: str, folder: Path) -> Path:
    """Run one way under coverage.py; where the record lies."""
    data = folder / name.replace(" ", "_")
    options = ("--data-file", str(data), "--include", f"{KERNELS}/*")
    seconds = run(name, WAYS[name], "-m", "coverage", "run", *options, cache=folder / f"{name}.jit")
    print(f"{WAYS[name]} programs equal in {seconds:.0f} s: {name}", file=sys.stderr)
    return data


def lines(records: list[Path]) -> list[dict]:
    """Of each file of the kernels: how many lines there are and which were never visited."""
    import coverage

    found = coverage.Coverage(data_file=str(records[0].with_name("combined")), config_file=False)
    found.combine([str(record) for record in records], keep=True)
    rows = []
    for path in sorted(KERNELS.glob("*.py")):
        _, statements, _, missing, _ = found.analysis2(str(path))
        rows.append({"file": path.name, "lines": len(statements), "unvisited": missing})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--way", choices=WAYS, help="only compare, this way")
    parser.add_argument("--programs", type=int, metavar="N", help="how many, with --way")
    parser.add_argument("--compare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.compare:
        compare(options.programs)
        return
    if options.way:
        programs = options.programs or WAYS[options.way]
        print(f"{programs} programs equal in {run(options.way, programs):.0f} s: {options.way}")
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = lines([measured(name, Path(folder)) for name in WAYS])
    unvisited = sum(len(row["unvisited"]) for row in rows)
    if options.json:
        print(json.dumps({"files": rows, "unvisited": unvisited}, indent=2))
    else:
        print(f"{'file':14} {'lines':>5}  unvisited")
        for row in rows:
            print(f"{row['file']:14} {row['lines']:5}  {', '.join(map(str, row['unvisited']))}")
        print(f"{'all':14} {sum(row['lines'] for row in rows):5}  {unvisited or 'none'}")
    sys.exit(unvisited > 0)


if __name__ == "__main__":
    main()
