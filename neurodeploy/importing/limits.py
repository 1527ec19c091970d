"""How large a file may claim to be: far beyond a spiking chip, far below what hurts."""

from __future__ import annotations

__all__ = [
    "MAX_ACTIVATION",
    "MAX_DIAGONAL",
    "MAX_DIMENSION",
    "MAX_FILE",
    "MAX_FOLDED",
    "MAX_MOVED",
    "MAX_NODES",
    "MAX_PARAMETERS",
    "MAX_RANK",
    "MAX_WORK",
]

#: Weights of a model, inline and external together: VGG-19 has 143,667,240, the most that networks
#: of this kind have. A chip of 128 cores holds about 2**24.
MAX_PARAMETERS = 160_000_000
#: Bytes of the ONNX file: as many parameters in float64, and their graph. (Protobuf ends at 2 GiB.)
MAX_FILE = 8 * MAX_PARAMETERS + 2**24
#: Elements that constant folding may produce, all nodes together.
MAX_FOLDED = 2**26
#: Multiplications for constants, all nodes together: a few seconds.
MAX_WORK = 2**34
#: Elements of one activation (a 224 x 224 x 64 map has 2**21.6).
MAX_ACTIVATION = 2**24
#: Any one dimension, stride, padding or other integer attribute.
MAX_DIMENSION = 2**31 - 1
#: Nodes after all functions are written out.
MAX_NODES = 20_000
#: Axes of a tensor.
MAX_RANK = 8
#: Elements that all moves together (transposes, slices, pads, ...) may read and write.
MAX_MOVED = 2**26
#: Rows of a diagonal matrix kept as a dense one; longer ones become depthwise convolutions.
MAX_DIAGONAL = 1024
