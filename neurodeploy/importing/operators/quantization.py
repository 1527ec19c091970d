"""QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from neurodeploy.errors import NeuroDeployError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.integer_grid import Grid
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.constants.quantizers import on_constants
from neurodeploy.importing.quantized.float_operator import real_signal
from neurodeploy.importing.quantized.scales import output_dtype, read_grid
from neurodeploy.importing.registry import register
from neurodeploy.network import Activation

__all__ = ["dequantize_linear", "quantize_linear", "requantise"]

_PER_TENSOR = "quantise activations per tensor"


def _refuse_constant(operation: Operation) -> NoReturn:
    on_constants(operation)  # says what is wrong with it
    raise UnsupportedError(
        "its constant is too large to be computed here, or is the output of the graph",
        remedy="store it in the type that it has behind this node",
    )


def _no_blocks(operation: Operation) -> None:
    if operation.integer("block_size", 0):
        raise UnsupportedError("quantises an activation in blocks", remedy=_PER_TENSOR)


@register("QuantizeLinear")
def quantize_linear(operation: Operation, net: Builder) -> Signal:
    """``QuantizeLinear``: a ReLU with an upper end where its integers begin at 0, else its input.

    Refused: scales by axis or block, or not constant; types other than (u)int8 and (u)int16.
    """
    if not operation.is_signal(0):
        _refuse_constant(operation)
    x = operation.signal(0)
    _no_blocks(operation)
    grid = read_grid(operation, 1, 2, output_dtype(operation))
    result, operation.note = requantise(
        net, operation.name, x, grid, operation.exclusive(0), _before_relu(operation, grid)
    )
    return result


def requantise(
    net: Builder, name: str, x: Signal, grid: Grid, alone: bool, before_relu: bool = False
) -> tuple[Signal, str]:
    """What a quantiser does to an activation, but for rounding to its grid.

    1. A ReLU before it, read by nothing else, ends where the grid ends.
    2. Values that are known to lie within the grid, or never below 0, and the network's input:
       nothing.
    3. Where the grid starts at 0 it cuts off what is negative: a ReLU up to the grid's end. So it
       is where only ReLUs read the grid.
    4. A grid of both signs: nothing. What leaves it is not cut off.
    5. Refused: a grid that ends at 0 where only what is positive counts.

    Parameters
    ----------
    name
        Of the node that may be added.
    alone
        Whether nothing else reads `x`.
    before_relu
        Whether all that follows are ReLUs.

    Returns
    -------
    Signal
        The real values on the grid.
    str
        What was done, for the finding.
    """
    low, high = net.range_of(x)
    node = net[x.name]
    quantised = replace(x, grid=grid)
    if (low >= 0 or before_relu) and grid.highest <= 0:
        raise UnsupportedError(
            f"quantises to {grid}, which leaves nothing of positive values",
            remedy="quantise the model again, with calibration samples like its real inputs",
        )
    alone = alone and not net.is_reused(x)
    if isinstance(node, Activation) and alone and grid.highest < high and node.levels is None:
        net.exchange(replace(node, maximum=grid.highest))
        return quantised, f"its range, {grid}, ends the ReLU {x.name!r} at {grid.highest:.6g}"
    if low >= grid.lowest and high <= grid.highest:
        return quantised, f"its range, {grid}, holds all values that can come"
    if net.is_raw(x):
        return quantised, f"samples are taken as they are; the quantiser expects {grid}"
    beyond = f"values beyond {grid.highest:.6g} are not cut off"
    if low >= 0:
        return quantised, f"its range, {grid}, is not modelled for what is never negative: {beyond}"
    if grid.zero_point == grid.low or before_relu:
        relu = net.end(name, x, grid.highest)
        return replace(
            relu, grid=grid
        ), f"a ReLU that ends at {grid.highest:.6g}: its range is {grid}"
    return quantised, f"its range, {grid}, is not modelled: values beyond it are not cut off"


def _before_relu(operation: Operation, grid: Grid) -> bool:
    """Whether all that read this quantiser are ReLUs, each behind its DequantizeLinear."""
    output = operation.node.outputs[0]
    readers = [use.node for use in output.uses()]
    if not readers or output.is_graph_output():
        return False
    for reader in readers:
        if reader.op_type != "DequantizeLinear" or reader.domain != operation.node.domain:
            return False
        behind = reader.outputs[0]
        followers = [use.node for use in behind.uses()]
        if not followers or behind.is_graph_output():
            return False
        if any(node.op_type != "Relu" or node.domain for node in followers):
            return False
        try:
            if read_grid(operation.at(reader), 1, 2) != grid:
                return False
        except NeuroDeployError:
            return False  # its own finding says so
    return True


@register("DequantizeLinear", integers="reads")
def dequantize_linear(operation: Operation, net: Builder) -> Signal:
    """``DequantizeLinear``: the real values that integers stand for.

    1. With the scale and zero point of the quantiser before it: nothing.
    2. With others, or of integer samples: scaled and shifted.
    3. Constants were dequantised by clean-up; one that is left is malformed.
    """
    if not operation.is_signal(0):
        _refuse_constant(operation)
    x = operation.signal(0)
    _no_blocks(operation)
    made = None if x.grid is None else x.grid.dtype
    grid = read_grid(operation, 1, 2, made)
    result = real_signal(operation, net, 0, grid)
    if result.name == x.name:
        operation.note = f"integers stand for {grid}"
    return result
