"""Convolutions that pick one cell of each window, channel by channel, and what reads them."""

from __future__ import annotations

import numpy as np

from neurodeploy.network.nodes import Conv, Node, Shape

__all__ = ["picked_place", "through_pick"]


def picked_place(node: Node) -> Shape | None:
    """The one cell of the kernel with a weight, the same in all channels; None if there is none.

    Counted from where the kernel begins, before the padding.
    """
    if not isinstance(node, Conv) or node.weight.shape[1] != 1 or node.groups != len(node.weight):
        return None
    places = np.argwhere(node.weight[:, 0].any(0))
    return tuple(int(n) for n in places[0]) if len(places) == 1 else None


def through_pick(first: Conv, second: Conv, shape: Shape) -> Conv | None:
    """``second(first(x))`` as one convolution, where `first` picks cells (biases are left out).

    1. The second's kernel, spread by the first's stride. None where that would begin inside the
       map, or where the second's zero padding would read cells of the map.

    Parameters
    ----------
    shape
        Of x.
    """
    place = picked_place(first)
    if place is None:
        return None
    rank = len(place)
    middle = first.output_shape([shape])
    begins, ends, dilation = [], [], []
    for axis in range(rank):
        step, size = first.stride[axis], shape[1 + axis]
        offset = place[axis] * first.dilation[axis] - first.padding[axis]
        before, after = second.padding[axis], second.padding[rank + axis]
        begin = before * step - offset
        if begin < 0 or (before and offset - step >= 0):
            return None
        if after and middle[1 + axis] * step + offset < size:
            return None
        count = second.output_shape([middle])[1 + axis]
        stride, spread = second.stride[axis] * step, second.dilation[axis] * step
        reach = (second.kernel[axis] - 1) * spread + 1
        end = (count - 1) * stride + reach - size - begin
        if end <= -stride:  # the map goes on behind the last window: there would be one more
            return None
        begins.append(begin)
        ends.append(max(end, 0))
        dilation.append(spread)
    scale = first.weight.astype(np.float64).sum(tuple(range(1, 2 + rank)))  # of one weight each
    out, inputs = second.weight.shape[:2]
    split = np.repeat(scale.reshape(second.groups, inputs), out // second.groups, axis=0)
    weight = second.weight * split.reshape((out, inputs) + (1,) * rank)
    return Conv(
        second.name,
        weight.astype(np.float32),
        second.bias,
        tuple(second.stride[a] * first.stride[a] for a in range(rank)),
        (*begins, *ends),
        tuple(dilation),
        second.groups,
    )
