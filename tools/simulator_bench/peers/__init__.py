"""The other simulators, one a file, each imported only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # they import torch
    import torch

    from simulator_bench.model import NeuronFactory, Value

__all__ = ["TORCH_PEERS", "Peer", "load", "missing", "start_of"]

#: Name -> the distribution that has it.
TORCH_PEERS = {
    "spikingjelly": "spikingjelly",
    "sinabs": "sinabs",
    "snntorch": "snntorch",
    "norse": "norse",
}


@dataclass(frozen=True)
class Peer:
    """A framework on torch.

    Attributes
    ----------
    neuron
        Makes its integrate-and-fire neurons.
    time_axis
        Of the tensors that its neurons take: 0 or 1.
    unit
        Factor on currents that its neurons take off again.
    """

    name: str
    neuron: NeuronFactory
    time_axis: int = 0
    unit: float = 1.0

    @property
    def version(self) -> str:
        """Of the installed distribution."""
        return version(TORCH_PEERS[self.name])


def missing(name: str) -> str:
    """Why a peer cannot be run; empty if it is installed."""
    try:
        version(TORCH_PEERS[name])
    except PackageNotFoundError:
        return f"{TORCH_PEERS[name]} is not installed (make setup-bench)"
    return ""


def start_of(like: torch.Tensor, initial: Value) -> torch.Tensor:
    """A membrane at a window's start, laid out as a current."""
    import torch

    if isinstance(initial, float):
        return torch.full_like(like, initial)
    return torch.empty_like(like).copy_(initial)


def load(name: str) -> Peer:
    """The peer of that name; imports its framework."""
    peer: Peer = import_module(f"simulator_bench.peers.{name}").PEER
    return peer
