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
    Spiking,
)

__all__ = [
    "Activation",
    "Add",
    "Concat",
    "Conv",
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
]
