"""Placing within a chip beside scipy.optimize.quadratic_assignment: messages times hops, time.

    python tools/compare_placement.py               # the reference network, three schemes
    python tools/compare_placement.py PROGRAM.ndp ... --target loihi1

Compared is the placing within a chip, on the fullest one: METIS divides the parts among chips in
any case. Empty cores are parts without messages, as SciPy wants as many parts as places. Each
method gets the same integers; processor seconds are those of one call.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.optimize import quadratic_assignment

import neurodeploy as nd
from neurodeploy.mapping.mapper import cut_program
from neurodeploy.mapping.placement import _distances, _exact, _slots, _steps, place
from neurodeploy.mapping.traffic import messages
from neurodeploy.targets import load_target

FASHION = Path(__file__).resolve().parents[1] / "models" / "fashion_cnn"


def programs(paths: list[str], target: str) -> dict[str, nd.Program]:
    """By name, the programs given, or the reference network in three schemes."""
    if paths:
        return {Path(path).name: nd.load(path) for path in paths}
    x = np.load(FASHION / "calibration.npz")["x"][:100]
    rate = {"scheme": "rate", "target": target}
    asked = [rate] if target == "loihi1" else [rate, {"scheme": "ttfs"}, {"scheme": "radix"}]
    return {
        f"fashion, {one['scheme']}": nd.compile(
            FASHION / "model.onnx", calibration=x, try_samples=0, warn=lambda line: None, **one
        )
        for one in asked
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("program", nargs="*", help=".ndp files")
    parser.add_argument("--target", default="loihi2")
    options = parser.parse_args()
    mesh = load_target(options.target).mesh
    distance = _distances(mesh)
    cores = distance.shape[0]
    print("| program | parts | method | messages times hops | of layer order (%) | seconds |")
    print("| --- | --: | --- | --: | --: | --: |")
    for name, program in programs(options.program, options.target).items():
        sent = messages(program, cut_program(program, load_target(options.target)), None)
        chip = place(sent, mesh, "traffic").chip
        here = np.flatnonzero(chip == np.bincount(chip).argmax())
        weights = _exact(sent)[here][:, here]
        parts = here.size
        flow = np.zeros((cores, cores), np.int64)
        flow[:parts, :parts] = weights.toarray()

        def ours(weights=weights, parts=parts) -> np.ndarray:
            return _slots(weights, distance, mesh, _steps(parts, cores, 1))

        def scipys(method: str, flow=flow, parts=parts) -> np.ndarray:
            found = quadratic_assignment(
                flow, distance, method=method, options={"rng": np.random.default_rng(1)}
            )
            return found.col_ind[:parts]

        ways = {
            "layer order": lambda parts=parts: np.arange(parts),
            "ours: tabu search from three starts": ours,
            "SciPy faq": lambda scipys=scipys: scipys("faq"),
            "SciPy 2opt": lambda scipys=scipys: scipys("2opt"),
        }
        first = None
        for way, run in ways.items():
            began = time.process_time()
            slot = run()
            seconds = time.process_time() - began
            cost = int((flow[:parts, :parts] * distance[np.ix_(slot, slot)]).sum() // 2)
            first = first or cost
            share = 100 * cost / first if first else 100.0
            print(f"| {name} | {parts} | {way} | {cost:,} | {share:.1f} | {seconds:.2f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
