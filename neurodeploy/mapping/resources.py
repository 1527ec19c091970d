"""What synapses take of a core: words of memory and input axons (docs/mapping.md, section 2)."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import Protocol

import numpy as np
from scipy import sparse

from neurodeploy.mapping.block_grid import Grid
from neurodeploy.program import Convolution, Dense, Sparse, Synapses
from neurodeploy.targets import Memory

__all__ = ["FanIn", "entry_bits", "fan_in", "lone", "needed_bits", "row_words"]

Shape = tuple[int, ...]


def needed_bits(weights: np.ndarray) -> int:
    """Bits a weight: without the power of two that all share, signed only if signs differ."""
    if not weights.size:
        return 1
    union = int(np.bitwise_or.reduce(weights.reshape(-1), dtype=weights.dtype))
    if not union:
        return 1
    shift = (union & -union).bit_length() - 1
    low, high = int(weights.min()) >> shift, int(weights.max()) >> shift
    bits = max(high.bit_length(), (~low).bit_length() if low < 0 else 0)
    return max(1, bits + (low < 0 < high))


def row_words(synapses: np.ndarray | int, bits: int, memory: Memory) -> np.ndarray:
    """Words of a row of so many synapses of `bits` each; an empty row takes none."""
    count = np.asarray(synapses, np.int64)
    block = memory.row_synapses or int(count.max(initial=1)) or 1

    def words(entries: np.ndarray | int) -> np.ndarray | int:
        return -(-(entries * bits + memory.header_bits) // memory.word_bits)

    full, rest = np.divmod(count, block)
    return np.asarray(full * words(block) + np.where(rest > 0, words(rest), 0), np.int64)


class FanIn(Protocol):
    """A connection seen from the parts of its target."""

    def axons(self) -> np.ndarray:
        """Source neurons with a synapse in each part, int64 (parts,)."""

    def words(self) -> np.ndarray:
        """Of synaptic memory, int64 (parts,)."""

    def degree(self) -> np.ndarray:
        """Parts that each source neuron reaches, int64 of the source's shape."""

    def overlap(self, source: Grid) -> sparse.csr_matrix:
        """Source neurons of each source part that reach each part: (parts, source parts)."""


def fan_in(synapses: Synapses, source: Shape, grid: Grid, memory: Memory) -> FanIn:
    """The connection as parts of its target receive it.

    1. Dense: an axon a source, a row of all targets of the part.
    2. Convolution: an axon a source in the receptive field; rows are shared by all positions, one a
       source channel and tap, of the part's channels of that group.
    3. Sparse: an axon a source with a synapse, a row of its targets in the part.
    """
    if isinstance(synapses, Dense):
        return _Dense(synapses, source, grid, memory)
    if isinstance(synapses, Convolution):
        return _Convolution(synapses, source, grid, memory)
    return _Sparse(synapses, source, grid, memory)


def entry_bits(synapses: Synapses, memory: Memory, positions: int = 2) -> int:
    """Bits of a synapse; in rows that are not shared a weight of 7 bits takes 8.

    A convolution shares rows among the `positions` of its target: with one of them it is dense.
    """
    shared = isinstance(synapses, Convolution) and positions > 1
    stored = memory.stored_weight_bits
    if stored is None:
        stored = needed_bits(synapses.weights)
        stored += stored == 7 and not shared
    if shared:
        return stored + memory.shared_bits
    return stored + (memory.sparse_bits if isinstance(synapses, Sparse) else memory.dense_bits)


class _Dense:
    def __init__(self, synapses: Dense, source: Shape, grid: Grid, memory: Memory) -> None:
        self.source, self.grid, self.memory = source, grid, memory
        self.bits = entry_bits(synapses, memory)

    def axons(self) -> np.ndarray:
        return np.full(self.grid.parts, prod(self.source), np.int64)

    def words(self) -> np.ndarray:
        return prod(self.source) * row_words(self.grid.sizes(), self.bits, self.memory)

    def degree(self) -> np.ndarray:
        return np.full(self.source, self.grid.parts, np.int64)

    def overlap(self, source: Grid) -> sparse.csr_matrix:
        return sparse.csr_matrix(np.tile(source.sizes(), (self.grid.parts, 1)))


