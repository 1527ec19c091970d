"""Other frameworks on one fully recurrent population of integers, step by step.

Each takes weights (neurons, neurons), what comes in from outside at each step (steps, neurons) and
the threshold, all whole numbers in float32, and gives the spikes, bool (steps, neurons).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

__all__ = ["PEERS", "Peer"]

Peer = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def _linear(weights: np.ndarray) -> torch.nn.Linear:
    layer = torch.nn.Linear(*weights.shape[::-1], bias=False)
    layer.weight.data = torch.from_numpy(weights)
    return layer


def _torch(weights: np.ndarray, drive: np.ndarray, threshold: float) -> np.ndarray:
    """By hand: a matrix times a vector at each step."""
    matrix, rows = torch.from_numpy(weights), torch.from_numpy(drive)
    v, spikes = torch.zeros(len(weights)), torch.zeros(len(weights))
    found = torch.zeros(rows.shape, dtype=torch.bool)
    for step, row in enumerate(rows):
        v = v + row + matrix @ spikes
        fired = v > threshold
        spikes = fired.float()
        v = v - threshold * spikes
        found[step] = fired
    return found.numpy()


def _snntorch(weights: np.ndarray, drive: np.ndarray, threshold: float) -> np.ndarray:
    import snntorch as snn

    cell = snn.RLeaky(beta=1.0, threshold=threshold, linear_features=len(weights))
    cell.recurrent = _linear(weights)
    spikes, membrane = cell.init_rleaky()
    found = []
    for row in torch.from_numpy(drive)[:, None]:
        spikes, membrane = cell(row, spikes, membrane)
        found.append(spikes[0])
    return torch.stack(found).numpy() > 0


def _spikingjelly(weights: np.ndarray, drive: np.ndarray, threshold: float) -> np.ndarray:
    from spikingjelly.activation_based import layer, neuron

    # it fires at the threshold, too, which whole numbers meet now and then
    cell = neuron.IFNode(v_threshold=threshold, v_reset=None)
    matrix = _linear(weights)

    def element(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return x + matrix(y)

    wrapped = layer.ElementWiseRecurrentContainer(cell, element)
    return torch.stack([wrapped(row) for row in torch.from_numpy(drive)[:, None]])[:, 0].numpy() > 0


def _sinabs(weights: np.ndarray, drive: np.ndarray, threshold: float) -> np.ndarray:
    import sinabs.layers as sl
    from sinabs.activation import MembraneSubtract, SingleSpike

    cell = sl.IAFRecurrent(
        rec_connect=_linear(weights), spike_threshold=torch.tensor(threshold + 0.5),
        spike_fn=SingleSpike, reset_fn=MembraneSubtract(threshold),
    )  # fmt: skip
    return cell(torch.from_numpy(drive)[None])[0].numpy() > 0


PEERS: dict[str, Peer] = {
    "torch by hand": _torch,
    "snnTorch": _snntorch,
    "SpikingJelly": _spikingjelly,
    "sinabs": _sinabs,
}
