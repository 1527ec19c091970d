"""Which function imports which ONNX operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from neurodeploy.importing.builder import Builder, Signal
    from neurodeploy.importing.operation import Operation

__all__ = ["HANDLERS", "Handler", "register"]

#: Adds Network nodes for one ONNX node and returns its result, or its results.
Handler: TypeAlias = "Callable[[Operation, Builder], Signal | Sequence[Signal]]"

HANDLERS: dict[str, Handler] = {}


def register(*op_types: str) -> Callable[[Handler], Handler]:
    """Import the named operators (of ONNX's own domain) with the decorated function."""

    def add(handler: Handler) -> Handler:
        for op_type in op_types:
            if op_type in HANDLERS:
                raise ValueError(f"two handlers for {op_type}")
            HANDLERS[op_type] = handler
        return handler

    return add
