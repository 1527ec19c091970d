"""One stage in integers: weights, threshold, bias and shift inside the target's registers.

With ``s`` the real value of one weight integer, every number of a layer is a multiple of it:
``w = round(W * message_unit / s)``, ``threshold = lambda / s``, ``bias = round(b * 2**shift / s)``.
The scale is chosen so that the threshold is a whole number, hence exact, and the largest weight
uses all its bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import ConversionError
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.program import Connection, Lif
from neurodeploy.program.bounds import input_interval, neuron_bounds
from neurodeploy.program.neurons.lif import Reset
from neurodeploy.quantization.correction import rounding_error
from neurodeploy.quantization.operators import peak, quantize
from neurodeploy.targets import Target

__all__ = [
    "LEAST_LEVELS",
    "Arrival",
    "LayerPlan",
    "QuantizedLayer",
    "bias_correction",
    "coarsest_scale",
    "connect",
    "finest_scale",
    "keep_clip",
    "quantize_layer",
]

#: A threshold or slope is at least so many integers high where exponents allow.
_LEAST_THRESHOLD = 64
#: Of the largest weight, on each side of zero.
LEAST_LEVELS = 15
#: And where the largest sum seen is known: a proof is worth that much, but no more.
PROOF_LEVELS = 40


@dataclass(frozen=True, eq=False)
class Arrival:
    """An operator with the real value of one message, its payload's range, and its delay.

    Attributes
    ----------
    mean
        Mean real activation of each source, in the shape of its population; None if not known.
    """

    source: str
    operator: Operator
    message_unit: float
    low: int
    high: int
    graded: bool
    delay: int
    mean: np.ndarray | None = None


@dataclass(frozen=True)
class LayerPlan:
    """What the scheme wants of a layer.

    Attributes
    ----------
    level
        Real value of one spike (lambda); 0 for a readout.
    reset
        As in `Lif`.
    initial
        Membrane at the start of a sample, as a share of the threshold.
    bias_share
        Added to the bias of each step, as a share of the threshold.
    shifts
        To try in this order; the first that provably overflows nowhere is taken, else the last.
    reach
        For a readout that could fire: largest membrane (real) to leave room for.
    threshold_mantissa
        Largest mantissa of a threshold that a synapse holds, with its exponents; 0: a register of
        its own holds any.
    """

    level: float
    reset: Reset
    initial: float
    bias_share: float
    shifts: tuple[int, ...]
    reach: float = 0.0
    threshold_mantissa: int = 0


@dataclass(frozen=True, eq=False)
class QuantizedLayer:
    """Integers of a layer, and the scale that gives them meaning.

    Attributes
    ----------
    level
        Real value of one spike: the plan's, or more where weights or biases are so much larger
        that no integer threshold could tell them apart.
    """

    neuron: Lif
    connections: tuple[Connection, ...]
    scale: float
    level: float

    @property
    def membrane_unit(self) -> float:
        """Real value of one membrane integer."""
        return float(self.scale / 2**self.neuron.shift)


def quantize_layer(
    stage: Stage,
    arrivals: tuple[Arrival, ...],
    plan: LayerPlan,
    target: Target,
    steps: int,
) -> QuantizedLayer:
    """Integers for one stage.

    1. A hidden layer: the finest scale at which no current can wrap. A membrane at its lower limit
       is silent and stays so.
    2. A readout: the finest at which no membrane can clip either, down to weights of
       `PROOF_LEVELS` levels; else the finest that has room for the plan's reach; where that is not
       known, by proof down to weights of `LEAST_LEVELS` levels.

    Raises
    ------
    ConversionError
        No scale keeps the layer inside the target's registers.
    """
    least_scale = max(
        finest_scale(arrivals, target, plan.level),
        plan.reach / target.threshold_max,
        float(np.abs(stage.bias).max(initial=0)) / _bias_limit(target),
    )
    finest, proves = least_scale, stage.is_readout
    coarsest = coarsest_scale(stage, arrivals, PROOF_LEVELS if plan.reach else LEAST_LEVELS)
    for _ in range(64):
        level = max(plan.level, least_scale) if plan.level else 0.0
        keep_clip(stage, level)
        scale, threshold = _snap(level, least_scale, target, plan.threshold_mantissa)
        connections = tuple(connect(stage, a, scale, target) for a in arrivals)
        interval = input_interval(
            stage.shape,
            [(c, (a.low, a.high)) for c, a in zip(connections, arrivals, strict=True)],
        )
        bias = stage.bias / scale + bias_correction(arrivals, connections, scale)
        for shift in plan.shifts:
            neuron = _neuron(bias, plan, threshold, shift, target)
            if neuron is None:
                continue
            proof = neuron_bounds(neuron, interval, steps)
            last_resort = shift == plan.shifts[-1]
            last_resort &= not proves or (scale >= coarsest and not plan.reach)
            if proof.cannot_wrap and (proof.cannot_clip or last_resort):
                _check_levels(stage, arrivals, connections)
                return QuantizedLayer(neuron, connections, scale, level)
        if proves and scale >= coarsest and plan.reach:
            least_scale, proves = finest, False
            continue
        # a current that wraps changes sign: rather give up resolution until it cannot
        least_scale = scale * 1.25
    raise ConversionError(
        "no scale keeps its input and bias inside the registers",
        place=stage.name,
        remedy="look for a bias or weight far larger than the others in this layer",
    )


def _bias_limit(target: Target) -> int:
    """Largest bias that mantissa and exponent hold."""
    return int((2 ** (target.bias_mantissa_bits - 1) - 1) << target.bias_exponent_max)


def _snap(level: float, least_scale: float, target: Target, mantissa: int = 0) -> tuple[float, int]:
    """Scale at or above the least one at which the threshold is whole, and the threshold.

    With a largest `mantissa` the threshold is one times a power of two.
    """
    if level == 0:
        return (least_scale or 1.0), target.threshold_max
    if least_scale == 0:
        threshold = 2 ** (target.threshold_bits - 2)
    else:
        threshold = int(min(max(np.floor(level / least_scale), 1), target.threshold_max))
    if mantissa:
        threshold = min(threshold, mantissa << target.exponent_max)
        exponent = max(threshold.bit_length() - mantissa.bit_length(), 0)
        threshold = threshold >> exponent << exponent
    return level / threshold, threshold


def finest_scale(arrivals: tuple[Arrival, ...], target: Target, unit: float) -> float:
    """Scale at which every operator uses all bits of its weights, as far as exponents reach.

    Operators of unequal size get exponents; the smallest one sets the scale. So does a threshold
    (or output level) `unit` that would be only a few integers high.
    """
    peaks = [size for a in arrivals if (size := peak(a.operator) * a.message_unit) > 0]
    if not peaks:
        return 0.0
    wanted = min(peaks) / target.weight_max
    least = max(peaks) / (target.weight_max * 2**target.exponent_max)
    while unit and wanted > unit / _LEAST_THRESHOLD and wanted / 2 >= least:
        wanted /= 2  # by halves, so that an exponent makes up for it and no weight loses a bit
    return max(wanted, least)


def coarsest_scale(
    stage: Stage, arrivals: tuple[Arrival, ...], levels: int = LEAST_LEVELS
) -> float:
    """Scale above which a layer that only integrates would lose its meaning.

    Its largest weight keeps so many levels a sign, unless its bias outweighs them all.
    """
    largest = max((peak(a.operator) * a.message_unit for a in arrivals), default=0.0)
    bias = float(np.abs(stage.bias).max(initial=0))
    return max(largest / levels, bias / 2**12)


def keep_clip(stage: Stage, level: float) -> None:
    """A level above the clip of the activation would let it pass: refuse instead."""
    if stage.maximum is not None and level > stage.maximum * (1 + 1e-6):
        raise ConversionError(
            f"its weights are so large that the clip at {stage.maximum:g} cannot be kept "
            f"(the least level is {level:g})",
            place=stage.name,
            remedy="scale the layer's input or weights down, or train without the clip",
        )


def _check_levels(
    stage: Stage, arrivals: tuple[Arrival, ...], connections: tuple[Connection, ...]
) -> None:
    """A readout whose weights all but vanish computes nothing: refuse."""
    if not stage.is_readout or not any(peak(a.operator) for a in arrivals):
        return
    levels = max(int(np.abs(c.synapses.weights.astype(int)).max(initial=0)) for c in connections)
    if levels < 4 and not coarse_by_bias(stage, arrivals):
        raise ConversionError(
            f"the output layer would keep weights of {levels} levels a sign",
            place=stage.name,
            remedy="use fewer --steps, --reset subtract, or spikes as input (--encoding)",
        )


def coarse_by_bias(stage: Stage, arrivals: tuple[Arrival, ...]) -> bool:
    """Whether the bias alone is far larger than everything the synapses bring."""
    largest = max((peak(a.operator) * a.message_unit for a in arrivals), default=0.0)
    return float(np.abs(stage.bias).max(initial=0)) > 2**10 * largest


def connect(stage: Stage, arrival: Arrival, scale: float, target: Target) -> Connection:
    """The connection at that scale, with the least exponent that its weights need."""
    size = peak(arrival.operator) * arrival.message_unit / scale
    exponent = 0
    while size > (target.weight_max + 0.5) * 2**exponent and exponent < target.exponent_max:
        exponent += 1
    factor = arrival.message_unit / (scale * 2**exponent)
    return Connection(
        source=arrival.source,
        target=stage.name,
        synapses=quantize(arrival.operator, factor, target.weight_max),
        exponent=exponent,
        delay=arrival.delay,
        graded=arrival.graded,
    )


def bias_correction(
    arrivals: tuple[Arrival, ...], connections: tuple[Connection, ...], scale: float
) -> np.ndarray | float:
    """What rounding the weights takes from each neuron on average, in weight integers."""
    total: np.ndarray | float = 0.0
    for a, c in zip(arrivals, connections, strict=True):
        if a.mean is not None:
            unit = scale * 2**c.exponent
            error = rounding_error(a.operator, c.synapses, a.message_unit, unit, a.mean)
            total = total + error * 2**c.exponent
    return total


def _neuron(
    bias: np.ndarray, plan: LayerPlan, threshold: int, shift: int, target: Target
) -> Lif | None:
    """The neuron at that shift, or None if its bias does not fit the bias register.

    `bias` is in weight integers a step.
    """
    bias = np.rint((bias + plan.bias_share * threshold) * float(2**shift))
    limit = 2 ** (target.bias_mantissa_bits - 1) - 1
    for exponent in range(target.bias_exponent_max + 1):
        mantissa = np.rint(bias / 2**exponent)
        if np.abs(mantissa).max(initial=0) <= limit:
            return Lif(
                bias_mantissa=mantissa.astype(np.int16),
                threshold=threshold if plan.reset != "none" else 0,
                bias_exponent=exponent,
                reset=plan.reset,
                shift=shift,
                v_initial=int(plan.initial * (threshold << shift)),
            )
    return None
