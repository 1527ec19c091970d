"""Where parts go: on which chip, and at which place of its mesh.

References
----------
Karypis & Kumar 1998 (METIS, the partitioner); the placing within a chip is a quadratic assignment
problem (Koopmans & Beckmann 1957), improved by tabu search (Taillard 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from neurodeploy.targets import Mesh

__all__ = ["METHODS", "Placement", "Places", "place"]

Placement = Literal["traffic", "layers"]
METHODS: tuple[Placement, ...] = ("traffic", "layers")
#: Places of a chip up to which exchanges are tried: a step's work grows with the square.
_MAX_EXCHANGED = 512
#: Places of a chip up to which there is a table of distances; on larger ones layer order is kept.
_MAX_TABLED = 4096
#: Exchanges from each start: over all chips, at least so many a chip, and at most so many a part.
_STEPS, _FEWEST_STEPS, _STEPS_A_PART = 6000, 50, 64
#: Exchanges looked at from each start, all steps and chips together: those of `_STEPS` on a chip of
#: 128 cores. Larger chips get fewer steps, so that the time is bounded.
_EXCHANGES = _STEPS * 128**2
#: Weights become integers up to here, so that sums are exact and do not depend on their order.
_EXACT = 2**24
_METIS_SCALE = 2**16
_SEED = 1


@dataclass(frozen=True)
class Places:
    """Chip and position of each part, int64 (parts,) each; cores of a tile share a position."""

    chip: np.ndarray
    x: np.ndarray
    y: np.ndarray


def place(sent: sparse.csr_matrix, mesh: Mesh, method: Placement) -> Places:
    """Give each part a core.

    1. ``layers``: in the order given, chip by chip, row by row.
    2. ``traffic``: chips are filled so that little crosses between them, places so that the
       messages' hops are few. The better of several starts; deterministic.

    Parameters
    ----------
    sent
        Messages from part to part (parts, parts).
    """
    parts = sent.shape[0]
    if mesh.cores is None:
        none = np.zeros(parts, np.int64)
        return Places(none, none, none)
    chip = np.arange(parts) // mesh.cores
    slot = np.arange(parts) % mesh.cores
    if method == "traffic" and mesh.cores <= _MAX_TABLED:
        weights = _exact(sent)
        chip = _chips(weights, chip, mesh.cores)
        distance = _distances(mesh)
        chips = int(chip.max(initial=-1)) + 1
        for number in range(chips):
            here = np.flatnonzero(chip == number)
            steps = _steps(here.size, mesh.cores, chips)
            slot[here] = _slots(weights[here][:, here], distance, mesh, steps)
    x, y = _positions(slot, mesh)
    return Places(chip, x, y)


def _steps(parts: int, cores: int, chips: int) -> int:
    """Exchanges on each of so many chips; one step looks at ``parts * cores``."""
    wanted = min(max(_STEPS // chips, _FEWEST_STEPS), _STEPS_A_PART * parts)
    return min(wanted, _EXCHANGES // (chips * max(parts, 1) * cores))


def _positions(slot: np.ndarray, mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the cores of a chip."""
    tile = slot // mesh.cores_per_tile
    return tile % (mesh.columns or 1), tile // (mesh.columns or 1)


def _distances(mesh: Mesh) -> np.ndarray:
    """Steps between any two cores of a chip, int64."""
    x, y = _positions(np.arange(mesh.cores or 0), mesh)
    return np.abs(x[:, None] - x) + np.abs(y[:, None] - y)


def _exact(sent: sparse.csr_matrix) -> sparse.csr_matrix:
    """Symmetric whole-number weights."""
    both = (sent + sent.T).tocsr()
    peak = both.data.max() if both.nnz else 0.0
    if peak > 0:
        both.data = np.rint(both.data * (_EXACT / peak))
    both.eliminate_zeros()
    both.sort_indices()
    return both


def _chips(weights: sparse.csr_matrix, layers: np.ndarray, room: int) -> np.ndarray:
    """A chip for each part: layer order, or a partition where less crosses."""
    count = int(layers.max(initial=0)) + 1
    if count == 1:
        return layers
    found = _evened(weights, _partition(weights, [1 / count] * count), [room] * count)

    def crossing(chip: np.ndarray) -> float:
        pairs = weights.tocoo()
        return float(pairs.data[chip[pairs.row] != chip[pairs.col]].sum())

    return found if crossing(found) < crossing(layers) else layers


def _partition(weights: sparse.csr_matrix, shares: list[float]) -> np.ndarray:
    """METIS: parts of about these shares with little weight between them."""
    import pymetis

    if weights.shape[0] < len(shares) or not weights.nnz:
        return np.arange(weights.shape[0]) % len(shares)
    scaled = np.maximum(np.rint(weights.data * (_METIS_SCALE / weights.data.max())), 1)
    _, chosen = pymetis.part_graph(
        len(shares),
        pymetis.CSRAdjacency(weights.indptr.tolist(), weights.indices.tolist()),
        eweights=scaled.astype(int).tolist(),
        tpwgts=shares,
        recursive=True,
        options=pymetis.Options(seed=_SEED),
    )
    return np.asarray(chosen, np.int64)


