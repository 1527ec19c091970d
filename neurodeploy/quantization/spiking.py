"""A stage whose neuron is stated, in integers: unit, weights, threshold, leaks, bias, shift.

One weight integer is worth ``max |W| / 127`` of the layer, or the step of the grid that all its
weights lie on, if there is one: then the layer is exact. Leaks are rounded to 1/4096.

A neuron that only integrates is the stock neuron where the target has no other: with the largest
threshold, and a scale at which no input can reach it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neurodeploy.errors import ConversionError
from neurodeploy.network import Conv, Dense, Spiking
from neurodeploy.network.stages import Stage
from neurodeploy.program import Connection, Lif
from neurodeploy.program.bounds import input_interval, neuron_bounds
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.program.neurons.lif import DECAY_ONE, NO_CURRENT_MEMORY, STOCK_SHIFT
from neurodeploy.quantization.layer import LEAST_LEVELS, Arrival, connect, finest_scale
from neurodeploy.quantization.operators import peak
from neurodeploy.targets import Target

__all__ = ["quantize_spiking"]

#: The largest decay of the stock neuron.
NO_MEMORY = DECAY_ONE - 1
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
    if dv == DECAY_ONE and stated.reset != "none":  # whatever is left, it is forgotten
        stated = replace(stated, reset="zero", initial=0.0)
    _check_target(stated, target, stage.name)
    bias = stage.bias + np.broadcast_to(np.asarray(stated.bias), stage.shape).reshape(-1)
    threshold = stated.threshold if stated.reset != "none" else 0.0
    exact = _grid(arrivals, threshold, target, coarsest=dv == DECAY_ONE)
    scale = exact or finest_scale(arrivals, target, threshold) or threshold / 64 or 1.0
    scale = finest = max(scale, threshold / target.threshold_max)
    unreachable = stated.reset == "none" and not target.microcode
    if unreachable:
        stated = replace(stated, reset="zero")
    plain = stated.reset == "zero" and stated.initial == 0
    shifts = (STOCK_SHIFT,) if plain else tuple(range(STOCK_SHIFT, -1, -1))
    largest = max((peak(a.operator) * a.message_unit for a in arrivals), default=0.0)
    least = largest / ((target.weight_max + 0.5) * 2**target.exponent_max)
    for finer in _finer(scale, dv, du, threshold, target, not exact):
        if finer < least:  # weights would be cut
            continue
        connections = tuple(connect(stage, a, finer, target) for a in arrivals)
        interval = input_interval(
            stage.shape,
            [(c, (a.low, a.high)) for c, a in zip(connections, arrivals, strict=True)],
        )
        whole = target.threshold_max if unreachable else round(threshold / finer)
        work = _Layer(
            bias / finer, stated, finer, whole, dv, du, interval, steps, target, unreachable
        )
        neuron = work.leaky((STOCK_SHIFT,), proved=True)
        if neuron is not None:
            return neuron, connections, finer / 2**neuron.shift
    for _ in range(64):
        connections = tuple(connect(stage, a, scale, target) for a in arrivals)
        low, high = input_interval(
            stage.shape,
            [(c, (a.low, a.high)) for c, a in zip(connections, arrivals, strict=True)],
        )
        whole = target.threshold_max if unreachable else round(threshold / scale)
        if unreachable and scale > finest and _levels(connections) < LEAST_LEVELS:
            raise ConversionError(
                f"{target.title} has no neuron that only integrates, and over {steps} steps this "
                "one may reach any threshold at which its weights keep their bits",
                place=stage.name,
                remedy="use fewer --steps, or --target loihi2",
            )
        if (
            exact
            and not unreachable
            and dv == 0
            and stated.reset == "zero"
            and _on_grid(bias, scale)
        ):
            whole = int(threshold / scale + _ON_GRID)  # sums are whole: the next below is the same
            if stated.inclusive:
                whole = int(np.ceil(threshold / scale - _ON_GRID)) - 1
        if dv == DECAY_ONE and stated.reset != "none":
            whole = max(1, whole)  # weights may be coarser than the threshold: the bias makes up
        if whole < (0 if stated.inclusive else 1) and stated.reset != "none":
            break
        lacks = whole - threshold / scale if dv == DECAY_ONE and not unreachable else 0.0
        work = _Layer(
            bias / scale + lacks, stated, scale, whole, dv, du, (low, high), steps, target,
            unreachable,
        )  # fmt: skip
        neuron = work.forgetful() if dv == DECAY_ONE else work.leaky(shifts)
        if neuron is not None:
            return neuron, connections, scale / 2**neuron.shift
        scale *= 1.25  # a current that wraps changes sign: rather give up resolution
    raise ConversionError(
        "no scale keeps its input, threshold and bias inside the registers",
        place=stage.name,
        remedy="look for a bias or weight far larger than the others, or than the threshold",
    )


@dataclass(frozen=True, eq=False)
class _Layer:
    """A layer at one scale: bias and threshold in weight integers, and what its input may be."""

    bias: np.ndarray
    stated: Spiking
    scale: float
    threshold: int
    dv: int
    du: int
    interval: tuple[np.ndarray, np.ndarray]
    steps: int
    target: Target
    unreachable: bool = False

    def leaky(self, shifts: tuple[int, ...], proved: bool = False) -> Lif | None:
        """At the largest shift at which nothing overflows; else the least without a wrap.

        `proved`: not without a proof that nothing overflows.
        """
        fallback = None
        for shift in shifts:
            neuron = self._neuron(self.bias + self._nudge(shift), self.dv, shift)
            if neuron is None:
                continue
            proof = neuron_bounds(neuron, self.interval, self.steps)
            if self.unreachable and not self._within(neuron, self.threshold << shift):
                continue
            if proof.cannot_wrap and proof.cannot_clip:
                return neuron
            if proof.cannot_wrap and not proved:
                fallback = neuron
        return fallback

    def _nudge(self, shift: int) -> float:
        """What makes a leaky neuron spike at its threshold, too: one integer of its membrane.

        It does not add up: the decay of 1 is 0, as decay rounds towards zero.
        """
        leaks = self.dv > 0 and self.stated.reset != "none"
        return 2.0**-shift if leaks and self.stated.inclusive else 0.0

    def forgetful(self) -> Lif | None:
        """A membrane without memory; the stock decay ends at 4095/4096, what is left is v >> 12.

        Where it spikes, its bias puts every sum of integers half a one from the threshold, on its
        own side.

        1. Where no membrane reaches 4096 nothing is left.
        2. Where none reaches 2^17, less than half an integer of a weight is left.
        3. Beyond it the decay is 4096, by microcode.
        4. None where the target has none: a coarser scale makes the sums smaller.
        """
        whole = self.du == NO_CURRENT_MEMORY
        whole &= self.stated.reset != "none" and not self.unreachable
        bias = self.bias
        if whole:  # rounding of float32 must not count as a part of an integer
            at = np.floor(bias + _ON_GRID) + 1 if self.stated.inclusive else None
            bias = (np.ceil(bias - _ON_GRID) if at is None else at) - 0.5
        for shift in range(STOCK_SHIFT, -1, -1) if self.target.microcode else (STOCK_SHIFT,):
            neuron = self._neuron(bias + 0.5 * (whole and shift == 0), NO_MEMORY, shift, whole)
            if neuron is not None and self._within(neuron, DECAY_ONE):
                return neuron
        if whole:
            neuron = self._neuron(bias, NO_MEMORY, STOCK_SHIFT, least=True)
            if neuron is not None and self._within(neuron, 2**17):
                return neuron
        if not self.target.microcode:
            return None
        neuron = self._neuron(bias, DECAY_ONE, STOCK_SHIFT)
        if neuron is None:
            return None
        proof = neuron_bounds(neuron, self.interval, self.steps)
        return neuron if proof.cannot_wrap and proof.cannot_clip else None

    def _within(self, neuron: Lif, limit: int) -> bool:
        """Whether it is proved that no membrane reaches a limit."""
        proof = neuron_bounds(neuron, self.interval, self.steps)
        reach = proof.membrane
        return proof.cannot_wrap and reach is not None and max(-reach[0], reach[1]) < limit

    def _neuron(self, bias: np.ndarray, dv: int, shift: int, least: bool = False) -> Lif | None:
        """The neuron at that shift, or None if its bias or its start do not fit the registers.

        `least`: None, too, if its bias would be rounded.
        """
        start = round(self.stated.initial / self.scale * 2**shift)
        if self.stated.inclusive and self.stated.reset == "subtract" and not self.dv:
            start += max(2**shift // 2, 1)  # whole sums: half a one more is at the threshold
        wanted = np.rint(bias * float(2**shift))
        limit = 2 ** (self.target.bias_mantissa_bits - 1) - 1
        if abs(start) > MEMBRANE_LIMIT:
            return None
        for exponent in range(self.target.bias_exponent_max + 1):
            mantissa = np.rint(wanted / 2**exponent)
            if np.abs(mantissa).max(initial=0) > limit:
                continue
            if least and np.any(mantissa * 2**exponent != wanted):
                return None
            return Lif(
                bias_mantissa=mantissa.astype(np.int16),
                threshold=self.threshold,
                bias_exponent=exponent,
                du=self.du,
                dv=dv,
                reset=self.stated.reset,
                shift=shift,
                v_initial=start,
            )
        return None


def _on_grid(values: np.ndarray, step: float) -> bool:
    """Whether all are whole numbers of a step."""
    whole = values / step
    return bool(np.all(np.abs(whole - np.rint(whole)) < _ON_GRID))


def _finer(
    scale: float, dv: int, du: int, threshold: float, target: Target, inexact: bool
) -> list[float]:
    """Scales below one, by halves, at which exponents keep all bits of the weights.

    Decay rounds to an integer of the membrane, and a threshold that lies on no grid to one of a
    weight: the smaller that is, the less is lost.
    """
    decays = 0 < dv < DECAY_ONE or du < NO_CURRENT_MEMORY
    if dv == DECAY_ONE or not (decays or inexact):
        return []
    return [
        scale / 2**k
        for k in range(target.exponent_max, 0, -1)
        if threshold / (scale / 2**k) <= target.threshold_max
    ]


def _leak(leak: float | np.ndarray, what: str, place: str) -> int:
    """The leak in units of 1/4096."""
    rounded = np.unique(np.rint(np.asarray(leak, np.float64) * DECAY_ONE).astype(np.int64))
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


def _grid(arrivals: tuple[Arrival, ...], threshold: float, target: Target, coarsest: bool) -> float:
    """The step of a grid that what messages bring lies on, within the weights' bits; 0: none.

    Connections may have grids of their own, coarser by a power of two: that is their exponent. Of
    several grids, the finest that the threshold lies on as well, for what decays is rounded; or
    the coarsest, where nothing is left to decay.
    """
    steps = [found for a in arrivals if (found := _steps(a, target)) is not None]
    if not steps:
        return 0.0
    powers = 2.0 ** np.arange(target.exponent_max + 1)
    common = [
        step
        for step in np.unique(np.concatenate(steps))[::-1]
        if all(
            (np.abs(own[:, None] / (step * powers) - 1) < _ON_GRID / target.weight_max).any()
            for own in steps
        )
    ]
    if not common:
        return 0.0
    if coarsest:
        return float(common[0])
    both = [s for s in common if abs(threshold / s - round(threshold / s)) < _ON_GRID]
    return float((both or common)[-1])


def _steps(arrival: Arrival, target: Target) -> np.ndarray | None:
    """Steps of the grids that one connection's weights lie on; None where it has no weights."""
    operator = arrival.operator
    weights = operator.weight if isinstance(operator, Dense | Conv) else operator.data
    values = np.unique(weights).astype(np.float64) * np.float64(arrival.message_unit)
    largest = float(np.abs(values).max(initial=0))
    if not largest:
        return None
    # rounding of float32 makes neighbours of what is one level
    levels = np.unique(np.rint(values / largest * 2**20))
    if levels.size > 4 * target.weight_max:
        return np.zeros(0)
    counts = np.arange(1, target.weight_max + 1)
    off = np.abs(values[:, None] / largest * counts - np.rint(values[:, None] / largest * counts))
    return largest / counts[off.max(0) < _ON_GRID]
