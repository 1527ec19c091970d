"""How a population is cut into parts that fit a core (docs/mapping.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import log2, prod

import numpy as np

from neurodeploy.mapping.block_grid import Grid, even
from neurodeploy.mapping.resources import FanIn, entry_bits, fan_in, lone, row_words
from neurodeploy.program import Dense, Sparse, Synapses
from neurodeploy.targets import Core, Memory

__all__ = ["RESOURCES", "Cut", "Splitter"]

Shape = tuple[int, ...]
#: What a core has limits of, in the order of `Core.uses`.
RESOURCES = ("neurons", "input_axons", "output_axons", "synaptic_words")


@dataclass(frozen=True)
class Cut:
    """A population's parts.

    Attributes
    ----------
    uses
        Of each resource, int64 (parts,).
    lone
        What a single neuron takes of those resources of which it exceeds the limit alone; no cut
        helps there, so the parts disregard them.
    fans
        The incoming connections as these parts receive them, in their order.
    """

    grid: Grid
    uses: dict[str, np.ndarray]
    lone: dict[str, int]
    fans: tuple[FanIn, ...] = ()


class Splitter:
    """Cuts one population.

    Parameters
    ----------
    shape
        Of the population.
    incoming
        Synapses that end there, with the shape of their source.
    reached
        Parts that each neuron sends to, of the population's shape.
    compartments
        That a neuron takes; each beyond the first inhibits another of the same neuron through a
        synapse of its own.
    bias_synapses
        That bring a neuron its bias, each from a neuron of the core that spikes at every step.
    """

    def __init__(
        self,
        shape: Shape,
        incoming: Sequence[tuple[Synapses, Shape]],
        reached: np.ndarray,
        core: Core,
        memory: Memory,
        compartments: int = 1,
        bias_synapses: int = 0,
    ) -> None:
        self.compartments, self.bias_synapses = compartments, bias_synapses
        self.shape, self.incoming, self.reached = shape, tuple(incoming), reached
        self.memory, self.padded = memory, core.power_of_two_columns
        self.kept: tuple[Grid, tuple[FanIn, ...]] | None = None
        limits = {name: getattr(core, name) for name in RESOURCES}
        self.limits = {name: limit for name, limit in limits.items() if limit is not None}
        self.lone = self._too_large()
        self.limits = {n: limit for n, limit in self.limits.items() if n not in self.lone}

    def cut(self) -> Cut:
        """The fewest parts that keep the limits, as far as the rules of the target's compiler go.

        1. All of it fits one core: one part.
        2. One axis: equal parts, as many as the fullest resource takes; multiplied again while a
           part is still over. With dense synapses only, parts of the size whose rows waste least.
        3. Maps: rows and columns in halves, quarters, ... (where the target asks for it: columns in
           ranges of a power of two), channels in any number of equal parts. Of all such cuts that
           fit, the one of fewest parts, then the squarest; to halve the channels, which sends every
           message twice, must save a fifth of them, and so on.
        """
        grid = Grid.whole(self.shape)
        room = self.limits.get("neurons", 2 * self.compartments * prod(self.shape))
        if self._room(self.shape) <= room and not self._over(grid):
            return self._done(grid)
        if prod(self.shape[1:]) == 1:  # flat, or channels of one position
            return self._done(self._line())
        return self._done(self._map())

    def _done(self, grid: Grid) -> Cut:
        uses = self._use(grid)
        return Cut(grid, {name: uses[name]() for name in RESOURCES}, self.lone, self._fans(grid))

    def _fans(self, grid: Grid) -> tuple[FanIn, ...]:
        """The connections as the parts receive them; those looked at last are kept."""
        if self.kept is None or self.kept[0] != grid:
            made = (
                fan_in(synapses, source, grid, self.memory) for synapses, source in self.incoming
            )
            self.kept = grid, tuple(made)
        return self.kept[1]

    def _use(self, grid: Grid) -> dict[str, Callable[[], np.ndarray]]:
        """Each resource's use by part, computed when called; cheap ones first."""
        fans = self._fans(grid)
        own, spiking = grid.sizes() * (self.compartments - 1), self.bias_synapses
        return {
            "neurons": lambda: grid.sizes() + own + spiking,
            "input_axons": lambda: sum((fan.axons() for fan in fans), own + spiking),
            "output_axons": lambda: grid.sums(self.reached) + own + spiking,
            "synaptic_words": lambda: sum(
                (fan.words() for fan in fans), own * self._own_words() + self._bias_words(grid)
            ),
        }

    def _bias_words(self, grid: Grid) -> np.ndarray:
        """Of the synapses that bring biases: a row of all neurons for each."""
        bits = (self.memory.stored_weight_bits or 8) + self.memory.dense_bits
        words: np.ndarray = row_words(grid.sizes(), bits, self.memory)
        return self.bias_synapses * words

    def _own_words(self) -> int:
        """Of a neuron's synapse to itself."""
        bits = (self.memory.stored_weight_bits or 8) + self.memory.sparse_bits
        return int(row_words(1, bits, self.memory))

    def _over(self, grid: Grid) -> float:
        """The largest use in parts of its limit, if above 1; else 0."""
        uses = self._use(grid)
        for name, limit in self.limits.items():
            worst = int(uses[name]().max())
            if worst > limit:
                return worst / limit
        return 0.0

    def _too_large(self) -> dict[str, int]:
        """Resources of which one neuron alone takes more than there is."""
        size = prod(self.shape)
        axons, words = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for synapses, source in self.incoming:
            of_axons, of_words = lone(synapses, source, self.shape, self.memory)
            axons, words = axons + of_axons, words + of_words
        found = {}
        for name, each in (("input_axons", axons), ("synaptic_words", words)):
            worst = int(each.max(initial=0))
            if worst > self.limits.get(name, worst):
                found[name] = worst
        limit = self.limits.get("output_axons")
        if limit is not None and int(self.reached.max()) > limit:
            found["output_axons"] = int(self.reached.max())
        return found

    def _line(self) -> Grid:
        """Equal parts along the first axis, where there is no other."""
        size = self.shape[0]
        uses = self._use(Grid.whole(self.shape))
        ratios = [int(uses[name]().max()) / limit for name, limit in self.limits.items()]
        parts = max(2, int(np.ceil(max(ratios))))
        while parts < size:
            grid = self._along(-(-size // parts))
            over = self._over(grid)
            if not over:
                return self._snug(grid)
            parts *= max(2, int(np.ceil(over)))
        return self._along(1)

    def _along(self, width: int) -> Grid:
        """Parts of so many neurons along the first axis, all of the others."""
        others = (even(size, size) for size in self.shape[1:])
        return Grid((even(self.shape[0], width), *others))

    def _snug(self, grid: Grid) -> Grid:
        """As many parts, of the size at which rows of dense synapses waste the fewest bits."""
        dense = [(s, source) for s, source in self.incoming if isinstance(s, Dense)]
        if not dense or len(dense) < len(self.incoming) or grid.parts < 2:
            return grid
        size, parts = self.shape[0], grid.parts
        width = np.arange(-(-size // parts), -(-size // (parts - 1)))
        words, waste, largest = (np.zeros(width.size, np.int64) for _ in range(3))
        for synapses, source in dense:
            memory, axons = self.memory, prod(source)
            bits = entry_bits(synapses, memory)
            full = row_words(width, bits, memory)
            last = row_words(size - (parts - 1) * width, bits, memory)
            words += axons * ((parts - 1) * full + last)
            waste += axons * (full * memory.word_bits - width * bits - memory.header_bits)
            largest += axons * full
        fits = width * self.compartments <= self.limits.get("neurons", size * self.compartments)
        fits &= largest <= self.limits.get("synaptic_words", int(largest.max()))
        best = np.lexsort((width, waste, words, ~fits))[0]
        snug = self._along(int(width[best]))
        return snug if fits[best] and not self._over(snug) else grid

    def _map(self) -> Grid:
        """The best cut of a population of several axes."""
        sparse = any(isinstance(s, Sparse) for s, _ in self.incoming)
        failed = 0
        for parts, grid in self._candidates():
            # counting sparse synapses costs: step on where little more room will not do
            if sparse and parts * 5 < failed * 6:
                continue
            if not self._over(grid):
                return grid
            failed = parts
        return Grid(tuple(even(size, 1) for size in self.shape))

    def _room(self, widths: Sequence[int]) -> int:
        """Neurons that a part of a map counts as."""
        if not self.padded or len(widths) == 1:
            return prod(widths) * self.compartments
        return (prod(widths[:-1]) << (widths[-1] - 1).bit_length()) * self.compartments

    def _candidates(self) -> Iterator[tuple[int, Grid]]:
        """Cuts that keep the limit of neurons, best first, with their numbers of parts."""
        *leading, rows, columns = self.shape
        most = self.limits.get("neurons", 2 * self.compartments * prod(self.shape))
        across = _halves(columns) if self.padded else [-(-columns // k) for k in _halves(columns)]
        found = set()
        for each, down, wide in product(_shares(max(leading, default=1)), _halves(rows), across):
            widths = [-(-size // min(each, size)) for size in leading]
            widths += [-(-rows // down), min(wide, columns)]
            if self._room(widths) > most:
                continue
            parts = prod(-(-size // w) for size, w in zip(self.shape, widths, strict=True))
            price = round(parts * (4 + log2(each)), 6)
            found.add((price, parts, widths[-2] + widths[-1], tuple(widths)))
        for _, parts, _, chosen in sorted(found):
            yield (
                parts,
                Grid(tuple(even(size, w) for size, w in zip(self.shape, chosen, strict=True))),
            )


def _shares(size: int) -> list[int]:
    """Into how many equal parts a size can be cut: each number that gives other parts."""
    return sorted({-(-size // -(-size // k)) for k in range(1, size + 1)})


def _halves(size: int) -> list[int]:
    """1, 2, 4, ... up to the first that is no less than `size`."""
    return [1 << k for k in range((size - 1).bit_length() + 1)]
