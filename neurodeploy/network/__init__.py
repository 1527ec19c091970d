"""The float Network between ONNX and the Program."""

from neurodeploy.network.network import Network
from neurodeploy.network.nodes import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Linear,
    Node,
    Output,
    Permute,
    Pool,
    Shape,
)
from neurodeploy.network.spiking_layers import SpikingLayer, spiking_network
from neurodeploy.network.spiking_nodes import Delay, Spiking

__all__ = [
    "Activation",
    "Add",
    "Concat",
    "Conv",
    "Delay",
    "Dense",
    "Input",
    "Linear",
    "Network",
    "Node",
    "Output",
    "Permute",
    "Pool",
    "Shape",
    "Spiking",
    "SpikingLayer",
    "spiking_network",
]
