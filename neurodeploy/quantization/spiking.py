"""A stage whose neuron is stated, in integers: unit, weights, threshold, leaks, bias, shift.

One weight integer is worth ``max |W| / 127`` of the layer, or the step of the grid that all its
weights lie on, if there is one: then the layer is exact. Leaks are rounded to 1/4096.

A neuron that only integrates is the stock neuron where the target has no other: with the largest
threshold, and a scale at which no input can reach it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurodeploy.errors import ConversionError
from neurodeploy.network import Conv, Dense, Spiking
from neurodeploy.network.stages import Stage
from neurodeploy.program import Connection, Lif
from neurodeploy.program.bounds import input_interval
from neurodeploy.program.neurons.arithmetic import CURRENT_LIMIT, MEMBRANE_LIMIT
from neurodeploy.program.neurons.lif import NO_CURRENT_MEMORY, STOCK_SHIFT
from neurodeploy.quantization.layer import LEAST_LEVELS, Arrival, connect, finest_scale
from neurodeploy.targets import Target

__all__ = ["quantize_spiking"]

#: One in registers of decay.
_DECAY_ONE = 4096
#: Distance from a whole number, in weight integers, that counts as none.
_ON_GRID = 1e-3
#: A readout without a neuron of its own adds up what arrives.
_SUM = Spiking("", reset="none")


def quantize_spiking(
    stage: Stage, arrivals: tuple[Arrival, ...], target: Target, steps: int
) -> tuple[Lif, tuple[Connection, ...], float]:
    """Integers of a stage, and the real value of one integer of its membrane.

    Raises
    ------
    ConversionError
        Leaks that differ within the layer or are not there in steps of 1/4096, a bias into a
        current with memory, a neuron that the target does not have, or numbers beyond its
        registers.
    """
    stated = stage.neuron or _SUM
    dv = _leak(stated.membrane_leak, "membrane leak", stage.name)
    du = _leak(stated.current_leak, "current leak", stage.name) - 1
    if du < 0:
        raise ConversionError("its current never decays", place=stage.name)
    if du < NO_CURRENT_MEMORY and stage.bias.any():
        raise ConversionError(
            "its layer adds a bias to a current with memory; the chip adds biases to membranes",
            place=stage.name,
            remedy="train the layer without a bias, or the neuron without a synaptic time constant",
        )
    _check_target(stated, target, stage.name)
    bias = stage.bias + np.broadcast_to(np.asarray(stated.bias), stage.shape).reshape(-1)
    threshold = stated.threshold if stated.reset != "none" else 0.0
    exact = _grid(arrivals, threshold, target)
    scale = exact or finest_scale(arrivals, target, threshold) or threshold / 64 or 1.0
    scale = finest = max(scale, threshold / target.threshold_max)
    shifts = range(STOCK_SHIFT, -1, -1)
    unreachable = stated.reset == "none" and not target.microcode
    if unreachable:
        stated = replace(stated, reset="zero")
    if stated.reset == "zero" and stated.initial == 0 and dv < _DECAY_ONE:
        shifts = range(STOCK_SHIFT, STOCK_SHIFT - 1, -1)  # the stock neuron
    for _ in range(64):
        connections = tuple(connect(stage, a, scale, target) for a in arrivals)
        low, high = input_interval(
            stage.shape,
            [(c, (a.low, a.high)) for c, a in zip(connections, arrivals, strict=True)],
        )
        most = int(max(-low.min(initial=0), high.max(initial=0)))
        whole = target.threshold_max if unreachable else round(threshold / scale)
        if unreachable and scale > finest and _levels(connections) < LEAST_LEVELS:
            raise ConversionError(
                f"{target.title} has no neuron that only integrates, and over {steps} steps this "
                "one may reach any threshold at which its weights keep their bits",
                place=stage.name,
                remedy="use fewer --steps, or --target loihi2",
            )
        if whole < 1 and stated.reset != "none":
            break
        fallback = None
        for shift in shifts:
            start = round(stated.initial / scale * 2**shift)
            neuron = _neuron(bias / scale, stated, whole, dv, du, shift, start, target)
            current = most * 2**shift * _DECAY_ONE / (du + 1)
            if neuron is None or current >= CURRENT_LIMIT:
                continue
            reach = current + float(np.abs(neuron.bias).max(initial=0))
            if dv == _DECAY_ONE:
                # the decay register ends at 4095: nothing is left only of small membranes
                if reach < _DECAY_ONE:
                    return neuron, connections, scale / 2**shift
                continue
            if dv:
                reach *= _DECAY_ONE / dv
            else:
                reach *= steps
            if unreachable and reach >= whole << shift:
                continue
            if reach + abs(neuron.v_initial) < MEMBRANE_LIMIT or len(shifts) == 1:
                return neuron, connections, scale / 2**shift
            fallback = neuron, connections, scale / 2**shift
        if fallback is not None:
            return fallback
        if dv == _DECAY_ONE:
            raise ConversionError(
                "forgets its membrane from step to step, which the chip's decay does only where "
                f"its input stays below {_DECAY_ONE}; here it reaches {most}",
                place=stage.name,
                remedy="give the neuron a membrane time constant of more than a step",
            )
        scale *= 1.25  # a current that wraps changes sign: rather give up resolution
    raise ConversionError(
        "no scale keeps its input, threshold and bias inside the registers",
        place=stage.name,
        remedy="look for a bias or weight far larger than the others, or than the threshold",
    )


def _leak(leak: float | np.ndarray, what: str, place: str) -> int:
    """The leak in units of 1/4096."""
    rounded = np.unique(np.rint(np.asarray(leak, np.float64) * _DECAY_ONE).astype(np.int64))
    if rounded.size > 1:
        raise ConversionError(
            f"its neurons have {rounded.size} different {what}s; a population has one",
            place=place,
            remedy="train one time constant a layer, or split the layer",
        )
    whole = int(rounded[0])
    if whole == 0 and np.any(np.asarray(leak) > 0):
        raise ConversionError(
            f"its {what} of {float(np.max(leak)):.2g} a step is less than half of 1/4096, the "
            "smallest that the chip has",
            place=place,
            remedy="use a longer step (--dt), or a neuron without a leak",
        )
    return whole


def _levels(connections: tuple[Connection, ...]) -> int:
    """The largest weight, in integers; of a layer without weights as many as there could be."""
    found = max(int(np.abs(c.synapses.weights.astype(int)).max(initial=0)) for c in connections)
    return found or LEAST_LEVELS


def _check_target(stated: Spiking, target: Target, place: str) -> None:
    if target.microcode or (stated.reset != "subtract" and stated.initial == 0):
        return
    what = {"subtract": "reset by subtraction"}
    raise ConversionError(
        f"{target.title} has no {what.get(stated.reset, 'initial potential')} (it needs microcode)",
        place=place,
        remedy="use --target loihi2",
    )


def _grid(arrivals: tuple[Arrival, ...], threshold: float, target: Target) -> float:
    """The step of a grid that what messages bring lies on, within the weights' bits; 0: none.

    Of several, one that the threshold lies on as well.
    """
    parts = [
        np.unique(a.operator.weight if isinstance(a.operator, Dense | Conv) else a.operator.data)
        * np.float64(a.message_unit)
        for a in arrivals
    ]
    values = np.unique(np.concatenate(parts)).astype(np.float64) if parts else np.zeros(0)
    largest = float(np.abs(values).max(initial=0))
    if not largest:
        return 0.0
    # rounding of float32 makes neighbours of what is one level
    levels = np.unique(np.rint(values / largest * 2**20))
    if levels.size > 4 * target.weight_max:
        return 0.0
    found = []
    for count in range(target.weight_max, 0, -1):
        step = largest / count
        if np.abs(values / step - np.rint(values / step)).max() < _ON_GRID:
            found.append(step)
    both = [s for s in found if abs(threshold / s - round(threshold / s)) < _ON_GRID]
    return (both or found or [0.0])[0]


def _neuron(
    bias: np.ndarray,
    stated: Spiking,
    threshold: int,
    dv: int,
    du: int,
    shift: int,
    start: int,
    target: Target,
) -> Lif | None:
    """The neuron at that shift, or None if its bias or its start do not fit the registers."""
    wanted = np.rint(bias * float(2**shift))
    limit = 2 ** (target.bias_mantissa_bits - 1) - 1
    if abs(start) > MEMBRANE_LIMIT:
        return None
    for exponent in range(target.bias_exponent_max + 1):
        mantissa = np.rint(wanted / 2**exponent)
        if np.abs(mantissa).max(initial=0) <= limit:
            return Lif(
                bias_mantissa=mantissa.astype(np.int16),
                threshold=threshold,
                bias_exponent=exponent,
                du=du,
                dv=min(dv, _DECAY_ONE - 1),
                reset=stated.reset,
                shift=shift,
                v_initial=start,
            )
    return None
