"""One stage of the time-to-first-spike code in integers.

With ``s`` the real value of one membrane integer: ``w = round(W * message_unit / s)``,
``bias = round(b / s)``, ``slope = output_unit / s``. The scale is chosen so that the slope is a
whole number, hence exact, and the largest weight uses all its bits, unless the state would then
leave 24 bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import ConversionError
from neurodeploy.network.stages import Stage
from neurodeploy.program import Connection, Ttfs
from neurodeploy.program.bounds import input_interval, neuron_bounds
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.quantization.layer import (
    LEAST_LEVELS,
    Arrival,
    bias_correction,
    coarsest_scale,
    connect,
    finest_scale,
    keep_clip,
)
from neurodeploy.targets import Target

__all__ = ["QuantizedTtfs", "quantize_ttfs"]


@dataclass(frozen=True, eq=False)
class QuantizedTtfs:
    """Integers of a layer and their meaning.

    Attributes
    ----------
    scale
        Real value of one membrane integer.
    output_unit
        Real value of one level of the output (0 for a readout).
    """

    neuron: Ttfs
    connections: tuple[Connection, ...]
    scale: float
    output_unit: float


def quantize_ttfs(
    stage: Stage,
    bias: np.ndarray,
    arrivals: tuple[Arrival, ...],
    output_unit: float,
    target: Target,
    steps: int,
) -> QuantizedTtfs:
    """Integers for one stage.

    Parameters
    ----------
    bias
        float64 (neurons,), real.
    output_unit
        Real value of one output level, lambda / W; 0 for a readout.
    steps
        W.

    Raises
    ------
    ConversionError
        The state would leave 24 bit even with weights of five bits.
    """
    finest = finest_scale(arrivals, target, output_unit)
    coarsest = coarsest_scale(stage, arrivals) or np.inf
    scale = max(finest, np.abs(bias).max(initial=0) / MEMBRANE_LIMIT) or 1.0
    while True:
        unit = max(output_unit, scale) if output_unit else 0.0
        keep_clip(stage, unit * steps)
        slope = int(min(max(unit / scale, 1), MEMBRANE_LIMIT // steps)) if unit else 1
        snapped = unit / slope if unit else scale
        made, worst = _at(stage, bias, arrivals, unit, slope, snapped, target, steps)
        if made is not None:
            return made
        # only as coarse as it must be; 2 % at a time
        scale = max(snapped, scale) * max(1.02, min(worst / MEMBRANE_LIMIT, 1.2))
        if scale > coarsest:
            raise ConversionError(
                f"membrane in 24 bit: {steps} steps let it reach {worst}, the limit is "
                f"{MEMBRANE_LIMIT}, and weights of {LEAST_LEVELS} levels do not prevent it",
                place=stage.name,
                remedy="use fewer --steps, or split the layer",
            )


def _at(
    stage: Stage,
    bias: np.ndarray,
    arrivals: tuple[Arrival, ...],
    unit: float,
    slope: int,
    scale: float,
    target: Target,
    steps: int,
) -> tuple[QuantizedTtfs | None, int]:
    """The layer at that scale, or None and the worst membrane if it could overflow."""
    connections = tuple(connect(stage, a, scale, target) for a in arrivals)
    integers = np.rint(bias / scale + bias_correction(arrivals, connections, scale))
    if np.abs(integers).max(initial=0) > MEMBRANE_LIMIT:
        return None, int(np.abs(integers).max())
    neuron = Ttfs(integers.astype(np.int32), slope, fires=not stage.is_readout)
    interval = input_interval(stage.shape, [(c, (0, 1)) for c in connections])
    proof = neuron_bounds(neuron, interval, steps)
    assert proof.membrane is not None
    # half a slope is added when the quotient is rounded: keep that inside as well
    worst = max(-proof.membrane[0], proof.membrane[1]) + slope
    if worst > MEMBRANE_LIMIT:
        return None, worst
    return QuantizedTtfs(neuron, connections, scale, unit), worst
