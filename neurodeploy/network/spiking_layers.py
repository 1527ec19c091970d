"""A spiking Network from arrays, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np

from neurodeploy.errors import ModelError
from neurodeploy.network.network import Network
from neurodeploy.network.nodes import Add, Conv, Dense, Input, Node, Output, Shape
from neurodeploy.network.spiking_nodes import Delay, Spiking

__all__ = ["SpikingLayer", "spiking_network"]

#: Threshold of layers whose rows were divided by their own.
_NEUTRAL = 1.0


@dataclass(frozen=True, eq=False)
class SpikingLayer:
    """Synapses and the neurons behind them.

    At each step ``u <- (1 - current_leak) u + W s + V s'`` and ``v <- (1 - membrane_leak) v + u +
    bias``, with s what the layer before sends at this step, and s' what this one sent
    `recurrent_delay` steps before. It spikes where ``v > threshold``; then `reset`. Arrays of other
    dtypes are taken as float32.

    Attributes
    ----------
    weight
        W: float32 (neurons, inputs), which reads the layer before flattened in C order; or a
        convolution's float32 (out channels, in channels / groups, height, width).
    bias
        Added to v at each step: float32, one number, (neurons,), or (out channels,).
    recurrent
        V: float32 (neurons, neurons), or None.
    current_leak, membrane_leak
        Shares that are lost in a step: 1 forgets everything, 0 nothing. float32, one number, or
        (neurons,).
    threshold
        In the units of v: float32, one number above 0, (neurons,), or (out channels,). Neurons
        that forget everything may have any.
    reset
        ``zero``, ``subtract`` the threshold, or ``none``: an integrator that never spikes, for the
        last layer; its membrane is read.
    initial
        v before a sample's first step.
    inclusive
        Whether it spikes at the threshold, too: ``v >= threshold``.
    delay
        Steps that spikes take to this layer besides those of the layer order.
    recurrent_delay
        Steps that spikes take to the layer itself, at least 1.
    stride, padding, dilation
        Of a convolution, in pixels; padding on all four sides alike.
    groups
        Number of groups of a convolution's channels.
    name
        Of the population; default: its number.

    References
    ----------
    Davies et al. 2018, "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro
    38(1), p. 82 (a current and a membrane that leak, in discrete time).
    """

    weight: np.ndarray
    bias: float | np.ndarray = 0.0
    recurrent: np.ndarray | None = None
    current_leak: float | np.ndarray = 1.0
    membrane_leak: float | np.ndarray = 0.0
    threshold: float | np.ndarray = 1.0
    reset: Literal["zero", "subtract", "none"] = "zero"
    initial: float = 0.0
    inclusive: bool = False
    delay: int = 0
    recurrent_delay: int = 1
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    name: str = ""


def spiking_network(shape: Shape | int, layers: Sequence[SpikingLayer]) -> Network:
    """The Network of layers in a row, for ``nd.compile(network, scheme="direct", steps=...)``.

    Parameters
    ----------
    shape
        Of the input at one step, without the time axis.
    layers
        One after the other, the first at the input.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        Arrays that do not fit, with the layer's name.

    Examples
    --------
    >>> network = spiking_network(2, [
    ...     SpikingLayer(np.eye(2), recurrent=-np.eye(2), membrane_leak=0.1),
    ...     SpikingLayer(np.ones((1, 2)), reset="none"),
    ... ])
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if not layers:
        raise ModelError("a network without layers", place="layers")
    nodes: list[Node] = [Input("input", shape=shape)]
    inputs: dict[str, tuple[str, ...]] = {}
    last = "input"
    for k, layer in enumerate(layers):
        name = layer.name or f"layer{k + 1}"
        try:
            shape = _append(layer, name, last, shape, nodes, inputs)
        except ModelError as error:
            raise ModelError(error.message, place=name, remedy=error.remedy) from None
        last = f"{name}.neuron"
    nodes.append(Output("output"))
    inputs["output"] = (last,)
    return Network(nodes, inputs)


