"""SpikingJelly: `IFNode`, soft reset, multi-step on a layer's whole window or single-step.

Its compiled code takes one threshold a layer. Where each neuron has its own, `SimpleIFNode` serves,
which is the same neuron in torch's operations.
"""

from __future__ import annotations

import torch
from spikingjelly.activation_based.neuron import IFNode, SimpleIFNode

from simulator_bench.model import Value
from simulator_bench.peers import Peer, start_of

__all__ = ["PEER"]


class _Neuron:
    def __init__(self, threshold: Value, initial: Value) -> None:
        self.initial = initial
        kind = IFNode if isinstance(threshold, float) else SimpleIFNode
        self.whole = kind(v_threshold=threshold, v_reset=None, step_mode="m").eval()
        self.single = kind(v_threshold=threshold, v_reset=None, step_mode="s").eval()

    def sequence(self, current: torch.Tensor) -> torch.Tensor:
        """Time first."""
        self.whole.v = start_of(current[0], self.initial)
        return self.whole(current)

    def start(self, like: torch.Tensor) -> None:
        """Reset."""
        self.single.v = start_of(like, self.initial)

    def step(self, current: torch.Tensor) -> torch.Tensor:
        """One step."""
        return self.single(current)


PEER = Peer("spikingjelly", _Neuron)
