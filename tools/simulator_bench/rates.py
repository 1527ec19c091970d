"""Programs of a chosen activity, made from a compiled one: synthetic, for timing only.

The threshold of each hidden layer is searched, in the order of the layers, until the layer fires
at the wanted mean rate. Where no threshold in reach gives it (too few neurons are ever driven
above zero, say) the nearest is kept and one number is added to all biases of the layer. Weights,
shapes and the order of operations stay as they are; what the network then computes means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import neurodeploy as nd
from neurodeploy.program import INPUT, Decoder, IntegrateFire, Lif, Population, Program
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.program.neurons.lif import BIAS_MANTISSA_MAX, BIAS_MANTISSA_MIN, THRESHOLD_MAX

__all__ = ["hidden_rates", "mean_rate", "with_synthetic_rate"]

#: Relative distance from the wanted rate that ends a search.
TOLERANCE = 0.05
TRIALS = 14
#: Thresholds are lowered so many times at most: neurons that fire at every step are no activity
#: that a network has.
LOWERED = 8
MAX_BIAS = BIAS_MANTISSA_MAX << 7

#: The kinds whose thresholds can be set.
Tunable = Lif | IntegrateFire


def with_synthetic_rate(program: Program, x: np.ndarray, rate: float) -> Program:
    """The program, changed so that each hidden layer's mean rate is near `rate`.

    Parameters
    ----------
    program
        Rate-coded.
    x
        A few samples; the rates are those on them.
    rate
        Spikes a neuron and step, above 0 and below 1.
    """
    for population in program.order:
        if _fires(population):
            program = _tuned(program, population.name, x, rate)
    return program


def hidden_rates(program: Program, spikes: dict[str, np.ndarray]) -> dict[str, float]:
    """Spikes a neuron and step of each layer that fires, from the spikes a sample."""
    return {
        p.name: float(spikes[p.name].mean()) / (p.size * program.period)
        for p in program.populations
        if _fires(p)
    }


def mean_rate(program: Program, spikes: dict[str, np.ndarray]) -> float:
    """Spikes a neuron and step over all layers that fire."""
    rates = hidden_rates(program, spikes)
    sizes = {p.name: p.size for p in program.populations if p.name in rates}
    return sum(rates[name] * sizes[name] for name in rates) / sum(sizes.values())


def _fires(population: Population) -> bool:
    return isinstance(population.neuron, Tunable) and population.neuron.fires


def _tuned(program: Program, name: str, x: np.ndarray, rate: float) -> Program:
    front, compiled = _up_to(program, name), program.population(name).neuron

    def found(neuron: Tunable) -> float:
        trial = _with_neuron(front, name, neuron)
        return hidden_rates(trial, nd.simulate(trial, x).spikes)[name]

    middle, most = _threshold_range(compiled)
    # a rate is about proportional to 1 / threshold
    threshold, gap = _search(
        lambda value: found(_with_threshold(compiled, value)) / rate,
        start=middle,
        bounds=(max(1, middle // LOWERED), most),
        guess=lambda value, ratio: round(value * ratio),
        rising=False,
    )
    neuron = _with_threshold(compiled, threshold)
    if gap > TOLERANCE:
        # one number for all: doubled until it is too much, then halved in between
        first = max(1, round(rate * (middle << compiled.input_shift)))
        added, _ = _search(
            lambda value: found(_with_added_bias(neuron, value)) / rate,
            start=0,
            bounds=(-MAX_BIAS, MAX_BIAS),
            guess=lambda value, ratio: value + max(abs(value), first) * (1 if ratio < 1 else -1),
            rising=True,
        )
        neuron = _with_added_bias(neuron, added)
    return _with_neuron(program, name, neuron)


def _search(
    ratio_of: Callable[[int], float],
    start: int,
    bounds: tuple[int, int],
    guess: Callable[[int, float], int],
    rising: bool,
) -> tuple[int, float]:
    """The value whose ratio to the wanted rate is nearest to 1, and how far that is from 1."""
    low, high = bounds
    value, best = start, (float("inf"), start)
    for _ in range(TRIALS):
        ratio = ratio_of(value)
        best = min(best, (abs(ratio - 1), value))
        if best[0] <= TOLERANCE:
            break
        if (ratio < 1) == rising:
            low = value + 1
        else:
            high = value - 1
        if low > high:
            break
        # beyond the bracket: its end, which decides whether the rate is in reach, or its middle
        value = guess(value, ratio)
        if value < low:
            value = low if low == bounds[0] else (low + high) // 2
        elif value > high:
            value = high if high == bounds[1] else (low + high) // 2
    return best[1], best[0]


def _threshold_range(neuron: Tunable) -> tuple[int, int]:
    """The threshold, or the middle one, and the largest that it may be changed to."""
    if isinstance(neuron, Lif):
        return neuron.threshold, THRESHOLD_MAX
    middle = max(1, int(np.median(neuron.threshold)))
    return middle, MEMBRANE_LIMIT * middle // int(neuron.threshold.max())


def _with_threshold(neuron: Tunable, threshold: int) -> Tunable:
    """A threshold, or thresholds around it as they were; half of it at a window's start."""
    if isinstance(neuron, Lif):
        return replace(neuron, threshold=threshold, v_initial=(threshold << neuron.shift) // 2)
    middle, _ = _threshold_range(neuron)
    each = np.maximum(1, neuron.threshold.astype(np.int64) * threshold // middle).astype(np.int32)
    return replace(neuron, threshold=each, initial=each // 2)


def _with_added_bias(neuron: Tunable, added: int) -> Tunable:
    """Biases in the finest common unit that holds them all; what it does not hold is cut off."""
    bias = neuron.bias.astype(np.int64) + added
    if isinstance(neuron, IntegrateFire):
        cut = np.clip(bias, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        return replace(neuron, bias=cut.astype(np.int32))
    exponent = next(
        (
            e
            for e in range(7)
            if bias.min() >> e >= BIAS_MANTISSA_MIN and bias.max() >> e <= BIAS_MANTISSA_MAX
        ),
        7,
    )
    mantissa = np.clip(bias >> exponent, BIAS_MANTISSA_MIN, BIAS_MANTISSA_MAX).astype(np.int16)
    return replace(neuron, bias_mantissa=mantissa, bias_exponent=exponent)


def _with_neuron(program: Program, name: str, neuron: Tunable) -> Program:
    populations = tuple(
        replace(p, neuron=neuron) if p.name == name else p for p in program.populations
    )
    return replace(program, populations=populations)


def _up_to(program: Program, name: str) -> Program:
    """The part of a program that comes before a population, which becomes its readout."""
    order = [p.name for p in program.order]
    kept = set(order[: order.index(name) + 1])
    return replace(
        program,
        populations=tuple(p for p in program.populations if p.name in kept),
        connections=tuple(
            c
            for c in program.connections
            if c.target in kept and (c.source in kept or c.source == INPUT)
        ),
        decoder=Decoder(name, 1.0),
    )
