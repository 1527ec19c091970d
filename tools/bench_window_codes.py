"""Window codes beside ONNX Runtime: images a second, side by side in one run.

    python tools/bench_window_codes.py net.onnx radix.ndp graded.ndp --data test.npz \\
        --calibration train.npz --limit 1000

`neurodeploy.simulate` of each compiled program (bit-accurate, spikes and synaptic operations
counted) against ONNX Runtime on the float network and on its own 8-bit network
(`quantize_static`, from the same calibration images). Each repetition runs all of them, one after
the other; medians and the medians of the ratios within a repetition are printed, so that a machine
shared with others does little harm. Peak memory (Linux) is that of a process of its own for each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
from accuracy_codes import quantized

import neurodeploy as nd
from neurodeploy.samples import load_samples

Run = Callable[[np.ndarray], object]


def by_onnxruntime(path: str, threads: int, batch: int, prepare: Callable) -> Run:
    """A function of samples: what ONNX Runtime computes, the input's preparation included."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    size = entry.shape[0] if isinstance(entry.shape[0], int) else batch

    def run(x: np.ndarray) -> None:
        for start in range(0, len(x) - size + 1, size):
            session.run(None, {entry.name: prepare(x[start : start + size])})

    return run


def by_simulator(path: str, threads: int) -> Run:
    """A function of samples: what the program computes."""
    program = nd.load(path)
    return lambda x: nd.simulate(program, x, threads=threads)


def _peak(queue: multiprocessing.Queue, make: Callable, arguments: tuple, x: np.ndarray) -> None:
    make(*arguments)(x)
    # not ru_maxrss: a process that was forked begins with its parent's
    status = Path("/proc/self/status").read_text()
    queue.put(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def peak_memory(make: Callable, arguments: tuple, x: np.ndarray) -> float:
    """Peak of a fresh process, MiB."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_peak, args=(queue, make, arguments, x))
    process.start()
    found = queue.get()
    process.join()
    return float(found)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="ONNX file")
    parser.add_argument("programs", nargs="+", help=".ndp, compiled from it")
    parser.add_argument("--data", required=True, help=".npz with x")
    parser.add_argument("--calibration", default=None, help=".npz with x: for quantize_static")
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--limit", type=int, default=1000, help="samples")
    parser.add_argument("--channels-last", action="store_true", help="x is (n, H, W, C)")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-memory", action="store_true", help="no peak memory")
    options = parser.parse_args()

    def loaded(path: str, limit: int) -> np.ndarray:
        x = load_samples(path).x[:limit]
        return np.ascontiguousarray(np.moveaxis(x, -1, 1) if options.channels_last else x)

    x = loaded(options.data, options.limit)
    prepare = nd.load(options.programs[0]).encoder.preprocessing.apply
    with tempfile.TemporaryDirectory() as folder:
        networks = {"ONNX Runtime, float": options.model}
        if options.calibration:
            calibration = prepare(loaded(options.calibration, options.calibration_samples))
            made = quantized(options.model, calibration, Path(folder), "MinMax")
            networks["ONNX Runtime, quantize_static int8"] = made
        ways: dict[str, tuple[Callable, tuple]] = {}
        for name, path in networks.items():
            best: dict[int, float] = {}
            for batch in (16, 64, 256):  # at its best batch size
                run = by_onnxruntime(path, options.threads, batch, prepare)
                run(x[:256])
                started = time.perf_counter()
                run(x[:512])
                best[batch] = time.perf_counter() - started
            size = min(best, key=best.__getitem__)
            ways[name] = (by_onnxruntime, (path, options.threads, size, prepare))
        ways |= {path: (by_simulator, (path, options.threads)) for path in options.programs}
        runs = {name: make(*arguments) for name, (make, arguments) in ways.items()}
        for run in runs.values():
            run(x[:64])
        speeds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(options.repeat):
            for name, run in runs.items():
                started = time.perf_counter()
                run(x)
                speeds[name].append(len(x) / (time.perf_counter() - started))
        for name, speed in speeds.items():
            row: dict[str, object] = {
                "run": name if name in networks else f"{nd.load(name).scheme} {name}",
                "images_per_second": round(statistics.median(speed), 1),
            }
            for other in networks:
                ratios = [a / b for a, b in zip(speed, speeds[other], strict=True)]
                row[f"times {other}"] = round(statistics.median(ratios), 3)
            if not options.no_memory:
                row["peak_mib"] = round(peak_memory(*ways[name], x), 1)
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
