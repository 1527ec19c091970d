"""What steps a neuron kind fast, one file a kind, found by its type.

A kind without a file here is stepped by the NumPy step that defines it (`stepper.StepByStep`).
"""

from neurodeploy.simulator.neurons import (
    count_maximum,
    earliest,
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
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__ = [
    "Block",
    "Setup",
    "Stepper",
    "count_maximum",
    "earliest",
    "integrate_fire",
    "levels",
    "lif",
    "mask_maximum",
    "online",
    "radix",
    "sigma_delta",
    "stepper",
    "ttfs",
    "two_compartments",
]
