"""Two programs of one network on the same samples: do they say the same, and what does each cost?

    neurodeploy compile net.onnx --calibration c.npz --scheme radix --bits 5 -o radix.ndp
    neurodeploy compile net.onnx --calibration c.npz --scheme online --bits 5 -o online.ndp
    python tools/compare_codes.py radix.ndp online.ndp --data test.npz --limit 1000

A line of JSON for each program, one for both; exit code 1 if a prediction differs or a neuron of
the online code had not settled. With --exact outputs must be equal to the bit as well.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

import neurodeploy as nd
from neurodeploy.samples import load_samples


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs=2, help=".ndp")
    parser.add_argument("--data", required=True, help=".npz with x and, optionally, labels y")
    parser.add_argument("--limit", type=int, default=1000, help="samples")
    parser.add_argument("--channels-last", action="store_true", help="x is (n, H, W, C)")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--exact", action="store_true", help="outputs equal to the bit")
    options = parser.parse_args()
    samples = load_samples(options.data)
    x = samples.x[: options.limit]
    if options.channels_last:
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    labels = None if samples.y is None else samples.y[: options.limit].reshape(-1)
    results, unsettled = [], 0
    for path in options.programs:
        program = nd.load(path)
        result = nd.simulate(program, x, threads=options.threads)
        wrong = sum(result.unsettled.values())
        row = {
            "program": path,
            "scheme": program.scheme,
            "samples": result.samples,
            "accuracy": None if labels is None else result.accuracy(labels),
            "latency_steps": program.latency,
            "steps_between_samples": program.period,
            "spikes_per_sample": result.spikes_per_sample,
            "synaptic_operations_per_sample": result.synaptic_operations_per_sample,
            "overflows": sum(result.wrapped.values()) + sum(result.clipped.values()),
            "unsettled_neurons": wrong,
            "neurons_to_settle": result.samples
            * sum(program.population(name).size for name in result.unsettled),
            "seconds": result.seconds,
        }
        print(json.dumps(row), flush=True)
        results.append(result)
        unsettled += wrong
    one, other = results
    differ = int((one.predictions != other.predictions).sum())
    equal = bool(np.array_equal(one.outputs, other.outputs))
    print(json.dumps({"predictions_that_differ": differ, "outputs_equal_to_the_bit": equal}))
    return int(differ > 0 or unsettled > 0 or (options.exact and not equal))


if __name__ == "__main__":
    sys.exit(main())
