"""Which ONNX models have spiking neurons (operators of `ai.neurodeploy`), told before reading."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir

__all__ = ["DOMAIN", "is_spiking_onnx"]

#: Of our operators for neurons.
DOMAIN = "ai.neurodeploy"


def is_spiking_onnx(model: Any) -> bool:
    """Whether an ONNX model names the domain of our spiking operators.

    A file is searched for the name, not parsed; one that cannot be read is told by whoever opens
    it.
    """
    if isinstance(model, onnx.ModelProto):
        return any(opset.domain == DOMAIN for opset in model.opset_import)
    if isinstance(model, ir.Model):
        return DOMAIN in model.opset_imports
    if isinstance(model, str | os.PathLike):
        try:
            model = Path(os.fsdecode(model)).read_bytes()
        except (OSError, ValueError):
            return False
    if not isinstance(model, bytes | bytearray | memoryview):
        return False
    return DOMAIN.encode() in bytes(model)
