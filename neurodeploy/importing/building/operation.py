"""One ONNX node as a handler sees it: attributes checked, inputs either signals or constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Signal
from neurodeploy.importing.building.integer_grid import Grid
from neurodeploy.importing.limits import MAX_DIMENSION, MAX_RANK

__all__ = ["Operation", "float32"]


def float32(values: np.ndarray, what: str) -> np.ndarray:
    """Weights as float32, or `ModelError` if they are no finite numbers there.

    1. float32, float16, bfloat16 and integers up to 2**24 convert exactly.
    2. float64 is rounded; beyond the range of float32 it is refused, not turned into infinity.
    """
    if values.dtype.kind not in "fiubV" and values.dtype.name != "bfloat16":
        raise ModelError(f"{what} holds {values.dtype}, not numbers")
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.asarray(values, dtype=np.float32)
    if not np.isfinite(result).all():
        bad = int(result.size - np.isfinite(result).sum())
        raise ModelError(
            f"{what} holds {bad} values that are NaN, infinite or beyond float32",
            remedy="training diverged, or the export overflowed: train or export again",
        )
    return result


class Operation:
    """An ONNX node with its inputs resolved.

    Parameters
    ----------
    node
        The node, after clean-up.
    version
        Operator set version.
    signals
        Signal of each activation known so far.
    exclusive
        Whether a value is read by one node only, also through nodes that left no trace.

    Attributes
    ----------
    note : str
        A handler's own reason for the finding, in place of the general one.
    grid : Grid or None
        What the integers stand for that the handler moves as if they were floats (`strip_grid`).
    """

    def __init__(
        self,
        node: ir.Node,
        version: int,
        signals: dict[ir.Value, Signal],
        exclusive: Callable[[ir.Value], bool],
    ) -> None:
        self.node = node
        self.name = node.name or node.op_type
        self.op_type = node.op_type
        self.version = version
        self.note = ""
        self.grid: Grid | None = None
        self._signals = signals
        self._exclusive = exclusive

    def at(self, node: ir.Node) -> Operation:
        """Another node of the same walk."""
        return Operation(node, self.version, self._signals, self._exclusive)

    # Inputs

    @property
    def count(self) -> int:
        """Number of inputs, omitted ones within included."""
        return len(self.node.inputs)

    def value(self, index: int) -> ir.Value | None:
        """ONNX value at an input, None if omitted."""
        return self.node.inputs[index] if index < len(self.node.inputs) else None

    def signal(self, index: int = 0) -> Signal:
        """The activation at an input."""
        value = self.value(index)
        if value is None:
            raise ModelError(f"input {index} is missing")
        if value not in self._signals:
            raise UnsupportedError(
                f"input {index} ({value.name!r}) is a constant where an activation is expected"
            )
        signal = self._signals[value]
        return signal if self.grid is None else replace(signal, grid=None)

    def is_signal(self, index: int) -> bool:
        """Whether an input is an activation."""
        return self.value(index) in self._signals

    def exclusive(self, index: int) -> bool:
        """Whether no other node reads this input."""
        value = self.value(index)
        return value is not None and self._exclusive(value)

    def grids(self) -> set[Grid | None]:
        """Grids of the activations among the inputs."""
        read = (self._signals.get(value) for value in self.node.inputs if value is not None)
        return {signal.grid for signal in read if signal is not None}

    def refuse_grid(self) -> None:
        """Refuse to compute on integers."""
        if any(grid is not None for grid in self.grids()):
            raise UnsupportedError(
                f"{self.op_type} computes on quantised integers, which round and overflow",
                remedy="put DequantizeLinear, or a Cast to float, before it",
            )

    def strip_grid(self) -> None:
        """Show integers as the real values they stand for, to a handler that only moves them."""
        grids = self.grids()
        if len(grids) > 1:
            raise UnsupportedError(
                f"{self.op_type} joins integers of different scales or zero points",
                remedy="quantise its inputs with one scale and zero point",
            )
        self.grid = grids.pop() if grids else None

    def real(self, values: np.ndarray) -> np.ndarray:
        """Constants among the moved elements as the real values that they stand for, too."""
        if self.grid is None:
            return values
        return (values.astype(np.float64) - self.grid.zero_point) * self.grid.scale

    def constant(self, index: int) -> np.ndarray | None:
        """Values of a constant input; None if omitted.

        Raises
        ------
        UnsupportedError
            The input is computed from the network's data.
        """
        value = self.value(index)
        if value is None:
            return None
        if value.const_value is None:
            raise UnsupportedError(
                f"input {index} ({value.name!r}) is not a constant",
                remedy="export with constant weights and static shapes",
            )
        return np.asarray(value.const_value.numpy())

    def weights(self, index: int) -> np.ndarray | None:
        """A constant input as finite float32; None if omitted."""
        values = self.constant(index)
        if values is None:
            return None
        value = self.value(index)
        return float32(values, f"initialiser {value.name if value else index!r}")

    def required(self, index: int) -> np.ndarray:
        """`weights` of an input that must be there."""
        values = self.weights(index)
        if values is None:
            raise ModelError(f"input {index} is missing")
        return values

    def ints_at(self, index: int) -> tuple[int, ...] | None:
        """A constant input as a list of integers (axes, shapes, pads); None if omitted."""
        values = self.constant(index)
        if values is None:
            return None
        if values.dtype.kind not in "iu" or values.size > 4 * MAX_RANK:
            raise ModelError(f"input {index} is not a short list of integers")
        return tuple(int(n) for n in values.reshape(-1))

    # Attributes

    def _attribute(self, name: str, *kinds: ir.AttributeType) -> ir.Attr | None:
        attribute = self.node.attributes.get(name)
        if attribute is None:
            return None
        if attribute.is_ref() or attribute.type not in kinds:
            raise ModelError(f"attribute {name!r} has the wrong type")
        return attribute

    def integer(self, name: str, default: int) -> int:
        """An integer attribute."""
        attribute = self._attribute(name, ir.AttributeType.INT)
        value = default if attribute is None else int(attribute.as_int())
        if abs(value) > MAX_DIMENSION:
            raise ModelError(f"attribute {name!r} is {value}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """An integer attribute that says no or yes; runtimes disagree on other numbers."""
        value = self.integer(name, int(default))
        if value not in (0, 1):
            raise ModelError(f"attribute {name!r} is {value}, neither 0 nor 1")
        return bool(value)

    def number(self, name: str, default: float) -> float:
        """A float attribute, finite."""
        attribute = self._attribute(name, ir.AttributeType.FLOAT)
        value = default if attribute is None else float(attribute.as_float())
        if not np.isfinite(value):
            raise ModelError(f"attribute {name!r} is {value}")
        return value

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """An attribute of several floats, finite; None if it is not given."""
        attribute = self._attribute(name, ir.AttributeType.FLOATS)
        if attribute is None:
            return None
        values = tuple(float(value) for value in attribute.as_floats()[: 4 * MAX_RANK])
        if not np.isfinite(values).all():
            raise ModelError(f"attribute {name!r} is {values}")
        return values

    def text(self, name: str, default: str) -> str:
        """A string attribute."""
        attribute = self._attribute(name, ir.AttributeType.STRING)
        return default if attribute is None else str(attribute.as_string())

    def bounds(self, name: str) -> tuple[int, ...] | None:
        """Where a slice begins or ends; any number beyond every axis means its end."""
        attribute = self._attribute(name, ir.AttributeType.INTS)
        if attribute is None:
            return None
        values = tuple(int(n) for n in attribute.as_ints()[: 4 * MAX_RANK])
        return tuple(max(-MAX_DIMENSION, min(n, MAX_DIMENSION)) for n in values)

    def ints(self, name: str, default: Sequence[int] | None = None) -> tuple[int, ...] | None:
        """An attribute of several integers."""
        attribute = self._attribute(name, ir.AttributeType.INTS)
        if attribute is None:
            return None if default is None else tuple(default)
        values = tuple(int(n) for n in attribute.as_ints())
        if len(values) > 4 * MAX_RANK or any(abs(n) > MAX_DIMENSION for n in values):
            raise ModelError(f"attribute {name!r} is {values[:8]}")
        return values

    def has(self, name: str) -> bool:
        """Whether an attribute is given."""
        return name in self.node.attributes

    def only_first_output(self) -> None:
        """Refuse a node whose second or later result is read."""
        for output in self.node.outputs[1:]:
            if output.uses() or output.is_graph_output():
                raise UnsupportedError(
                    f"its further output {output.name!r} is used",
                    remedy="use the first output only",
                )
