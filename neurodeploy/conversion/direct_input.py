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

__all__ = [
    "DIRECT_ENCODINGS",
    "calibration_of",
    "current_levels",
    "direct_encoder",
    "is_whole",
    "message_unit",
]

DIRECT_ENCODINGS: tuple[Encoding, ...] = (
    "events",
    "frames",
    "current",
    "deterministic",
    "poisson",
)
#: Integers of a constant current: more than images have is of no use.
_MOST_LEVELS = 255
#: Share of an integer that is rounding of the range's ends.
_WHOLE = 1e-6


def calibration_of(
    encoding: str, stated: tuple[float, float] | None, x: np.ndarray | None = None
) -> Calibration:
    """What is known of the input: its range, as stated, else of samples, else the usual.

    Usual are spikes, whole numbers (0..255) in frames, or for samples without a time axis 0..1.

    Raises
    ------
    UsageError
    """
    known = np.zeros(0, np.float32) if x is None else x
    if stated is not None:
        low, high = stated
    elif known.size:
        low, high = min(float(known.min()), 0.0), max(float(known.max()), 0.0)
    else:
        low, high = (0.0, 255.0) if encoding == "frames" else (0.0, 1.0)
    if not low <= 0 < high < math.inf:
        raise UsageError(f"{low:g},{high:g} are not numbers around 0", place="--input-range")
    if encoding == "events" and (low, high) not in ((0.0, 1.0), (-1.0, 1.0)):
        raise UsageError(
            f"{low:g},{high:g} are no spikes",
            place="--input-range",
            remedy="use 0,1 or -1,1, or --encoding frames for numbers",
        )
    return Calibration({}, (low, high), (0.0, 0.0), len(known), x=known)


def is_whole(calibration: Calibration) -> bool:
    """Whether all that is known of the input are whole numbers: samples, or else its range."""
    values = np.asarray(calibration.x if calibration.x.size else calibration.input_range)
    return bool(np.all(values == np.rint(values)))


def direct_encoder(
    encoding: Encoding,
    levels: int | None,
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
        Integers on each side of zero of a constant current, or of a frame; None: those of a frame
        are the numbers themselves.
    input_shape
        Of the network's input at one step.
    """
    low, high = calibration.input_range
    shape, code = population_shape(input_shape), encoding_named(encoding)
    if code.varies:
        unit = 1.0 if levels is None else max(-low, high) / levels
        return Encoder(
            shape=shape,
            encoding=encoding,
            unit=unit,
            low=int(np.floor(low / unit + _WHOLE)),
            high=int(np.ceil(high / unit - _WHOLE)),
            preprocessing=preprocessing,
            sample_shape=(steps, *input_shape),
        )
    whole = PROBABILITY_ONE if levels is None or not code.graded else levels
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
    return encoder.code.unit(encoder.unit)


def current_levels(stages: tuple[Stage, ...], calibration: Calibration, target: Target) -> int:
    """As many integers of a current, or of a frame, as leave all weights that read it their bits.

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
            if stage.neuron is not None and stage.neuron.higher and target.microcode:
                stock = False
            found = min(found, (CURRENT_LIMIT - 1) // (most << (STOCK_SHIFT if stock else 0)))
    return max(found, 1)
