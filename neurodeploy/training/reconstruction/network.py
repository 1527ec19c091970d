"""The trained network as a `Network` that spikes: units of one leak are a layer, a branch a block.

The readout is a neuron that never fires: without memory where the last step is read, leaky where a
trace is. The bias of a trace is spread over the steps of a sequence.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import lcm

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.network import Add, Delay, Dense, Input, Network, Node, Output, Spiking
from neurodeploy.training.reconstruction.branches import Branches, Layer
from neurodeploy.training.reconstruction.fitting import Reading

__all__ = ["network_from"]

#: Largest integer weight of eight bits.
_WEIGHT_MAX = 127
#: Coefficients below this are none.
_NONE = 1e-9

#: Layer, branch and unit within the branch.
Unit = tuple[int, int, int]


def network_from(
    branches: Branches,
    coefficients: np.ndarray,
    intercept: np.ndarray,
    reading: Reading,
    steps: int,
) -> Network:
    """Hidden units that are read, or that act on those, and the readout.

    Parameters
    ----------
    coefficients, intercept
        The readout, (units, outputs) and (outputs,).
    steps
        Of a sequence: a trace's intercept is added a part at each.

    Returns
    -------
    Network
        Input (inputs,), output (outputs,): the scores of each step.

    Raises
    ------
    UsageError
        A trace with an intercept that is read at every step.
    """
    if reading.feature == "trace" and reading.every_step and np.any(intercept):
        raise UsageError(
            "the intercept of a trace that is read at every step is not the same at each",
            place="feature",
            remedy="read the last step of sequences, or the feature last",
        )
    groups = _groups(branches, _needed(branches, coefficients))
    made = _Graph(branches.inputs)
    for name, units in groups.items():
        depth, first, unit = units[0]
        layer = branches.layers[depth]
        theta = np.array([layer.theta[b, j] for _, b, j in units], np.float64)[:, None]
        parts = [("sequence", _from_input(layer, units) / theta)] if depth == 0 else []
        for other, senders in groups.items():
            if senders[0][0] == depth - 1:  # what it sends in this step
                weight = _between(layer.weight, units, senders) / theta
                parts.append((f"{other}.neuron", weight))
            if senders[0][0] == depth and layer.recurrent is not None:  # and what in the last
                weight = _between(layer.recurrent, units, senders) / theta
                if weight.any():
                    parts.append((made.delayed(f"{other}.neuron", len(senders)), weight))
        leak = 1 - float(layer.beta[first, unit])
        made.sum(name, parts, np.zeros(len(units)))
        made.add(Spiking(f"{name}.neuron", membrane_leak=leak, reset="subtract"), name)
    decay = 0.0 if reading.feature == "last" else reading.trace_beta
    # at the last step the bias has been added so often, and has decayed
    share = float((decay ** np.arange(steps)).sum())
    parts = []
    for name, units in groups.items():
        if units[0][0] == len(branches.layers) - 1:
            rows = [b * branches.width + j for _, b, j in units]
            parts.append((f"{name}.neuron", coefficients[rows].T))
    made.sum("scores", parts, intercept / share)
    made.add(Spiking("scores.neuron", membrane_leak=1 - decay, reset="none"), "scores")
    made.add(Output("output"), "scores.neuron")
    return Network(made.nodes, made.inputs)


class _Graph:
    """Nodes and what they read, while they are collected."""

    def __init__(self, inputs: int) -> None:
        self.nodes: list[Node] = [Input("sequence", shape=(inputs,))]
        self.inputs: dict[str, tuple[str, ...]] = {}

    def add(self, node: Node, *sources: str) -> str:
        """A node behind others; its name."""
        self.nodes.append(node)
        self.inputs[node.name] = sources
        return node.name

    def delayed(self, source: str, size: int) -> str:
        """The delay of a step behind a layer, made once."""
        name = f"{source}.before"
        return name if name in self.inputs else self.add(Delay(name, shape=(size,)), source)

    def sum(self, name: str, parts: list[tuple[str, np.ndarray]], bias: np.ndarray) -> None:
        """Linear maps of several sources, and a bias, added up."""
        dense: list[str] = []
        for source, weight in parts:
            own = name if len(parts) == 1 else f"{source}->{name}"
            offset = np.zeros(len(weight)) if dense else bias
            node = Dense(own, weight.astype(np.float32), offset.astype(np.float32))
            dense.append(self.add(node, source))
        if len(parts) > 1:
            self.add(Add(name), *dense)


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
