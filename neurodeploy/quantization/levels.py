"""A stage of multi-level firing in integers: unit, weights, thresholds, leak, bias, shift.

One weight integer is worth ``max |W| / 127`` of the layer; thresholds and biases are rounded to it
(Feng et al. 2022 train in floats; batch norms are in the weights). Leaks are rounded to 1/4096.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ConversionError
from neurodeploy.network.stages import Stage
from neurodeploy.program import Connection, Levels
from neurodeploy.program.bounds import input_interval, neuron_bounds
from neurodeploy.program.neurons.lif import STOCK_SHIFT
from neurodeploy.quantization.layer import Arrival, connect, finest_scale
from neurodeploy.targets import Target

__all__ = ["quantize_levels"]

_DECAY_ONE = 4096
#: How much coarser a unit is tried next, and how often.
_COARSER, _TRIALS = 1.25, 32


def quantize_levels(
    stage: Stage, arrivals: tuple[Arrival, ...], target: Target, steps: int
) -> tuple[Levels, tuple[Connection, ...], float]:
    """Integers of a stage, and the real value of one integer of its membranes.

    The largest shift is taken at which it is proved that nothing overflows. On a target without
    microcode it is that of the stock neuron, for `program.expansion` to make stock neurons of the
    levels: there the unit is made coarser instead.

    Raises
    ------
    ConversionError
        A leak that differs within the layer or is less than the chip has, or numbers beyond its
        registers.
    """
    stated = stage.neuron
    assert stated is not None
    leak = np.unique(np.rint(np.asarray(stated.membrane_leak) * _DECAY_ONE)).astype(int)
    if leak.size > 1 or leak[0] >= _DECAY_ONE or (leak[0] == 0 and np.any(stated.membrane_leak)):
        raise ConversionError(
            f"its leak {np.asarray(stated.membrane_leak).max():.3g} is not one number of 1/4096 "
            "... 4095/4096, or 0",
            place=stage.name,
            remedy="train one time constant a layer, of more than a step",
        )
    bias = stage.bias + np.broadcast_to(np.asarray(stated.bias), stage.shape).reshape(-1)
    first, *_, last = stated.thresholds
    shifts = range(STOCK_SHIFT, -1 if target.microcode else STOCK_SHIFT - 1, -1)
    scale = finest_scale(arrivals, target, first) or first / 64
    scale = max(scale, last / target.threshold_max)
    for _ in range(_TRIALS):
        connections = tuple(connect(stage, a, scale, target) for a in arrivals)
        interval = input_interval(
            stage.shape,
            [(c, (a.low, a.high)) for c, a in zip(connections, arrivals, strict=True)],
        )
        thresholds = tuple(round(theta / scale) for theta in stated.thresholds)
        if thresholds[0] < 1 or len(set(thresholds)) < len(thresholds):
            break
        for shift in shifts:
            neuron = _neuron(bias / scale, thresholds, int(leak[0]), shift, target)
            if neuron is None:
                continue
            proof = neuron_bounds(neuron, interval, steps)
            if proof.cannot_wrap and proof.cannot_clip:
                return neuron, connections, scale / 2**shift
        scale *= _COARSER
    raise ConversionError(
        "no scale keeps its input, thresholds and bias inside the registers",
        place=stage.name,
        remedy="look for a bias or weight far larger than the others, or than the thresholds",
    )


def _neuron(
    bias: np.ndarray, thresholds: tuple[int, ...], dv: int, shift: int, target: Target
) -> Levels | None:
    """The neuron at that shift, or None if its bias (in weight integers) does not fit."""
    wanted = np.rint(bias * float(2**shift))
    limit = 2 ** (target.bias_mantissa_bits - 1) - 1
    for exponent in range(target.bias_exponent_max + 1):
        mantissa = np.rint(wanted / 2**exponent)
        if np.abs(mantissa).max(initial=0) <= limit:
            return Levels(mantissa.astype(np.int16), thresholds, exponent, dv, shift)
    return None