class _Convolution:
    def __init__(self, synapses: Convolution, source: Shape, grid: Grid, memory: Memory) -> None:
        self.synapses, self.source, self.grid, self.memory = synapses, source, grid, memory
        self.bits = entry_bits(synapses, memory, prod(cut[-1] for cut in grid.cuts[1:]))

    @cached_property
    def masks(self) -> tuple[np.ndarray, ...]:
        """For each axis: which source positions each range of the target reads, (ranges, size)."""
        channels, height, width = self.source
        return (
            np.repeat(self._shared > 0, channels // self.synapses.groups, axis=1),
            self._read(0, height),
            self._read(1, width),
        )

    @cached_property
    def _shared(self) -> np.ndarray:
        """Output channels of each range in each group, int64 (ranges, groups)."""
        cut = np.asarray(self.grid.cuts[0])
        groups = self.synapses.groups
        per_group = self.synapses.weights.shape[0] // groups
        begin = np.arange(groups) * per_group
        low = np.maximum(begin[None], cut[:-1, None])
        return np.maximum(np.minimum(begin[None] + per_group, cut[1:, None]) - low, 0)

    def _read(self, axis: int, size: int) -> np.ndarray:
        cut = self.grid.cuts[1 + axis]
        owner = np.repeat(np.arange(len(cut) - 1), np.diff(cut))
        mask = np.zeros((len(cut) - 1, size), bool)
        for at in _taps(self.synapses, axis, cut[-1]):
            inside = (at >= 0) & (at < size)
            mask[owner[inside], at[inside]] = True
        return mask

    def axons(self) -> np.ndarray:
        return np.einsum("c,h,w->chw", *(mask.sum(1) for mask in self.masks)).reshape(-1)

    def words(self) -> np.ndarray:
        _, per_group, *kernel = self.synapses.weights.shape
        rows = row_words(self._shared, self.bits, self.memory).sum(1) * per_group * prod(kernel)
        places = prod(len(cut) - 1 for cut in self.grid.cuts[1:])
        return np.repeat(rows, places)

    def degree(self) -> np.ndarray:
        return np.einsum("c,h,w->chw", *(mask.sum(0, dtype=np.int64) for mask in self.masks))

    def overlap(self, source: Grid) -> sparse.csr_matrix:
        factors = [
            sparse.csr_matrix(np.add.reduceat(mask.astype(np.int64), cut[:-1], axis=1))
            for mask, cut in zip(self.masks, source.cuts, strict=True)
        ]
        return sparse.kron(sparse.kron(factors[0], factors[1]), factors[2], format="csr")


def _taps(synapses: Convolution, axis: int, outputs: int) -> list[np.ndarray]:
    """For each tap along an axis the source position that each output reads, padding included."""
    first = np.arange(outputs) * synapses.stride[axis] - synapses.padding[axis]
    taps = synapses.weights.shape[2 + axis]
    return [first + tap * synapses.dilation[axis] for tap in range(taps)]


class _Sparse:
    def __init__(self, synapses: Sparse, source: Shape, grid: Grid, memory: Memory) -> None:
        self.synapses, self.source, self.grid, self.memory = synapses, source, grid, memory
        self.bits = entry_bits(synapses, memory)

    @cached_property
    def _met(self) -> tuple[list[np.ndarray], np.ndarray]:
        """For each part the sources that reach it, and its words."""
        starts, columns = self.synapses.row_starts, self.synapses.columns
        owners = self.grid.owners()
        order = np.argsort(owners, kind="stable")
        bounds = np.searchsorted(owners[order], np.arange(self.grid.parts + 1))
        sources, words = [], np.zeros(self.grid.parts, np.int64)
        for part in range(self.grid.parts):
            rows = order[bounds[part] : bounds[part + 1]]
            if rows[-1] - rows[0] + 1 == rows.size:
                met = columns[starts[rows[0]] : starts[rows[-1] + 1]]
            else:
                length = starts[rows + 1] - starts[rows]
                offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
                met = columns[np.repeat(starts[rows], length) + offset]
            if met.size * 8 < self.synapses.sources:
                found, count = np.unique(met, return_counts=True)
            else:
                every = np.bincount(met, minlength=self.synapses.sources)
                found = np.flatnonzero(every)
                count = every[found]
            sources.append(found)
            words[part] = row_words(count, self.bits, self.memory).sum()
        return sources, words

    def axons(self) -> np.ndarray:
        return np.array([found.size for found in self._met[0]], np.int64)

    def words(self) -> np.ndarray:
        return self._met[1]

    def degree(self) -> np.ndarray:
        total = np.zeros(self.synapses.sources, np.int64)
        for found in self._met[0]:
            total[found] += 1
        return total.reshape(self.source)

    def overlap(self, source: Grid) -> sparse.csr_matrix:
        owners = source.owners()
        rows = [np.bincount(owners[found], minlength=source.parts) for found in self._met[0]]
        return sparse.csr_matrix(np.array(rows, np.int64))


def lone(
    synapses: Synapses, source: Shape, target: Shape, memory: Memory
) -> tuple[np.ndarray, np.ndarray]:
    """Input axons and words of every neuron if it had a core of its own: int64 (neurons,) each."""
    bits = entry_bits(synapses, memory, prod(target[1:]))
    word = int(row_words(1, bits, memory))
    if isinstance(synapses, Dense):
        axons: np.ndarray = np.full(prod(target), prod(source), np.int64)
        return axons, axons * word
    if isinstance(synapses, Sparse):
        return _lone_of_lists(synapses, bits, memory)
    along = [
        sum(((at >= 0) & (at < source[1 + axis])).astype(np.int64) for at in taps)
        for axis in (0, 1)
        for taps in [_taps(synapses, axis, target[1 + axis])]
    ]
    per_group = synapses.weights.shape[1]
    axons = np.multiply.outer(np.full(target[0], per_group), np.multiply.outer(*along))
    words = per_group * prod(synapses.weights.shape[2:]) * word
    return axons.reshape(-1), np.full(prod(target), words, np.int64)


def _lone_of_lists(synapses: Sparse, bits: int, memory: Memory) -> tuple[np.ndarray, np.ndarray]:
    """`lone` of sparse synapses; several of one pair are one axon and share its row."""
    starts, columns = synapses.row_starts, synapses.columns
    count = np.diff(starts)
    rising = columns[1:] > columns[:-1]
    begins = starts[1:-1]
    rising[begins[(begins > 0) & (begins < columns.size)] - 1] = True  # another neuron's first
    if rising.all():
        return count, count * int(row_words(1, bits, memory))
    neuron = np.repeat(np.arange(count.size), count)
    pairs, times = np.unique(neuron * np.int64(synapses.sources) + columns, return_counts=True)
    owner = pairs // synapses.sources
    axons = np.bincount(owner, minlength=count.size)
    words = np.bincount(owner, row_words(times, bits, memory), count.size)
    return axons, words.astype(np.int64)
