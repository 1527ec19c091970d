"""What steps a neuron kind fast, one file a kind, found by its type.

A kind without a file here is stepped by the NumPy step that defines it (`stepper.StepByStep`).
"""

from neurodeploy.simulator.neurons import earliest, levels, lif, mask_maximum, online, radix, ttfs
from neurodeploy.simulator.neurons.stepper import Block, Setup, Stepper, stepper

__all__ = [
    "Block",
    "Setup",
    "Stepper",
    "earliest",
    "levels",
    "lif",
    "mask_maximum",
    "online",
    "radix",
    "stepper",
    "ttfs",
]
