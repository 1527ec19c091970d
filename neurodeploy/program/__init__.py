"""The Program, the artefact that everything downstream of the compiler reads."""

from neurodeploy.program.codec import Decoder, Encoder, Encoding, Preprocessing
from neurodeploy.program.neuron import Lif
from neurodeploy.program.program import INPUT, Connection, Population, Program
from neurodeploy.program.synapse import Convolution, Dense, Sparse, Synapses

__all__ = [
    "INPUT",
    "Connection",
    "Convolution",
    "Decoder",
    "Dense",
    "Encoder",
    "Encoding",
    "Lif",
    "Population",
    "Preprocessing",
    "Program",
    "Sparse",
    "Synapses",
]
