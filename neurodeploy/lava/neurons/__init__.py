"""Lava processes of the neuron kinds, one file a kind, found by its type. Imports Lava.

A kind without a file here runs as `process.AnyNeuron`, by the step that defines it.
"""

from neurodeploy.lava.neurons import (
    count_maximum,
    earliest,
    graded_relu,
    integrate_fire,
    levels,
    lif,
    mask_maximum,
    online,
    radix,
    sigma_delta,
    ttfs,
    two_compartments,
)
from neurodeploy.lava.neurons.process import AnyNeuron, Window, process_of, variables_of

__all__ = [
    "AnyNeuron",
    "Window",
    "count_maximum",
    "earliest",
    "graded_relu",
    "integrate_fire",
    "levels",
    "lif",
    "mask_maximum",
    "online",
    "process_of",
    "radix",
    "sigma_delta",
    "ttfs",
    "two_compartments",
    "variables_of",
]