def _append(
    layer: SpikingLayer,
    name: str,
    last: str,
    shape: Shape,
    nodes: list[Node],
    inputs: dict[str, tuple[str, ...]],
) -> Shape:
    """Add a layer's nodes; the shape of what it sends."""

    def add(node: Node, *sources: str) -> str:
        nodes.append(node)
        inputs[node.name] = sources
        return node.name

    weight = _array(layer.weight, "weight")
    if weight.ndim not in (2, 4):
        raise ModelError(f"weight {weight.shape} is neither a matrix nor a convolution")
    made = _synapses(layer, name, weight)
    result = made.output_shape([shape])
    forgets = bool(np.all(np.asarray(layer.membrane_leak) == 1)) and bool(
        np.all(np.asarray(layer.current_leak) == 1)
    )
    bias = _each(layer.bias, "bias", result)
    rows, bias, threshold = _thresholds(layer, weight, bias, result, forgets)
    if rows is not None:
        along = rows.reshape(len(weight), -1)[:, 0].reshape(-1, *(1,) * (weight.ndim - 1))
        made = _synapses(layer, name, weight * along)
    source = last
    if layer.delay:
        source = add(Delay(f"{name}.delay", shape=shape, steps=layer.delay), source)
    if layer.recurrent is not None:
        made = replace(made, name=f"{name}.forward")
    drive = add(made, source)
    neuron = f"{name}.neuron"
    if layer.recurrent is not None:
        if layer.reset == "none":
            raise ModelError("an integrator sends nothing: it cannot be recurrent")
        back = _array(layer.recurrent, "recurrent")
        size = prod(result)
        if back.shape != (size, size):
            raise ModelError(f"recurrent {back.shape} is not {(size, size)}")
        if rows is not None:
            back = back * rows.reshape(-1, 1)
        if len(result) > 1:
            raise ModelError("a convolution with recurrent weights", remedy="give a matrix")
        late = add(Delay(f"{name}.before", shape=result, steps=layer.recurrent_delay), neuron)
        zeros = np.zeros(size, np.float32)
        loop = add(Dense(f"{name}.recurrent", back.astype(np.float32), zeros), late)
        drive = add(Add(name), drive, loop)
    add(
        Spiking(
            neuron,
            current_leak=_leak(layer.current_leak, "current_leak", result),
            membrane_leak=_leak(layer.membrane_leak, "membrane_leak", result),
            threshold=threshold,
            reset=layer.reset,
            bias=bias if bias.any() else 0.0,
            initial=float(layer.initial),
            inclusive=bool(layer.inclusive),
        ),
        drive,
    )
    return result


def _synapses(layer: SpikingLayer, name: str, weight: np.ndarray) -> Dense | Conv:
    zeros = np.zeros(len(weight), np.float32)
    weight = weight.astype(np.float32)
    if weight.ndim == 2:
        return Dense(name, weight, zeros)
    return Conv(
        name, weight, zeros, (layer.stride,) * 2, (layer.padding,) * 4, (layer.dilation,) * 2,
        layer.groups,
    )  # fmt: skip


def _thresholds(
    layer: SpikingLayer, weight: np.ndarray, bias: np.ndarray, result: Shape, forgets: bool
) -> tuple[np.ndarray | None, np.ndarray, float]:
    """Factors on the rows (None: 1), the bias, and the one threshold of the layer.

    1. One threshold above 0: as it is.
    2. Neurons that forget everything: what differs, and what is not above 0, goes into the bias.
    3. Others: rows and biases are divided by their own threshold.
    """
    threshold = _each(layer.threshold, "threshold", result)
    if layer.reset == "none":
        return None, bias, _NEUTRAL
    first = float(threshold.flat[0])
    if np.all(threshold == first) and first > 0:
        return None, bias, first
    if forgets:
        common = max(float(threshold.max()), float(np.abs(weight).max(initial=0)) or _NEUTRAL)
        return None, bias + (common - threshold), common
    if not np.all(threshold > 0):
        raise ModelError(f"threshold {threshold.min():g} is not above 0")
    if layer.initial:
        raise ModelError("an initial membrane, and thresholds that differ")
    flat = threshold.reshape(len(weight), -1)
    if not np.all(flat == flat[:, :1]):
        raise ModelError("thresholds differ within a channel")
    return 1 / threshold, bias / threshold, _NEUTRAL


def _array(value: np.ndarray, what: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ModelError(f"{what} {array.dtype} {array.shape} is not finite numbers")
    return array.astype(np.float64)


def _each(value: float | np.ndarray, what: str, result: Shape) -> np.ndarray:
    """float64 of the layer's shape: from one number, one a channel, or one a neuron."""
    array = _array(np.asarray(value), what)
    if array.shape == result[:1]:
        array = array.reshape(-1, *(1,) * (len(result) - 1))
    if array.ndim and array.size not in (1, result[0]) and array.shape != result:
        raise ModelError(f"{what} {array.shape} does not fit neurons {result}")
    return np.array(np.broadcast_to(array, result))


def _leak(value: float | np.ndarray, what: str, result: Shape) -> float | np.ndarray:
    every = _each(value, what, result)
    first = float(every.flat[0])
    return first if np.all(every == first) else every
