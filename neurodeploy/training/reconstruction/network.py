"""The trained network as a `Network` that spikes: units of one leak are a layer, branches are blocks.

The readout sees the hidden units a step later, through a delay: the window has a step more than the
sequence has, in which no unit may spike, so that nothing of a sample reaches the next.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import lcm

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.network import Add, Delay, Dense, Input, Network, Node, Output, Spiking
from neurodeploy.training.reconstruction.branches import Branches, Layer
from neurodeploy.training.reconstruction.column_generation import Reading

__all__ = ["network_from", "window_of"]

#: Largest integer weight of eight bits.
_WEIGHT_MAX = 127
#: Coefficients below this are none.
_NONE = 1e-9

#: Layer, branch and unit within the branch.
Unit = tuple[int, int, int]


def window_of(steps: int) -> int:
    """Steps of a window for sequences of so many: one more, in which the last spikes are read."""
    return steps + 1


def network_from(
    branches: Branches,
    coefficients: np.ndarray,
    intercept: np.ndarray,
    reading: Reading,
    steps: int,
    *,
    input_unit: float = 1.0,
) -> Network:
    """Hidden units that are read, or that act on those, and the readout.

    Parameters
    ----------
    coefficients, intercept
        The readout, (units, outputs) and (outputs,).
    steps
        Of a sequence; the intercept of a trace is spread over them.
    input_unit
        What the integer 1 of the program's input is for the trained network: 1/255 for images that
        were divided by 255.

    Returns
    -------
    Network
        Input (inputs,), output (outputs,): the readout's membrane, at each step the scores of the step
        before.
    """
    if reading.feature == "trace" and reading.every_step and np.any(intercept):
        raise UsageError(
            "the intercept of a trace that is read at every step is not the same at each",
            place="feature",
            remedy="read the last step of sequences, or the feature last",
        )
    groups = _groups(branches, _needed(branches, coefficients))
    nodes: list[Node] = [Input("sequence", shape=(branches.inputs,))]
    inputs: dict[str, tuple[str, ...]] = {}

    def add(node: Node, *sources: str) -> str:
        nodes.append(node)
        inputs[node.name] = sources
        return node.name

    for name, units in groups.items():
        depth = units[0][0]
        layer = branches.layers[depth]
        # what the layer before sent in this step, and what this one sent in the last
        sources = [("sequence", 0, input_unit * _from_input(layer, units))] if depth == 0 else []
        for other, senders in groups.items():
            if senders[0][0] == depth - 1:
                sources.append((other, 0, _between(layer.weight, units, senders)))
            if senders[0][0] == depth and layer.recurrent is not None:
                sources.append((other, 1, _between(layer.recurrent, units, senders)))
        theta = np.array([layer.theta[b, j] for _, b, j in units], np.float64)
        parts = []
        for source, late, weight in sources:
            if not weight.any() and parts:
                continue
            if late:
                source = _delayed(nodes, inputs, source, len(groups[source]))
            scaled = (weight / theta[:, None]).astype(np.float32)
            parts.append(add(_dense(f"{source}->{name}", scaled), source))
        total = parts[0] if len(parts) == 1 else add(Add(f"{name}.sum"), *parts)
        beta = float(layer.beta[units[0][1], units[0][2]])
        add(Spiking(name, membrane_leak=1 - beta, threshold=1.0, reset="subtract"), total)
    decay = 0.0 if reading.feature == "last" else reading.trace_beta
    # at the last step of a window the bias has been added so often, and has decayed
    share = float((decay ** np.arange(window_of(steps))).sum())
    _add_readout(branches, coefficients, intercept / share, decay, groups, nodes, inputs)
    return Network(nodes, inputs)


def _add_readout(
    branches: Branches,
    coefficients: np.ndarray,
    intercept: np.ndarray,
    decay: float,
    groups: dict[str, list[Unit]],
    nodes: list[Node],
    inputs: dict[str, tuple[str, ...]],
) -> None:
    parts = []
    for name, units in groups.items():
        if units[0][0] != len(branches.layers) - 1:
            continue
        rows = [b * branches.width + j for _, b, j in units]
        weight = coefficients[rows].T.astype(np.float32)
        late = _delayed(nodes, inputs, name, len(units))
        bias = intercept if not parts else np.zeros(len(weight))
        node = Dense(f"{name}->scores", weight, bias.astype(np.float32))
        nodes.append(node)
        inputs[node.name] = (late,)
        parts.append(node.name)
    total = parts[0]
    if len(parts) > 1:
        total = "scores.sum"
        nodes.append(Add(total))
        inputs[total] = tuple(parts)
    nodes += [Spiking("scores", membrane_leak=1 - decay, reset="none"), Output("output")]
    inputs |= {"scores": (total,), "output": ("scores",)}


def _needed(branches: Branches, coefficients: np.ndarray) -> set[Unit]:
    """Units with a coefficient, and all that act on them."""
    last = len(branches.layers) - 1
    active = np.flatnonzero(np.abs(coefficients).max(1, initial=0) > _NONE)
    if not len(active):
        active = np.arange(1)  # a constant is a readout of a unit, too
    found: set[Unit] = set()
    left = [(last, int(u) // branches.width, int(u) % branches.width) for u in active]
    while left:
        unit = left.pop()
        if unit in found:
            continue
        found.add(unit)
        depth, b, j = unit
        layer = branches.layers[depth]
        if layer.recurrent is not None:
            left += [(depth, b, int(i)) for i in np.flatnonzero(layer.recurrent[b, :, j])]
        if depth:
            left += [(depth - 1, b, int(i)) for i in np.flatnonzero(layer.weight[b, :, j])]
    return found


def _groups(branches: Branches, needed: set[Unit]) -> dict[str, list[Unit]]:
    """Units of a layer and a leak, by name; of a threshold, too, where integers ask for it."""
    by_leak: dict[tuple[int, float], list[Unit]] = defaultdict(list)
    for unit in sorted(needed):
        depth, b, j = unit
        by_leak[depth, float(branches.layers[depth].beta[b, j])].append(unit)
    found: dict[str, list[Unit]] = {}
    for (depth, beta), units in sorted(by_leak.items()):
        layer = branches.layers[depth]
        name = f"hidden{depth + 1}_beta{beta:.4g}"
        if _one_grid(layer, units):
            found[name] = units
            continue
        for theta in sorted({float(layer.theta[b, j]) for _, b, j in units}):
            some = [unit for unit in units if layer.theta[unit[1], unit[2]] == theta]
            found[f"{name}_theta{theta:.4g}"] = some
    return found


def _one_grid(layer: Layer, units: list[Unit]) -> bool:
    """Whether weights over thresholds lie on one grid of eight bits, or on none from the start."""
    thetas = {float(layer.theta[b, j]) for _, b, j in units}
    weights = [layer.weight[b, :, j] for _, b, j in units]
    if layer.recurrent is not None:
        weights += [layer.recurrent[b, :, j] for _, b, j in units]
    values = np.concatenate(weights).astype(np.float64)
    if len(thetas) == 1 or np.any(values != np.rint(values)):
        return True
    common = lcm(*(Fraction(theta).limit_denominator(64).numerator for theta in thetas))
    each = max(np.abs(values).max() / theta for theta in thetas)
    return bool(each * common <= _WEIGHT_MAX)


def _from_input(layer: Layer, units: list[Unit]) -> np.ndarray:
    return np.stack([layer.weight[b, :, j] for _, b, j in units]).astype(np.float64)


def _between(weights: np.ndarray, units: list[Unit], senders: list[Unit]) -> np.ndarray:
    """Of the weights (B, from, to) within branches a matrix (units, senders)."""
    found = np.zeros((len(units), len(senders)))
    for row, (_, b, j) in enumerate(units):
        for column, (_, other, i) in enumerate(senders):
            if other == b:
                found[row, column] = weights[b, i, j]
    return found


def _delayed(nodes: list[Node], inputs: dict[str, tuple[str, ...]], source: str, n: int) -> str:
    """The delay of a step behind a layer, made once."""
    name = f"{source}.before"
    if name not in inputs:
        nodes.append(Delay(name, shape=(n,), steps=1))
        inputs[name] = (source,)
    return name


def _dense(name: str, weight: np.ndarray) -> Dense:
    return Dense(name, weight, np.zeros(len(weight), np.float32))
