"""Lava processes of the neuron kinds, one file a kind, found by its type. Imports Lava.

A kind without a file here runs as `process.AnyNeuron`, by the step that defines it.
"""

from neurodeploy.lava.neurons import earliest, levels, lif, mask_maximum, online, radix, ttfs
from neurodeploy.lava.neurons.process import AnyNeuron, Window, process_of

__all__ = [
    "AnyNeuron",
    "Window",
    "earliest",
    "levels",
    "lif",
    "mask_maximum",
    "online",
    "process_of",
    "radix",
    "ttfs",
]