def _evened(weights: sparse.csr_matrix, chosen: np.ndarray, room: list[int]) -> np.ndarray:
    """Move the parts that lose least out of groups that hold more than there is room for."""
    chosen = chosen.copy()
    groups = len(room)
    held = np.bincount(chosen, minlength=groups)
    while (held > room).any():
        full = int(np.argmax(held - room))
        inside = np.flatnonzero(chosen == full)
        member = sparse.csr_matrix(
            (np.ones(chosen.size), (np.arange(chosen.size), chosen)), (chosen.size, groups)
        )
        pull = (weights[inside] @ member).toarray()
        gain = pull - pull[:, [full]]
        gain[:, held >= room] = -np.inf
        part, to = np.unravel_index(int(np.argmax(gain)), gain.shape)
        chosen[inside[part]] = to
        held[full] -= 1
        held[to] += 1
    return chosen


def _slots(weights: sparse.csr_matrix, distance: np.ndarray, mesh: Mesh, steps: int) -> np.ndarray:
    """A core of the chip for each of its parts: the best of the starts, improved."""
    parts, cores = weights.shape[0], distance.shape[0]
    columns = (mesh.columns or 1) * mesh.cores_per_tile
    order = np.arange(cores)
    turned = (order // columns) % 2 == 1
    snake = np.where(turned, order // columns * columns + columns - 1 - order % columns, order)
    snake = snake[snake < cores]
    starts = [order[:parts], snake[:parts], _nested(weights, mesh)]
    if cores <= _MAX_EXCHANGED:
        dense = weights.toarray().astype(np.int64)
        starts = [_exchanged(dense, distance, start, steps) for start in starts]
    pairs = weights.tocoo()
    hops = [float(pairs.data @ distance[s[pairs.row], s[pairs.col]]) for s in starts]
    return starts[int(np.argmin(hops))]


def _nested(weights: sparse.csr_matrix, mesh: Mesh) -> np.ndarray:
    """Halve the mesh across its longer side and the parts with it, again and again."""
    parts = weights.shape[0]
    slot = np.zeros(parts, np.int64)
    x, y = _positions(np.arange(mesh.cores or 0), mesh)

    def halve(members: np.ndarray, cores: np.ndarray) -> None:
        if not members.size:
            return
        if cores.size == 1 or members.size == 1:
            slot[members] = cores[: members.size]
            return
        wide = np.ptp(x[cores]) >= np.ptp(y[cores])
        cores = cores[np.lexsort((cores, y[cores], x[cores]) if wide else (x[cores], y[cores]))]
        half = cores.size // 2
        share = half / cores.size
        inner = weights[members][:, members]
        side = _partition(inner, [share, 1 - share])
        side = _evened(inner, side, [half, cores.size - half])
        halve(members[side == 0], cores[:half])
        halve(members[side == 1], cores[half:])

    halve(np.arange(parts), np.arange(mesh.cores or 0))
    return slot


def _exchanged(
    weights: np.ndarray, distance: np.ndarray, slot: np.ndarray, steps: int
) -> np.ndarray:
    """Tabu search: at each step the exchange of two places (one may be empty) that saves most or
    costs least, except those that put back what moved a short while ago; the best seen is kept.
    """
    parts, cores = weights.shape[0], distance.shape[0]
    # empty places are parts without messages
    full = np.zeros((parts, cores), np.int64)
    full[:, :parts] = weights
    at = np.concatenate([slot, np.setdiff1d(np.arange(cores), slot)])
    # of each part if it were at each core, the others where they are
    cost = full @ distance[at]
    until = np.zeros((parts, cores), np.int64)
    own = np.zeros(cores, np.int64)
    self_pairs = np.arange(parts)
    saved, best, found = 0, 0, at[:parts].copy()
    for step in range(steps):
        here = cost[:, at]
        own[:parts] = here[self_pairs, self_pairs]
        change = here - own[:parts, None] - own + 2 * full * distance[at[:parts, None], at]
        change[:, :parts] += here[:, :parts].T
        barred = until[:, at] > step
        barred[:, :parts] |= barred[:, :parts].T
        barred &= saved + change >= best
        barred[self_pairs, self_pairs] = True
        change[barred] = np.iinfo(np.int64).max
        i, j = (int(k) for k in np.unravel_index(int(np.argmin(change)), change.shape))
        if barred[i, j]:
            break
        saved += int(change[i, j])
        tenure = step + 20 + step * 7919 % 61
        until[i, at[i]] = tenure
        moved = full[:, i] - full[:, j] if j < parts else full[:, i]
        if j < parts:
            until[j, at[j]] = tenure
        cost += np.multiply.outer(moved, distance[at[j]] - distance[at[i]])
        at[[i, j]] = at[[j, i]]
        if saved < best:
            best, found = saved, at[:parts].copy()
    return found
