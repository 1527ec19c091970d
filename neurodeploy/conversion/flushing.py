"""Stock neurons kept silent at the end of a sample, so that no spike reaches the next one.

A neuron of microcode is quiet for some steps; a stock neuron fires whenever it is above its
threshold. So a few stock neurons beside it, the flush, fire at exactly these steps, once a window,
and inhibit it by more than any input can excite it. Nothing drives them but their bias: with
``T b <= threshold < (T + 1) b`` a neuron fires T steps into its window.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ConversionError
from neurodeploy.program import Connection, Dense, Lif, Population
from neurodeploy.program.bounds import Interval, neuron_bounds
from neurodeploy.program.neurons.arithmetic import CURRENT_LIMIT
from neurodeploy.program.neurons.lif import BIAS_MANTISSA_MAX, NO_CURRENT_MEMORY, STOCK_SHIFT
from neurodeploy.targets import Target

__all__ = ["FLUSH", "check_before_first", "flush"]

#: How the names of these populations end.
FLUSH = ".flush"
#: The flush's threshold in membrane units: below the register's end by more than a step's bias.
_HIGHEST = 2**22


def flush(
    population: Population,
    synaptic: Interval,
    late: int,
    period: int,
    target: Target,
    name: str,
) -> tuple[Population, Connection]:
    """The neurons, and their synapses onto a population that is to be silent.

    Parameters
    ----------
    synaptic
        Lowest and highest input of one step of the population, without the flush.
    late
        So many steps at a window's end it is to be silent.

    Raises
    ------
    ConversionError
        Its input may be too strong, or its windows are too long for this.
    """
    neuron, steps = population.neuron, period - late
    assert isinstance(neuron, Lif)
    proof = neuron_bounds(neuron, synaptic, period)
    if neuron.du != NO_CURRENT_MEMORY:
        raise ConversionError(
            "its current has a memory, and stock neurons do not keep it silent for certain",
            place=population.name,
            remedy="use --target loihi2",
        )
    assert proof.membrane is not None
    top = proof.membrane[1]
    strength = target.weight_max << target.exponent_max << STOCK_SHIFT
    excess = top - (neuron.threshold << STOCK_SHIFT)
    copies = max(1, -(-excess // strength))
    lowest = (int(synaptic[0].min(initial=0)) << STOCK_SHIFT) - copies * strength
    if lowest <= -CURRENT_LIMIT:
        raise ConversionError(
            "its input may be so strong that stock neurons cannot keep it silent at a sample's end",
            place=population.name,
            remedy="use smaller weights, or --target loihi2",
        )
    level = min(_HIGHEST, steps * BIAS_MANTISSA_MAX) >> STOCK_SHIFT << STOCK_SHIFT
    biases = [level // (steps + k) for k in range(late)]
    fits = all(b > 0 and b * (steps + k + 1) > level for k, b in enumerate(biases))
    if not fits or late > steps:
        raise ConversionError(
            f"samples of {steps} steps are too long, or their delays of {late} steps are, for "
            "stock neurons to keep them apart",
            place=population.name,
            remedy="use fewer --steps, or --target loihi2",
        )
    made = Population(
        name,
        (copies * late,),
        Lif(np.repeat(biases, copies).astype(np.int16), level >> STOCK_SHIFT),
        population.phase - 1,
    )
    weights = np.full((population.size, made.size), -target.weight_max, np.int8)
    return made, Connection(name, population.name, Dense(weights), target.exponent_max)


def check_before_first(populations: list[Population]) -> None:
    """Refuse neurons whose bias alone fires them before the first sample begins.

    Raises
    ------
    ConversionError
    """
    for p in populations:
        if not p.neuron.rests(p.phase - 1):
            raise ConversionError(
                "its bias fires it before the first sample begins, and what it sends then would "
                "return within the sample",
                place=p.name,
                remedy="use --target loihi2, whose neurons can be quiet",
            )
