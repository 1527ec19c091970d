"""sinabs: `IAF` with at most one spike a step, reset by subtraction (what `IAFSqueeze` wraps)."""

from __future__ import annotations

import torch
from sinabs.activation import SingleSpike
from sinabs.layers import IAF

from simulator_bench.model import Value
from simulator_bench.peers import Peer, start_of

__all__ = ["PEER"]


class _Neuron:
    def __init__(self, threshold: Value, initial: Value) -> None:
        self.initial = initial
        self.layer = IAF(spike_threshold=torch.as_tensor(threshold), spike_fn=SingleSpike).eval()

    def sequence(self, current: torch.Tensor) -> torch.Tensor:
        """Samples first, then time."""
        self.start(current[:, 0])
        return self.layer(current)

    def start(self, like: torch.Tensor) -> None:
        """Reset."""
        self.layer.v_mem = start_of(like, self.initial)

    def step(self, current: torch.Tensor) -> torch.Tensor:
        """One step is a window of one."""
        return self.layer(current.unsqueeze(1)).squeeze(1)


PEER = Peer("sinabs", _Neuron, time_axis=1)
