"""SpikingJelly: `IFNode`, soft reset, multi-step on a layer's whole window or single-step."""

from __future__ import annotations

import torch
from spikingjelly.activation_based.neuron import IFNode

from simulator_bench.peers import Peer

__all__ = ["PEER"]


class _Neuron:
    def __init__(self, threshold: float, initial: float) -> None:
        self.initial = initial
        self.whole = IFNode(v_threshold=threshold, v_reset=None, step_mode="m").eval()
        self.single = IFNode(v_threshold=threshold, v_reset=None, step_mode="s").eval()

    def sequence(self, current: torch.Tensor) -> torch.Tensor:
        """Time first."""
        self.whole.v = torch.full_like(current[0], self.initial)
        return self.whole(current)

    def start(self, like: torch.Tensor) -> None:
        """Reset."""
        self.single.v = torch.full_like(like, self.initial)

    def step(self, current: torch.Tensor) -> torch.Tensor:
        """One step."""
        return self.single(current)


PEER = Peer("spikingjelly", _Neuron)
