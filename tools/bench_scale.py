"""Seconds and memory to compile, map and run networks of the size that ImageNet needs.

    python tools/bench_scale.py
    python tools/bench_scale.py --networks resnet50,vgg16 --scheme rate --steps 16 --json

The networks are its own, of random weights; calibration is eight random images. Each network is
worked on in a process of its own, so that the peak of memory is its alone. `peak` is that of the
process at the end of the phase, all of Python's libraries (about 0.2 GB) included.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from scale_bench.networks import NETWORKS, write

#: Steps of each scheme where none are stated.
_STEPS = {"ttfs": 16, "rate": 16}


def _peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure(name: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All phases of one network; a phase that fails ends them, and says why."""
    import neurodeploy as nd

    found: dict[str, Any] = {"network": name, "scheme": options.scheme}

    def phase(what: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = work()
        found[f"{what}_s"] = round(time.perf_counter() - began, 2)
        found[f"{what}_peak_gb"] = round(_peak_gb(), 2)
        return result

    model, made = folder / f"{name}.onnx", folder / f"{name}.ndp"
    shape = write(name, model)
    found["onnx_mb"] = round(model.stat().st_size / 1e6, 1)
    x = np.random.default_rng(1).random((8, *shape), dtype=np.float32)
    steps = options.steps or _STEPS.get(options.scheme)
    try:
        program = phase(
            "compile",
            lambda: nd.compile(
                str(model), x, options.scheme, steps=steps, warn=lambda _: None,
                try_samples=options.try_samples,
            ),
        )  # fmt: skip
        phase("save", lambda: program.save(made))
        found["ndp_mb"] = round(made.stat().st_size / 1e6, 1)
        found["neurons_m"] = round(program.neurons / 1e6, 2)
        found["populations"] = len(program.populations)
        program = phase("load", lambda: nd.load(made))
        mapping = phase("map", lambda: nd.map(program, placement=options.placement))
        found["cores"], found["fits"] = len(mapping.cores), mapping.ok
        if options.simulate:
            phase("first", lambda: nd.simulate(program, x[:1]))
            phase("next", lambda: nd.simulate(program, x[1:2]))
    except Exception as error:  # what is measured may fail in any way
        found["failed"] = f"{type(error).__name__}: {error}"
        if options.traceback:
            traceback.print_exc()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--networks", default=",".join(NETWORKS), help="names, comma-separated")
    parser.add_argument("--scheme", default="ttfs")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--try-samples", type=int, default=128, help="as of `compile`")
    parser.add_argument("--placement", default="traffic", choices=["traffic", "layers"])
    parser.add_argument("--no-simulate", dest="simulate", action="store_false")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a network")
    parser.add_argument("--folder", type=Path, help="keep the files here")
    parser.add_argument("--traceback", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if options.one:
            print(json.dumps(measure(options.one, options, folder)))
            return
        for name in options.networks.split(","):
            command = [sys.executable, __file__, *sys.argv[1:], "--one", name]
            command += ["--folder", str(folder)]
            try:
                out = subprocess.run(
                    command, stdout=subprocess.PIPE, text=True, timeout=options.timeout, check=False
                ).stdout
                found = json.loads(out.splitlines()[-1]) if out else {"failed": "no memory"}
            except subprocess.TimeoutExpired:
                found = {"failed": f"more than {options.timeout:g} s"}
            found = {"network": name} | found
            told = [f"{key} {value}" for key, value in found.items() if key != "network"]
            print(json.dumps(found) if options.json else f"{name}: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
