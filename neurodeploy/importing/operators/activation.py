"""Relu."""

from __future__ import annotations

from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.registry import register
from neurodeploy.network import Activation

__all__ = ["relu"]


@register("Relu")
def relu(operation: Operation, net: Builder) -> Signal:
    """``Relu``."""
    return net.add(Activation(net.unique(operation.name)), operation.signal())
