"""Spikes between parts, and how far they go."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from neurodeploy.mapping.mapping import Flow
from neurodeploy.mapping.placement import Places
from neurodeploy.mapping.splitting import Cut
from neurodeploy.program import INPUT, Connection, Program

__all__ = ["arriving", "flow", "messages", "spikes_of"]


def arriving(program: Program) -> dict[str, list[Connection]]:
    """Connections by the population that they end at, in program order."""
    names = [INPUT, *(p.name for p in program.populations)]
    found: dict[str, list[Connection]] = {name: [] for name in names}
    for connection in program.connections:
        found[connection.target].append(connection)
    return found


def messages(
    program: Program, cuts: Mapping[str, Cut], spikes: Mapping[str, float] | None
) -> sparse.csr_matrix:
    """Mean messages a sample from part to part, float64 (parts, parts): ``[source, target]``.

    Parameters
    ----------
    cuts
        Of each population, in the order of the parts.
    spikes
        Mean spikes a sample of whole populations; a population that is not named is taken to
        spike once a neuron. Within a population all neurons are taken to spike alike.
    """
    spikes = spikes or {}
    first, total = {}, 0
    for name, cut in cuts.items():
        first[name], total = total, total + cut.grid.parts
    rows, columns, values = [], [], []
    incoming = arriving(program)
    for name, cut in cuts.items():
        for connection, fan in zip(incoming[name], cut.fans, strict=True):
            source = cuts[connection.source].grid
            neurons = int(source.sizes().sum())
            rate = float(spikes.get(connection.source, neurons)) / neurons
            met = fan.overlap(source).tocoo()
            rows.append(first[connection.source] + met.col)
            columns.append(first[name] + met.row)
            values.append(rate * met.data)
    if not rows:
        return sparse.csr_matrix((total, total))
    at = (np.concatenate(rows), np.concatenate(columns))
    sent = sparse.coo_matrix((np.concatenate(values), at), (total, total)).tocsr()
    sent.setdiag(0)
    sent.eliminate_zeros()
    return sent


def flow(sent: sparse.csr_matrix, places: Places) -> Flow:
    """What the messages sum up to at these places."""
    pairs = sent.tocoo()
    here, there = pairs.row, pairs.col
    apart = places.chip[here] != places.chip[there]
    steps = np.abs(places.x[here] - places.x[there]) + np.abs(places.y[here] - places.y[there])
    return Flow(
        messages=float(pairs.data.sum()),
        hops=float((pairs.data * steps)[~apart].sum()),
        crossings=float(pairs.data[apart].sum()),
    )


def spikes_of(program: Program, x: np.ndarray) -> dict[str, float]:
    """Mean messages a sample of every population and the input, counted on samples.

    Parameters
    ----------
    x
        (n, *sample shape), as `simulate` takes them.
    """
    from neurodeploy.simulator.encoding import levels
    from neurodeploy.simulator.input_messages import messages_by_input
    from neurodeploy.simulator.simulation import simulate

    result, _ = simulate(program, x)
    counted = {name: float(spikes.mean()) for name, spikes in result.spikes.items()}
    level = levels(program.encoder, x)
    sent = messages_by_input(program, level)
    return counted | {INPUT: float(sent.sum()) / max(len(x), 1)}
