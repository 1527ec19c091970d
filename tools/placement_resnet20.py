"""How much less spike traffic a placement by traffic has than one in layer order.

    python tools/placement_resnet20.py MODEL.onnx --calibration X.npz --data X.npz
    python tools/placement_resnet20.py PROGRAM.ndp --data X.npz

Spikes are counted on the samples; then the program is mapped twice, and messages times hops are
compared. ResNet-20 (CIFAR-10) is the model that docs/mapping.md reports, any other will do.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

import neurodeploy as nd
from neurodeploy.mapping import map_program
from neurodeploy.mapping.traffic import spikes_of
from neurodeploy.samples import load_samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("model", help="an ONNX model, or a program (.ndp)")
    parser.add_argument("--calibration", help=".npz with x, for an ONNX model")
    parser.add_argument("--data", help=".npz with x; default: one spike a neuron")
    parser.add_argument("--limit", type=int, default=16, help="samples that are counted")
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--scheme", default="rate")
    parser.add_argument("--target", default="loihi2")
    parser.add_argument("--mean", default="0", help="of the model's input, between commas")
    parser.add_argument("--std", default="1")
    options = parser.parse_args()
    if options.model.endswith(".ndp"):
        program = nd.load(options.model)
    else:
        known = None if options.calibration is None else load_samples(options.calibration).x
        program = nd.compile(
            options.model,
            calibration=known,
            scheme=options.scheme,
            steps=options.steps,
            mean=tuple(map(float, options.mean.split(","))),
            std=tuple(map(float, options.std.split(","))),
        )
    spikes = None
    if options.data is not None:
        spikes = spikes_of(program, np.asarray(load_samples(options.data).x[: options.limit]))
    found = {}
    for placement in ("layers", "traffic"):
        mapping = map_program(program, options.target, spikes, placement)  # type: ignore[arg-type]
        assert mapping.flow is not None
        found[placement] = {
            "cores": len(mapping.cores),
            "chips": mapping.chips,
            **vars(mapping.flow),
        }
    before, after = (found[name]["hops"] for name in ("layers", "traffic"))
    found["lower_percent"] = round(100 * (1 - after / before), 1) if before else 0.0
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
