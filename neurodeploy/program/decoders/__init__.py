"""Decodings, by what they read. To add one, copy a class of `membrane.py`."""

from neurodeploy.program.decoders.base import (
    Decoding,
    decoding_named,
    decodings,
    register_decoding,
)
from neurodeploy.program.decoders.membrane import (
    EveryStep,
    LargestMembrane,
    LastMembrane,
    MeanMembrane,
)
from neurodeploy.program.decoders.spikes import FirstSpikeTime, SpikeCount

__all__ = [
    "Decoding",
    "EveryStep",
    "FirstSpikeTime",
    "LargestMembrane",
    "LastMembrane",
    "MeanMembrane",
    "SpikeCount",
    "decoding_named",
    "decodings",
    "register_decoding",
]
