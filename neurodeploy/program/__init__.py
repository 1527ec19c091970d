"""The Program, the artefact that everything downstream of the compiler reads."""

from neurodeploy.program.codec import Decoder, Encoder, Encoding, Preprocessing
from neurodeploy.program.neurons import (
    CountMaximum,
    Earliest,
    GradedRelu,
    IntegrateFire,
    Levels,
    Lif,
    MaskMaximum,
    Neuron,
    Online,
    Radix,
    SigmaDelta,
    Ttfs,
    TwoCompartments,
)
from neurodeploy.program.program import INPUT, Connection, Population, Program
from neurodeploy.program.synapse import Convolution, Dense, Sparse, Synapses

__all__ = [
    "INPUT",
    "Connection",
    "Convolution",
    "CountMaximum",
    "Decoder",
    "Dense",
    "Earliest",
    "Encoder",
    "Encoding",
    "GradedRelu",
    "IntegrateFire",
    "Levels",
    "Lif",
    "MaskMaximum",
    "Neuron",
    "Online",
    "Population",
    "Preprocessing",
    "Program",
    "Radix",
    "SigmaDelta",
    "Sparse",
    "Synapses",
    "Ttfs",
    "TwoCompartments",
]
