"""snnTorch: `Leaky` without leak, reset by subtraction, in a loop over time.

Its reset comes one step late (`reset_delay`, the default): the threshold is taken off together
with the next input. A neuron then compares the same membrane with the threshold at each step as
one that resets at once, so the spikes are the same. Without the delay they are not: a membrane
above twice the threshold is compared after a second subtraction.
"""

from __future__ import annotations

import torch
from snntorch import Leaky

from simulator_bench.model import Value
from simulator_bench.peers import Peer, start_of

__all__ = ["PEER"]


class _Neuron:
    def __init__(self, threshold: Value, initial: Value) -> None:
        self.initial = initial
        # surrogate_disable spares an autograd function a call
        self.layer = Leaky(beta=1.0, threshold=threshold, surrogate_disable=True).eval()
        Leaky.instances.clear()  # the class keeps every neuron ever made

    def sequence(self, current: torch.Tensor) -> torch.Tensor:
        """Time first."""
        self.start(current[0])
        return torch.stack([self.step(each) for each in current])

    def start(self, like: torch.Tensor) -> None:
        """Reset."""
        self.membrane = start_of(like, self.initial)

    def step(self, current: torch.Tensor) -> torch.Tensor:
        """One step."""
        spikes, self.membrane = self.layer(current, self.membrane)
        return spikes


PEER = Peer("snntorch", _Neuron)
