"""The ONNX operators that convert, one family a file; importing this package registers them."""

from neurodeploy.importing.operators import (
    activation,
    arithmetic,
    convolution,
    joining,
    matmul,
    movement,
    normalization,
    passing,
    pooling,
    reduction,
    reshape,
)

__all__ = [
    "activation",
    "arithmetic",
    "convolution",
    "joining",
    "matmul",
    "movement",
    "normalization",
    "passing",
    "pooling",
    "reduction",
    "reshape",
]
