"""Currents that a connection brings, by whichever way computes it."""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import Take
from neurodeploy.simulator.events import Events, pooled
from neurodeploy.simulator.plan import Arrival
from neurodeploy.simulator.units import as_units

__all__ = ["Sent", "add_currents"]

#: Events by source; by (source, length of a table) as spikes of either sign; by these and a window
#: with the positions of windows taken together.
Sent = dict[str | tuple[object, ...], Events]


def add_currents(
    arrival: Arrival, block: np.ndarray, first: int, sent: Sent, take: Take, *, keep: bool
) -> None:
    """Currents of a connection into a block: added to it, or (not `keep`) in its place.

    1. A weight for each neuron: under the bits of its source; always added.
    2. What cannot be gathered: spike by spike; always added.
    3. All else: by the way that is chosen for this block.

    Parameters
    ----------
    block
        Integers (steps, neurons filled up to whole words), internal order.
    first
        Event step of the block's first row; steps before 0 bring nothing.
    sent
        What the sources sent. Windows of pooled positions are kept in it.
    """
    events = sent[arrival.connection.source]
    if arrival.diagonal is not None:
        if arrival.payloads:
            kernels.add_diagonal_integers(block, first, events.bits, events.sent, arrival.diagonal)
        else:
            kernels.add_diagonal(block, first, events.bits, arrival.diagonal)
        return
    if not arrival.can_gather:
        way = arrival.scatter
        value = events.value if arrival.payloads else events.value[:0]
        way.kernel(block, first, events.index, events.start, value, *way.arguments)
        return
    shift = arrival.connection.exponent
    arrival.expect(events)

    def gather() -> None:
        tables = arrival.gather
        at = _entries(arrival, sent, take, tables.behind)
        kernels.gather(
            block, first, at.index, at.place, tables.table, tables.geometry, shift, keep,
            take("", "scratch", (tables.lanes,), arrival.dtype),
            take("", "lines", (tables.rows, 2), np.int64),
        )  # fmt: skip

    def stamp() -> None:
        tables = arrival.stamp
        at = _entries(arrival, sent, take, tables.behind)
        kernels.stamp(
            block, first, at.index, at.start, tables.table, tables.where, tables.geometry, keep
        )

    def multiply() -> None:
        if arrival.product.is_exact:
            arrival.product.add(events, block, first, shift, keep, take)
        else:
            arrival.choice.forget_product()
            gather()

    begin, end = max(first, 0), max(first + len(block), 0)
    arrival.choice.run(
        len(block),
        int((events.start[end] - events.start[begin]) * arrival.units),
        {"gather": gather, "stamp": stamp, "product": multiply},
    )


def _entries(arrival: Arrival, sent: Sent, take: Take, behind: int) -> Events:
    """The source's messages as the connection's tables number them.

    Parameters
    ----------
    behind
        How far behind the entries of weights those of negated weights are.
    """
    source, field = arrival.connection.source, arrival.field
    events, owner = sent[source], source
    # where nothing is negated, all tables number alike
    behind = behind if arrival.signed else 0
    if arrival.payloads:
        if (source, behind) not in sent:
            sent[source, behind] = as_units(events, arrival.sends, behind, take, source)
        events, owner = sent[source, behind], f"{source} {behind}"
    if field.window != (1, 1):
        key = (source, behind, field.window) if arrival.payloads else (source, field.window)
        if key not in sent:
            window = str(field.window)
            positions = prod(arrival.source[1:]) // prod(field.window)
            room = Events(
                take(owner, "index" + window, (events.index.size,), np.int32),
                events.start,
                take(owner, "place" + window, (events.steps, positions + 1), np.int64),
            )
            sent[key] = pooled(events, arrival.source, field.window, room)
        events = sent[key]
    return events.flat() if field.flat else events
