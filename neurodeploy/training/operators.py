"""Operators of the domain `ai.neurodeploy` in torch's ONNX exporter.

The importer reads them (`neurodeploy.importing.operators.spiking`). No runtime computes them: the
graph is one time step of a network, whose neurons remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["operator"]


def operator(name: str, x: Tensor, attributes: Mapping[str, Any]) -> Tensor:
    """One node of that name that reads x; its result has x's shape and type."""
    made: Tensor = torch.onnx.ops.symbolic(
        f"ai.neurodeploy::{name}", (x,), dict(attributes), dtype=x.dtype, shape=x.shape, version=1
    )
    return made
