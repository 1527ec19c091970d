"""The entrance of a network that spikes already: recordings as they are, or samples coded.

Recordings have a time axis (``events``, ``frames``). Samples without one come in as a constant
current, or as spikes whose rate is the value, as the network was trained with.
"""

from __future__ import annotations

import math

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import Stage, population_shape
from neurodeploy.program import INPUT, Encoder, Encoding, Preprocessing
from neurodeploy.program.bounds import input_interval
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.program.encoders import encoding_named
from neurodeploy.program.neurons.arithmetic import CURRENT_LIMIT
from neurodeploy.program.neurons.lif import STOCK_SHIFT
from neurodeploy.quantization import Arrival
from neurodeploy.quantization.layer import connect, finest_scale
from neurodeploy.targets import Target

__all__ = ["DIRECT_ENCODINGS", "calibration_of", "current_levels", "direct_encoder", "message_unit"]

DIRECT_ENCODINGS: tuple[Encoding, ...] = (
    "events",
    "frames",
    "current",
    "deterministic",
    "poisson",
)
#: Integers of a constant current: more than images have is of no use.
_MOST_LEVELS = 255


def calibration_of(encoding: str, stated: tuple[float, float] | None) -> Calibration:
    """What is known of the input without samples: its range.

    Spikes, whole numbers as stated (0..255), or for samples without a time axis 0..1.

    Raises
    ------
    UsageError
    """
    usual = (0.0, 255.0) if encoding == "frames" else (0.0, 1.0)
    ends = stated or usual
    whole = encoding_named(encoding).varies
    if (whole and any(end != int(end) for end in ends)) or not ends[0] <= 0 < ends[1] < math.inf:
        raise UsageError(
            f"{ends[0]:g},{ends[1]:g} are not {'whole ' if whole else ''}numbers around 0",
            place="--input-range",
        )
    return Calibration({}, ends, (0.0, 0.0), 0)


def direct_encoder(
    encoding: Encoding,
    levels: int,
    input_shape: tuple[int, ...],
    calibration: Calibration,
    preprocessing: Preprocessing,
    steps: int,
    seed: int,
) -> Encoder:
    """The entrance.

    Parameters
    ----------
    levels
        Integers on each side of zero of a constant current.
    input_shape
        Of the network's input at one step.
    """
    low, high = calibration.input_range
    shape, code = population_shape(input_shape), encoding_named(encoding)
    if code.varies:
        return Encoder(
            shape=shape,
            encoding=encoding,
            unit=1.0,
            low=int(np.floor(low)),
            high=int(np.ceil(high)),
            preprocessing=preprocessing,
            sample_shape=(steps, *input_shape),
        )
    whole = levels if code.graded else PROBABILITY_ONE
    return Encoder(
        shape=shape,
        encoding=encoding,
        unit=max(-low, high) / whole,
        low=-whole if low < 0 else 0,
        high=whole,
        preprocessing=preprocessing,
        seed=seed,
        sample_shape=input_shape,
    )


def message_unit(encoder: Encoder) -> float:
    """Real input of a step that one message, or one integer of it, stands for."""
    return 1.0 if encoder.code.varies else encoder.code.unit(encoder.unit)


def current_levels(stages: tuple[Stage, ...], calibration: Calibration, target: Target) -> int:
    """As many integers of a constant current as leave all weights that read it their bits.

    The current of a step is ``sum w x << shift`` in 24 bits, and the shift of the stock neuron is
    6: with 255 integers a layer of many inputs would have to give up most of its weights' bits.
    """
    least = -1 if calibration.input_range[0] < 0 else 0
    found = _MOST_LEVELS
    for stage in stages:
        for path in stage.paths:
            if path.source != INPUT:
                continue
            arrival = Arrival(INPUT, path.operator, 1.0, least, 1, True, 1)
            connection = connect(
                stage, arrival, finest_scale((arrival,), target, 0.0) or 1.0, target
            )
            low, high = input_interval(stage.shape, [(connection, (least, 1))])
            most = int(max(-low.min(initial=0), high.max(initial=0), 1))
            stock = stage.neuron is None or stage.neuron.reset != "subtract"
            found = min(found, (CURRENT_LIMIT - 1) // (most << (STOCK_SHIFT if stock else 0)))
    return max(found, 1)
