"""Which function imports which ONNX operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from neurodeploy.importing.building.builder import Builder, Signal
    from neurodeploy.importing.building.operation import Operation

__all__ = ["HANDLERS", "Handler", "register"]

#: Adds Network nodes for one ONNX node and returns its result, or its results.
Handler: TypeAlias = "Callable[[Operation, Builder], Signal | Sequence[Signal]]"

#: Lets a decorated function keep its own type.
AnyHandler = TypeVar("AnyHandler", bound="Handler")

HANDLERS: dict[str, Handler] = {}

#: What a handler does with integers that stand for real values (`Signal.grid`).
Integers: TypeAlias = Literal["refuses", "moves", "reads"]


def register(*op_types: str, integers: Integers = "refuses") -> Callable[[AnyHandler], AnyHandler]:
    """Import the named operators with the decorated function.

    Parameters
    ----------
    op_types
        Names; those of another domain than ONNX's own as ``domain::name``.
    integers
        ``refuses``: knows floats only. ``moves``: only rearranges elements or takes the largest,
        so that it does to integers what it does to the real values they stand for; all of one
        grid, which its results inherit. ``reads``: looks at `Signal.grid` itself.
    """

    def add(handler: AnyHandler) -> AnyHandler:
        for op_type in op_types:
            if op_type in HANDLERS:
                raise ValueError(f"two handlers for {op_type}")
            HANDLERS[op_type] = _guarded(handler, integers)
        return handler

    return add


def _guarded(handler: Handler, integers: Integers) -> Handler:
    if integers == "reads":
        return handler

    @wraps(handler)
    def guarded(operation: Operation, net: Builder) -> Signal | Sequence[Signal]:
        if integers == "refuses":
            operation.refuse_grid()
            return handler(operation, net)
        operation.strip_grid()
        results = handler(operation, net)
        if operation.grid is None:
            return results
        if isinstance(results, Sequence):
            return [replace(result, grid=operation.grid) for result in results]
        return replace(results, grid=operation.grid)

    return guarded
