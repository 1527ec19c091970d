"""Concat."""

from __future__ import annotations

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.operation import Operation
from neurodeploy.importing.registry import register
from neurodeploy.network import Concat

__all__ = ["concat"]


@register("Concat")
def concat(operation: Operation, net: Builder) -> Signal:
    """``Concat`` of activations along any axis but the batch; constants are refused."""
    signals = [operation.signal(index) for index in range(operation.count)]
    if not signals or not operation.has("axis"):
        raise ModelError("has no inputs or no axis")
    rank = len(signals[0].shape) + 1
    axis = operation.integer("axis", 0)
    if not -rank <= axis < rank:
        raise ModelError(f"axis {axis} does not exist in an input of {rank} axes")
    if axis % rank == 0:
        raise UnsupportedError(
            "joins along the batch axis: samples of a batch do not meet in a spiking network",
            remedy="concatenate along another axis",
        )
    if len(signals) == 1:
        return signals[0]
    return net.add(Concat(net.unique(operation.name), axis=axis % rank - 1), *signals)
