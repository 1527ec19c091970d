"""What a network's output is, told from the network itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from neurodeploy.metrics.task import Task, from_shape
from neurodeploy.network import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Network,
    Node,
    Permute,
    Pool,
)

__all__ = ["infer_task"]

_REBUILT = "the output has the input's own shape: it is rebuilt"


def infer_task(
    network: Network,
    decoder: Sequence[str] = (),
    class_axis: int | None = None,
    output_range: tuple[float, float] | None = None,
) -> Task:
    """The task of a network, from its end.

    1. A removed Softmax, LogSoftmax, Hardmax or ArgMax: classes lie along its axis; a vector is a
       classification, a map a segmentation.
    2. A removed Sigmoid, or a clip to 0..1 (HardSigmoid): one output is binary, several are
       multilabel, a map of one channel is a segmentation of two classes.
    3. An output of the input's own shape rebuilds the input (autoencoder, denoiser): regression.
       A vector, and anything behind 2., only if a layer between is smaller than both.
    4. One number, in all or for each pixel, that never changes its sign on the calibration
       samples, or comes out of a ReLU: regression.
    5. Else one output is binary, several are classes, and maps are classes along the channels of
       the layer that made them.

    Parameters
    ----------
    decoder
        Operators that were removed behind the network's output, in order.
    class_axis
        Of the first of these that has one, in the output without its batch axis.
    output_range
        Lowest and highest output on calibration samples; None without any.
    """
    shape = network.shapes[network.output.name]
    task = from_shape(shape, decoder)
    made = _class_axis(network)
    axis = made if class_axis is None else class_axis
    task = replace(task, axis=axis, sure=axis is not None)
    chosen = [name for name in decoder if name.endswith(("max", "Max"))]
    if task.size == 1:
        return _one(network, task, output_range)
    along = "" if axis is None else f" along axis {axis} of the output {shape}"
    if chosen:
        if task.is_vector and (axis is None or shape[axis] == task.size):
            return task.become("classification", f"a final {chosen[0]} over {task.size} outputs")
        return task.become("segmentation", f"a final {chosen[0]}{along}", axis or 0)
    per_element = axis is not None and shape[axis] == 1  # one channel: a logit each
    clip = _last(network)
    unit = isinstance(clip, Activation) and clip.function == "relu" and clip.maximum == 1
    if unit:
        task = replace(task, threshold=0.5)
    if unit or any(name.endswith("Sigmoid") for name in decoder):
        what = "a final clip to 0..1" if unit else "a final Sigmoid"
        if _rebuilds(network, narrow=True):
            return task.become("regression", _REBUILT)
        if per_element:
            return task.become("segmentation", f"{what} on one output for each pixel or step")
        return task.become("multilabel", f"{what} on {task.size} outputs")
    if _rebuilds(network, narrow=task.is_vector):
        return task.become("regression", _REBUILT)
    if per_element:
        why = _one_sided(network, output_range)
        if why:
            return task.become("regression", f"one output for each pixel or step, {why}")
        return task.become("segmentation", "one output for each pixel or step")
    if task.is_vector:
        return task
    if axis is None:
        return task.become(
            "segmentation", "classes for each pixel or step, taken to lie along the first axis", 0
        )
    return task.become("segmentation", f"classes for each pixel or step,{along}")


def _one(network: Network, task: Task, output_range: tuple[float, float] | None) -> Task:
    """One output in all."""
    clip = _last(network)
    if isinstance(clip, Activation) and clip.function == "relu" and clip.maximum == 1:
        return replace(task, threshold=0.5, reason="a final clip to 0..1")
    why = "" if task.link else _one_sided(network, output_range)
    if "Tanh" in task.link:
        return replace(task, reason="one output, a final Tanh")
    return task.become("regression", f"one output, {why}") if why else task


def _one_sided(network: Network, output_range: tuple[float, float] | None) -> str:
    """Why a number cannot be a logit; empty where it may be."""
    last = _last(network)
    if isinstance(last, Activation) and last.function == "relu":
        return "a final ReLU: never negative"
    if output_range is not None and (output_range[0] > 0 or output_range[1] < 0):
        low, high = output_range
        return f"which stays within {low:.4g}..{high:.4g} on the calibration samples"
    return ""


def _last(network: Network) -> Node:
    """What made the output, seen through moves."""
    (name,) = network.inputs_of(network.output.name)
    while isinstance(network[name], Permute):
        (name,) = network.inputs_of(name)
    return network[name]


def _rebuilds(network: Network, narrow: bool) -> bool:
    """Whether the output has the input's shape; with `narrow` also a layer smaller than both."""
    shape = network.shapes[network.output.name]
    if shape != network.shapes[network.input.name] or prod(shape) < 2:
        return False
    return not narrow or any(prod(of) < prod(shape) for of in network.shapes.values())


def _class_axis(network: Network) -> int | None:
    """Axis of the output along which the channels of the layer that made it lie, if one does."""
    chain: list[Node] = []
    (name,) = network.inputs_of(network.output.name)
    while isinstance(network[name], Activation | Add | Permute | Pool):
        chain.append(network[name])
        name = network.inputs_of(name)[0]
    node, shape = network[name], network.shapes[name]
    if not isinstance(node, Conv | Concat | Input | Dense) or not shape:
        return None
    if isinstance(node, Concat) and node.axis != 0:
        return None
    # the channel of each element, followed to the output
    channel = np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1))
    channel = np.broadcast_to(channel, shape)
    for node in reversed(chain):
        shape = network.shapes[node.name]
        if isinstance(node, Pool):
            channel = channel[(slice(None), *[slice(0, 1)] * (len(shape) - 1))]
            channel = np.broadcast_to(channel, shape)
        elif isinstance(node, Permute):
            flat = channel.reshape(-1)
            if node.indices is not None:
                flat = np.where(node.indices < 0, -1, flat[node.indices])
            channel = flat.reshape(shape)
    for axis in range(channel.ndim):
        line = np.moveaxis(channel, axis, -1)
        one = line.reshape(-1, line.shape[-1])[0]
        if len(set(one.tolist())) == len(one) and bool((line == one).all()):
            return axis
    return None
