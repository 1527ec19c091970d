"""Random ReLU networks for the conversion tests (not a test itself)."""

from __future__ import annotations

import numpy as np

from neurodeploy.network import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    Input,
    Network,
    Output,
    Permute,
    Pool,
)


def normal(rng, *shape):
    fan_in = max(1, int(np.prod(shape[1:])))
    return (rng.standard_normal(shape) / np.sqrt(fan_in) * 1.4).astype(np.float32)


def random_network(rng, *, max_pooling=True) -> Network:
    """Convolutions with padding and stride, batch norm on either side of ReLU (scales of both
    signs), average and max pooling, residual additions, concatenations, a dense head."""
    channels = int(rng.integers(1, 4))
    side = int(rng.integers(8, 12))
    nodes = [Input("x", (channels, side, side))]
    inputs: dict[str, tuple[str, ...]] = {}
    shapes = {"x": (channels, side, side)}

    def add(node, *sources):
        nodes.append(node)
        inputs[node.name] = sources
        shapes[node.name] = node.output_shape([shapes[s] for s in sources])
        return node.name

    def conv(name, source, outputs, stride=1):
        weight = normal(rng, outputs, shapes[source][0], 3, 3)
        bias = (rng.standard_normal(outputs) * 0.2).astype(np.float32)
        return add(Conv(name, weight, bias, (stride,) * 2, (1,) * 4), source)

    def affine(name, source):
        count = shapes[source][0]
        scale = (rng.standard_normal((count, 1, 1, 1)) * 0.5 + 1).astype(np.float32)
        shift = (rng.standard_normal(count) * 0.2).astype(np.float32)
        return add(Conv(name, scale, shift, groups=count), source)

    last = "x"
    for i in range(int(rng.integers(1, 4))):
        before, outputs = last, int(rng.integers(2, 6))
        last = conv(f"conv{i}", last, outputs, int(rng.integers(1, 3)) if side > 8 else 1)
        if rng.random() < 0.4:
            last = affine(f"bn{i}", last)
        style = rng.random()
        if style < 0.3:  # residual: the other branch is shorter
            skip = before
            if shapes[before] != shapes[last]:
                weight = normal(rng, outputs, shapes[before][0], 1, 1)
                ratio = -(-shapes[before][1] // shapes[last][1])
                zero = np.zeros(outputs, np.float32)
                skip = add(Conv(f"skip{i}", weight, zero, (ratio,) * 2), before)
            if shapes[skip] == shapes[last]:
                inner = add(Activation(f"inner{i}"), last)
                last = conv(f"second{i}", inner, outputs)
                last = add(Add(f"add{i}"), last, skip)
        last = add(Activation(f"relu{i}", maximum=2.0 if rng.random() < 0.2 else None), last)
        if style > 0.8:  # concatenation of an activation and a layer on it
            more = add(Activation(f"relu_more{i}"), conv(f"more{i}", last, 2))
            last = add(Concat(f"concat{i}"), last, more)
        if rng.random() < 0.3:
            last = affine(f"after{i}", last)
        elif rng.random() < 0.5 and shapes[last][1] >= 4:
            kind = "max" if max_pooling and rng.random() < 0.5 else "average"
            last = add(Pool(f"pool{i}", kind), last)
    size = int(np.prod(shapes[last]))
    last = add(Permute("flat", (size,)), last)
    if rng.random() < 0.5:
        weight = normal(rng, 6, size)
        last = add(Dense("hidden", weight, np.zeros(6, np.float32)), last)
        last = add(Activation("relu_hidden"), last)
        size = 6
    last = add(Dense("head", normal(rng, 4, size), np.zeros(4, np.float32)), last)
    add(Output("output"), last)
    return Network(nodes, inputs)
