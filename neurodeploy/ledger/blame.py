"""Which layer to blame first: each one's errors alone, carried to the output by an exact network.

For a layer, the ANN's own values are its inputs; it clips, rounds and weighs as the program does,
and is late as it was in the simulation; all behind it compute like the ANN. What then differs at
the output is what this layer alone brings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from neurodeploy.ledger.batch_runs import Values, only
from neurodeploy.ledger.error_sums import ratio, squared
from neurodeploy.ledger.input_layer import Entrance
from neurodeploy.ledger.layer import Layer
from neurodeploy.ledger.matching import Twin
from neurodeploy.ledger.report import CAUSES

__all__ = ["Errors", "Sample", "causes_at_output", "layers_at_output"]

Errors = dict[str, float]
#: Like `map`, over samples.
Apply = Callable[[Callable[["Sample"], Errors], "list[Sample]"], Iterable[Errors]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some samples kept for blame: the ANN's values, and what came late (`Batch.late`)."""

    exact: Values
    late: Values


def layers_at_output(twin: Twin, samples: list[Sample], apply: Apply) -> Errors:
    """Error at the output that each population alone brings.

    Relays and maxima repeat integers and bring none.
    """
    parts = [part for part in twin.parts if part.kind not in ("max", "relay")]

    def work(sample: Sample) -> Errors:
        return {part.name: _moved(twin, sample, part, _all(part, sample)) for part in parts}

    return _collected(twin, samples, apply(work, samples))


def causes_at_output(
    twin: Twin, samples: list[Sample], part: Layer | Entrance, apply: Apply
) -> Errors:
    """Error at the output that each cause in one population alone brings."""

    def work(sample: Sample) -> Errors:
        return {
            cause: _moved(twin, sample, part, value)
            for cause, value in _by_cause(part, sample).items()
        }

    return _collected(twin, samples, apply(work, samples))


def _collected(twin: Twin, samples: list[Sample], parts: Iterable[Errors]) -> Errors:
    norm = sum(squared(sample.exact[twin.readout.name]) for sample in samples)
    total: Errors = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0.0) + value
    return {key: ratio(value, norm) for key, value in total.items()}


def _moved(twin: Twin, sample: Sample, part: Layer | Entrance, value: np.ndarray) -> float:
    """Squared error at the output if that population says `value`."""
    if np.array_equal(value, sample.exact[part.name]):
        return 0.0  # not merely what float32 loses on the way to the output
    out = sample.exact[twin.readout.name]
    return squared(only(twin, sample.exact, part.name, value), out)


def _all(part: Layer | Entrance, sample: Sample) -> np.ndarray:
    exact = sample.exact
    if isinstance(part, Entrance):
        said = part.settle(exact[part.name])
    else:
        said = part.settle(part.messages(exact))
    return part.real(said) + sample.late[part.name]


def _by_cause(part: Layer | Entrance, sample: Sample) -> dict[str, np.ndarray]:
    exact = sample.exact[part.name]
    weighed = part.weighed(sample.exact) if isinstance(part, Layer) else exact
    values = (
        part.clip(exact),
        part.grid(exact),
        weighed,
        exact * np.float32(part.gain),
        exact + sample.late[part.name],
    )
    return dict(zip(CAUSES, values, strict=True))
