"""Activation statistics from samples, streamed in batches through ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

import numpy as np

from neurodeploy.calibration.statistics import Calibration, LayerStatistics
from neurodeploy.errors import DataError
from neurodeploy.network import Activation, Network, Node, Pool
from neurodeploy.network.evaluate import Evaluator

__all__ = ["collect"]

_BINS = 8192
#: Activations held at once, in floats: bounds the memory whatever the network.
_BATCH_FLOATS = 16_000_000
#: Samples that are kept for the conversion, and floats in them, at most.
_KEPT, _KEPT_FLOATS = 512, 2**25


def collect(
    network: Network,
    x: np.ndarray,
    prepare: Callable[[np.ndarray], np.ndarray],
    progress: Callable[[int], None] | None = None,
) -> Calibration:
    """Ranges in a first pass over the samples, histograms in a second.

    Parameters
    ----------
    x
        Samples (n, *shape), integers or floats.
    prepare
        From stored samples to network input (`Preprocessing.apply`).
    progress
        Called with the number of samples done; each sample counts twice.
    """
    taps = [node.name for node in network if _fires(node)]
    evaluator = Evaluator(network, taps)
    output = network.output.name
    size = max(1, min(256, _BATCH_FLOATS // sum(prod(s) for s in network.shapes.values())))
    highest = dict.fromkeys(taps, 0.0)
    ranges = {"input": [np.inf, -np.inf], "output": [np.inf, -np.inf]}

    def batches() -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        for start in range(0, len(x), size):
            part = prepare(x[start : start + size])
            yield part, evaluator.run(part)
            if progress is not None:
                progress(len(part))

    for part, results in batches():
        for name in taps:
            highest[name] = max(highest[name], float(results[name].max()))
        for key, values in (("input", part), ("output", results[output])):
            ranges[key][0] = min(ranges[key][0], float(values.min()))
            ranges[key][1] = max(ranges[key][1], float(values.max()))
    if not np.isfinite([*highest.values(), *ranges["output"]]).all():
        raise DataError(
            "the network computes NaN or infinity on the calibration samples",
            remedy="check scale, mean and std, and the model itself",
        )
    counts = {name: np.zeros(_BINS, np.int64) for name in taps}
    totals = {name: np.zeros(network.shapes[name]) for name in taps}
    input_total = np.zeros(network.shapes[network.input.name])
    for part, results in batches():
        input_total += part.sum(0, dtype=np.float64)
        for name in taps:
            totals[name] += results[name].sum(0, dtype=np.float64)
            values = results[name].reshape(-1)
            values = values[values > 0]
            if values.size:
                # in float64: the largest activation may be 1e-38
                place = (values.astype(np.float64) / highest[name] * _BINS).astype(np.int64)
                counts[name] += np.bincount(np.minimum(place, _BINS - 1), minlength=_BINS)
    return Calibration(
        {
            name: LayerStatistics(highest[name], counts[name], totals[name] / len(x))
            for name in taps
        },
        (ranges["input"][0], ranges["input"][1]),
        (ranges["output"][0], ranges["output"][1]),
        len(x),
        input_total / len(x),
        prepare(x[_chosen(x)]),
    )


def _chosen(x: np.ndarray) -> np.ndarray:
    """Indices of the samples to keep, evenly spaced."""
    count = min(len(x), _KEPT, max(1, _KEPT_FLOATS // max(1, prod(x.shape[1:]))))
    return np.linspace(0, len(x) - 1, count).astype(int)


def _fires(node: Node) -> bool:
    """Whether a node may become a population: its mean is wanted for bias correction."""
    return isinstance(node, Activation) or (isinstance(node, Pool) and node.operation == "max")
