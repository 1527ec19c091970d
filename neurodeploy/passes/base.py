"""The contract of a pass: a frozen dataclass whose fields are its options."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Protocol, runtime_checkable

from neurodeploy.network import Network, Node
from neurodeploy.network.compose import compose
from neurodeploy.program.choices import Choice

__all__ = ["Chooses", "Pass", "fold_pairs", "fresh", "run_passes"]


class Pass(Protocol):
    """Network in, Network of the same function out."""

    @property
    def name(self) -> str:
        """Short name, as reports print it."""

    def apply(self, network: Network) -> Network:
        """The rewritten network; the argument is left as it was."""


@runtime_checkable
class Chooses(Protocol):
    """A pass that weighs one way against another."""

    def choices(self, network: Network) -> tuple[Choice, ...]:
        """What `apply` decides for this network."""


def run_passes(
    network: Network, passes: Sequence[Pass], told: list[Choice] | None = None
) -> Network:
    """Apply passes in order; `told` takes what they choose."""
    for step in passes:
        if told is not None and isinstance(step, Chooses):
            told += step.choices(network)
        network = step.apply(network)
    return network


def fresh(wish: str, taken: Container[str]) -> str:
    """The name, or the name with a number where a node of the model has it already."""
    name, count = wish, 2
    while name in taken:
        name, count = f"{wish}_{count}", count + 1
    return name


def fold_pairs(network: Network, wanted: Callable[[Node, Node], bool]) -> Network:
    """Merge neighbouring linear nodes that `wanted` picks, until none is left.

    A pair is merged where the first feeds the second alone and `compose` can express both
    as one Conv or Dense; the result takes the second's name.
    """
    changed = True
    while changed:
        changed = False
        for second in network:
            sources = network.inputs_of(second.name)
            if len(sources) != 1 or len(network.consumers_of(sources[0])) != 1:
                continue
            first = network[sources[0]]
            before = network.inputs_of(first.name)
            if len(before) != 1 or not wanted(first, second):
                continue
            merged = compose(first, second, network.shapes[before[0]])
            if merged is not None:
                network = network.fuse(first.name, merged)
                changed = True
                break
    return network
