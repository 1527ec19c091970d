"""Parallel branches of (recurrent) threshold units: the hidden part of the network.

A branch is a small spiking network of its own; all branches have the same widths, see the same
input, and are joined by a linear readout alone. A LIF unit is the structured case: its input
weights at all earlier steps are powers of `beta`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import UsageError

__all__ = ["Branches", "Layer", "joined"]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of all branches, B branches of m units.

    At each step ``v <- beta v + x W + s U``, ``s = [v > theta]``, ``v <- v - theta s``, where s on
    the right is the layer's own output of the step before. ``beta = 0`` is a threshold unit.

    Attributes
    ----------
    weight
        W, float32 (B, inputs, m).
    recurrent
        U, float32 (B, m, m), from the first unit index to the second; None: feed-forward.
    beta
        Share of the membrane that is kept in a step, float32 (B, m).
    theta
        Threshold, float32 (B, m), above 0.
    """

    weight: np.ndarray
    recurrent: np.ndarray | None
    beta: np.ndarray
    theta: np.ndarray

    def __post_init__(self) -> None:
        branches, _, units = self.weight.shape
        if self.recurrent is not None and self.recurrent.shape != (branches, units, units):
            raise UsageError(
                f"recurrent weights {self.recurrent.shape} do not fit weights {self.weight.shape}"
            )
        for name, values in (("beta", self.beta), ("theta", self.theta)):
            if values.shape != (branches, units):
                raise UsageError(f"{name} {values.shape} is not {(branches, units)}")
        if not np.all((self.beta >= 0) & (self.beta <= 1)) or not np.all(self.theta > 0):
            raise UsageError("beta lies in 0..1 and theta above 0")

    def take(self, branches: np.ndarray) -> Layer:
        """The layer of some branches."""
        back = None if self.recurrent is None else self.recurrent[branches]
        return Layer(self.weight[branches], back, self.beta[branches], self.theta[branches])


@dataclass(frozen=True, eq=False)
class Branches:
    """Branches of equal shape, layer after layer.

    Attributes
    ----------
    layers
        First to last; unit ``b * m + j`` is unit j of branch b in the last layer of m units.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise UsageError("branches need a layer")
        width: int | None = None
        for layer in self.layers:
            count, inputs, units = layer.weight.shape
            if count != len(self) or (width is not None and inputs != width):
                raise UsageError(f"a layer of weights {layer.weight.shape} does not fit the others")
            width = units

    def __len__(self) -> int:
        return int(self.layers[0].weight.shape[0])

    @property
    def inputs(self) -> int:
        """Width of the input."""
        return int(self.layers[0].weight.shape[1])

    @property
    def width(self) -> int:
        """Units of a branch's last layer."""
        return int(self.layers[-1].weight.shape[2])

    @property
    def units(self) -> int:
        """Units of all last layers: columns of a dictionary."""
        return len(self) * self.width

    def take(self, branches: np.ndarray) -> Branches:
        """Some of the branches, by index."""
        return Branches(tuple(layer.take(branches) for layer in self.layers))

    def run(self, x: np.ndarray) -> np.ndarray:
        """Spikes of the last layer at every step.

        Parameters
        ----------
        x
            (n, T, inputs).

        Returns
        -------
        uint8 (n, T, units).
        """
        sequences = np.ascontiguousarray(x, np.float32)
        n, steps, width = sequences.shape
        if width != self.inputs:
            raise UsageError(f"sequences of width {width} for branches of {self.inputs} inputs")
        spikes = np.zeros((n, steps, self.units), np.uint8)
        states = [_State(layer, n) for layer in self.layers]
        for t in range(steps):
            message: np.ndarray = sequences[:, t]
            for state in states:
                message = state.step(message)
            spikes[:, t] = message.transpose(1, 0, 2).reshape(n, -1)
        return spikes


class _State:
    """Membranes (B, n, m) and last spikes of a layer."""

    def __init__(self, layer: Layer, n: int) -> None:
        self.layer = layer
        branches, inputs, units = layer.weight.shape
        self.flat = np.ascontiguousarray(layer.weight.transpose(1, 0, 2)).reshape(inputs, -1)
        self.beta, self.theta = layer.beta[:, None, :], layer.theta[:, None, :]
        self.v = np.zeros((branches, n, units), np.float32)
        self.s: np.ndarray | None = None

    def step(self, message: np.ndarray) -> np.ndarray:
        """Spikes float32 (B, n, m) for a message (n, inputs), or (B, n, inputs)."""
        if message.ndim == 2:
            current = (message @ self.flat).reshape(len(message), *self.v.shape[::2])
            current = current.transpose(1, 0, 2)
        else:
            current = message @ self.layer.weight
        v = self.beta * self.v + current
        if self.layer.recurrent is not None and self.s is not None:
            v += self.s @ self.layer.recurrent
        self.s = (v > self.theta).astype(np.float32)
        self.v = v - self.theta * self.s
        return self.s


def joined(parts: Sequence[Branches]) -> Branches:
    """Branches of several objects, in order.

    Raises
    ------
    UsageError
        Shapes that differ, or layers of which some are recurrent.
    """
    first = parts[0]
    for part in parts[1:]:
        if [a.weight.shape[1:] for a in part.layers] != [a.weight.shape[1:] for a in first.layers]:
            raise UsageError("branches of different shapes do not join")
    layers = []
    for group in zip(*(part.layers for part in parts), strict=True):
        back = [layer.recurrent for layer in group]
        kept = [u for u in back if u is not None]
        if kept and len(kept) < len(back):
            raise UsageError("recurrent branches do not join with others")
        layers.append(
            Layer(
                np.concatenate([layer.weight for layer in group]),
                np.concatenate(kept) if kept else None,
                np.concatenate([layer.beta for layer in group]),
                np.concatenate([layer.theta for layer in group]),
            )
        )
    return Branches(tuple(layers))
