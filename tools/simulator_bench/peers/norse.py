"""norse: `LIFBoxCell` with reset by subtraction, in a loop over time.

norse's `IAF` resets to a value, so that neuron cannot be used. The boxed leaky one computes
``v + r * (i - v)`` for a rate r of the membrane. With r = 2^-60 and currents 2^60 times as large
float32 rounds that to ``v + i``: next to any whole current v vanishes, and where there is none
what leaks is 2^-60 of v. It is an integrate-and-fire neuron, to the last bit.
"""

from __future__ import annotations

import torch
from norse.torch import LIFBoxCell, LIFBoxFeedForwardState, LIFBoxParameters
from norse.torch.functional.reset import reset_subtract

from simulator_bench.model import Value
from simulator_bench.peers import Peer, start_of

__all__ = ["PEER"]

UNIT = 2.0**60


class _Neuron:
    def __init__(self, threshold: Value, initial: Value) -> None:
        self.initial = initial
        parameters = LIFBoxParameters(
            tau_mem_inv=torch.tensor(1 / UNIT),
            v_leak=torch.tensor(0.0),
            v_th=torch.as_tensor(threshold),
            method="heaviside",
            reset_method=reset_subtract,
        )
        self.cell = LIFBoxCell(parameters, dt=1.0).eval()

    def sequence(self, current: torch.Tensor) -> torch.Tensor:
        """Time first."""
        self.start(current[0])
        return torch.stack([self.step(each) for each in current])

    def start(self, like: torch.Tensor) -> None:
        """Reset."""
        self.state = LIFBoxFeedForwardState(v=start_of(like, self.initial))

    def step(self, current: torch.Tensor) -> torch.Tensor:
        """One step."""
        spikes, self.state = self.cell(current, self.state)
        return spikes


PEER = Peer("norse", _Neuron, unit=UNIT)
