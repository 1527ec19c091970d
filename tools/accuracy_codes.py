"""Accuracy of codes, and of ONNX Runtime's own 8-bit network from the same images.

    python tools/accuracy_codes.py resnet20.onnx --data test.npz --calibration train.npz \\
        --channels-last --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 \\
        --run radix:bits=5 --run graded:bits=8 --run ttfs:steps=31 --quantize-static
    python tools/accuracy_codes.py ... --run rate:steps=16 --run rate:steps=32,signed=false \\
        --run rate:steps=64,target=loihi1 --run rate:steps=64,target=loihi1,reset=zero

Each row is printed when it is known, as a line of the table in docs/radix.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
from accuracy_curve import network_outputs, numbers

import neurodeploy as nd
from neurodeploy.program import Preprocessing
from neurodeploy.samples import load_samples


def asked(text: str) -> tuple[str, dict[str, int | float | bool | str]]:
    """``radix:bits=5,digit=1`` as a scheme and its options, or ``target``."""
    scheme, _, rest = text.partition(":")
    pairs = (part.partition("=") for part in rest.split(",") if part)
    return scheme, {name: _value(value) for name, _, value in pairs}


def _value(text: str) -> int | float | bool | str:
    """A number, true or false, or a word."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def quantized(model: str, x: np.ndarray, folder: Path, method: str) -> str:
    """The path of what `quantize_static` makes of a model: int8, weights by channel."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self, name: str, batch: int) -> None:
            self.parts = iter({name: x[i : i + batch]} for i in range(0, len(x) - batch + 1, batch))

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.parts, None)

    import onnxruntime as ort

    entry = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()[0]
    batch = entry.shape[0] if isinstance(entry.shape[0], int) else 50
    ready, made = folder / "ready.onnx", folder / f"{method}.onnx"
    quant_pre_process(model, str(ready))
    quantize_static(
        str(ready), str(made), Reader(entry.name, batch),
        quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        calibrate_method=getattr(CalibrationMethod, method),
    )  # fmt: skip
    return str(made)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="ONNX file")
    parser.add_argument("--data", required=True, help=".npz with x and labels y")
    parser.add_argument("--calibration", required=True, help=".npz with x")
    parser.add_argument("--calibration-samples", type=int, default=500)
    parser.add_argument("--samples", type=int, default=None, help="only the first so many")
    parser.add_argument("--channels-last", action="store_true", help="x is (n, H, W, C)")
    parser.add_argument("--scale", type=float, default=1 / 255)
    parser.add_argument("--mean", type=numbers, default=(0.0,))
    parser.add_argument("--std", type=numbers, default=(1.0,))
    parser.add_argument(
        "--run", action="append", type=asked, default=[], help="scheme:option=value"
    )
    parser.add_argument("--quantize-static", action="store_true")
    options = parser.parse_args()

    test, calibration = load_samples(options.data), load_samples(options.calibration).x
    if test.y is None:
        sys.exit(f"{options.data} holds no labels y")
    x, y = test.x[: options.samples], test.y[: options.samples].reshape(-1)
    if options.channels_last:
        x, calibration = np.moveaxis(x, -1, 1), np.moveaxis(calibration, -1, 1)
    if x.ndim == 3:  # grey images
        x, calibration = x[:, None], calibration[:, None]
    x = np.ascontiguousarray(x)
    calibration = np.ascontiguousarray(calibration[: options.calibration_samples])
    prepare = Preprocessing(options.scale, options.mean, options.std).apply
    theirs = network_outputs(options.model, x, prepare).argmax(1)

    def tell(**row: object) -> None:
        print(json.dumps(row), flush=True)

    def scores(predictions: np.ndarray) -> dict[str, float]:
        return {
            "accuracy": round(float(100 * (predictions == y).mean()), 2),
            "agreement": round(float(100 * (predictions == theirs).mean()), 2),
        }

    tell(code="ANN", samples=len(x), **scores(theirs))
    for scheme, values in options.run:
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = nd.compile(
                options.model, calibration=calibration, scheme=scheme, try_samples=0,
                scale=options.scale, mean=options.mean, std=options.std, **values,
            )  # fmt: skip
            made = perf_counter() - start
            result = nd.simulate(program, x)
        tell(
            code=scheme, **values, **scores(result.predictions),
            spikes=round(result.spikes_per_sample),
            operations=round(result.synaptic_operations_per_sample),
            latency=program.latency, interval=program.period,
            compiled_in=round(made, 1), samples_per_second=round(len(x) / result.seconds, 1),
            overflows=sum(result.wrapped.values()) + sum(result.clipped.values()),
            needs_microcode=program.needs_microcode,
            bounded_by_samples=sorted(
                program.recorded("quantization").get("bounded_by_samples", ())
            ),
        )  # fmt: skip
    if options.quantize_static:
        with tempfile.TemporaryDirectory() as folder:
            for method in ("MinMax", "Percentile"):
                path = quantized(options.model, prepare(calibration), Path(folder), method)
                found = network_outputs(path, x, prepare).argmax(1)
                tell(code=f"quantize_static, by channel, {method}", **scores(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
