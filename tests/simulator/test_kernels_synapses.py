"""Each way to compute a connection, beside NumPy: the currents of any block of any steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import count
from itertools import product as product_of
from math import prod
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Dense,
    Encoder,
    Levels,
    Lif,
    Population,
    Program,
    Sparse,
)
from neurodeploy.simulator import gathering, kernels, matrix_product, product, stamping
from neurodeploy.simulator.buffers import Workspace
from neurodeploy.simulator.currents import add_currents
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.events import Events, events_of, pooled
from neurodeploy.simulator.layout import internal_order
from neurodeploy.simulator.matrix_product import MatrixProduct
from neurodeploy.testing.comparing import cut_of, tile_of
from neurodeploy.testing.synapses import convolution, flat, identity, volume

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def currents(synapses, source, x):
    """What one step's integers x (sources,) bring, int64 (targets,)."""
    if isinstance(synapses, Dense):
        return synapses.weights.astype(np.int64) @ x
    if isinstance(synapses, Sparse):
        found = np.zeros(synapses.row_starts.size - 1, np.int64)
        rows = np.repeat(np.arange(found.size), np.diff(synapses.row_starts))
        np.add.at(found, rows, synapses.weights * x[synapses.columns])
        return found
    return convolved(synapses, x.reshape(source)).reshape(-1)


def convolved(synapses, x):
    """ONNX ``Conv`` of one map, by windows."""
    top, left, bottom, right = synapses.padding
    x = np.pad(x, ((0, 0), (top, bottom), (left, right)))
    (down, across), (rows, columns) = synapses.stride, synapses.dilation
    outputs, per_group, high, wide = synapses.weights.shape
    size = ((high - 1) * rows + 1, (wide - 1) * columns + 1)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))
    windows = windows[:, ::down, ::across, ::rows, ::columns]
    windows = windows.reshape(synapses.groups, per_group, *windows.shape[1:])
    weights = synapses.weights.reshape(synapses.groups, -1, per_group, high, wide)
    found = np.einsum("gcyxhw,gochw->goyx", windows, weights.astype(np.int64))
    return found.reshape(outputs, *found.shape[2:])


def engine_for(synapses, source, target, exponent, largest=None, least=None):
    """An engine of one connection: from spikes, or from integers up to `largest`, either sign."""
    graded = largest is not None
    encoder = Encoder(source, "deterministic", 2.0**-16, 0, 2**16)
    if graded:
        least = -largest if least is None else least
        encoder = Encoder(source, "current", 1.0, least, largest)
    population = Population("a", target, Lif(np.zeros(prod(target), np.int16), 1), 2)
    connection = Connection(INPUT, "a", synapses, exponent=exponent, graded=graded)
    return Engine(Program((population,), (connection,), encoder, Decoder("a", 1.0), 4))


def drawn(rng, kind):
    """(synapses, source shape, target shape)."""
    wide = bool(rng.random() < 0.5)
    source = (
        int(rng.choice([1, 2, 3, 4, 6, 16, 17])),
        int(rng.integers(1, 7)),
        int(rng.choice([*range(1, 9), 12, 33])),
    )
    if kind == "dense":
        targets = int(rng.choice([1, 7, 16, 64, 100, 300]))
        tried = (flat(rng, source, targets) for _ in count())
        return next(s for s in tried if isinstance(s, Dense)), source, (targets,)
    tried = (convolution(rng, source, wide) for _ in count())
    synapses = next(s for s in tried if kind == "any convolution" or s.groups == 1)
    return synapses, source, synapses.output_shape(source)


def block_of(rng, layer, rows):
    """A block with something in it."""
    shape = (rows, layer.words * kernels.WORD)
    return rng.integers(-50, 50, shape).astype(layer.dtype)


def check(rng, engine, messages, way=None):
    """The currents of some steps, added and in place, beside a product in NumPy."""
    (layer,) = engine.plan.layers
    (arrival,) = layer.arrivals
    if way is not None:
        arrival.choice.only = way
    source, size = arrival.source, prod(arrival.target)
    positions = prod(source[1:]) if len(source) == 3 else 1
    events = events_of(messages[:, internal_order(source)], positions)
    if rng.random() < 0.5:  # not every source has them at hand
        events = replace(events, sent=events.sent[:0], bits=events.bits[:0])
    first = int(rng.integers(-3, len(messages)))
    rows = int(rng.integers(1, len(messages) - first + 1))
    arrived = np.zeros((rows, prod(source)), np.int64)
    for s in range(max(-first, 0), rows):
        arrived[s] = messages[first + s]
    synapses, exponent = arrival.connection.synapses, arrival.connection.exponent
    expected = np.stack([currents(synapses, source, x)[layer.order] for x in arrived]) << exponent
    for keep in (True, False) if arrival.can_gather else (True,):
        block = block_of(rng, layer, rows)
        wanted = expected + (block[:, :size].astype(np.int64) if keep else 0)
        add_currents(arrival, block, first, {INPUT: events}, Workspace().take, keep=keep)
        np.testing.assert_array_equal(block[:, :size], wanted.astype(layer.dtype))
    return layer.dtype


def spikes(rng, source, steps=6):
    density = rng.choice([0.0, 0.05, 0.3, 1.0])
    return (rng.random((steps, prod(source))) < density).astype(np.int32)


@pytest.mark.parametrize(
    ("kind", "way"),
    [*product_of(("convolution", "dense"), ("gather", "product")), ("convolution", "stamp")],
)
def test_gathered_stamped_and_multiplied(kind, way):
    dtypes, done = set(), Counter()

    @MANY
    @given(SEEDS)
    def run(seed):
        rng = np.random.default_rng(seed)
        synapses, source, target = drawn(rng, kind)
        engine = engine_for(synapses, source, target, int(rng.integers(0, 8)))
        number = int(rng.integers(0, 1000))
        with (
            mock.patch.object(gathering, "_tile", lambda field, *_: tile_of(field, number)),
            mock.patch.object(stamping, "_cut", lambda weights: cut_of(weights, number)),
            # products of one step or of several
            mock.patch.object(product, "ROWS_BYTES", int(rng.choice([1, 5000, 1_000_000]))),
        ):
            (arrival,) = engine.plan.layers[0].arrivals
            if way not in arrival.choice.ways:
                field = arrival.field
                if way == "product":  # a byte counts the spikes of a window; narrow ones
                    lanes = product._tile(field) * field.outputs
                    assert prod(field.window) > 127 or 16 < lanes < 32
                else:  # a run of weights stays in its row
                    assert field.out[1] * field.outputs < stamping._runs(field).length
                return
            dtypes.add(check(rng, engine, spikes(rng, source), way))
            done[way] += 1

    run()
    assert dtypes == {np.int16, np.int32}
    assert done[way] > 50


@pytest.mark.parametrize(
    ("kind", "way"),
    [*product_of(("convolution", "dense"), ("gather", "product")), ("convolution", "stamp")],
)
def test_small_integers(kind, way):
    """As spikes: by number, and with negated weights below 0."""
    done, ranges = Counter(), Counter()

    @MANY
    @given(SEEDS)
    def run(seed):
        rng = np.random.default_rng(seed)
        synapses, source, target = drawn(rng, kind)
        high = int(rng.choice([1, 2, 3, 8]))
        low = int(rng.choice([0, -1, -high]))
        engine = engine_for(synapses, source, target, int(rng.integers(0, 8)), high, low)
        number = int(rng.integers(0, 1000))
        with (
            mock.patch.object(gathering, "_tile", lambda field, *_: tile_of(field, number)),
            mock.patch.object(stamping, "_cut", lambda weights: cut_of(weights, number)),
            mock.patch.object(product, "ROWS_BYTES", int(rng.choice([1, 5000, 1_000_000]))),
        ):
            (arrival,) = engine.plan.layers[0].arrivals
            if not arrival.can_gather:  # there is no 128 to negate -128 to
                assert low < 0
                assert synapses.weights.min() == -128
                done["scattered"] += 1
            elif way not in arrival.choice.ways:
                return
            else:
                done[way] += 1
                ranges[np.sign(low), high > 1] += 1
            messages = spikes(rng, source) * rng.integers(low, high + 1, (6, prod(source)))
            check(rng, engine, messages.astype(np.int32), way if arrival.can_gather else None)

    run()
    assert done[way] > 30
    assert done["scattered"] > 1
    assert set(ranges) == {(0, False), (0, True), (-1, False), (-1, True)}


@pytest.mark.parametrize("columns", [1, 7, 16, 17, 24, 31, 32, 33, 50, 64, 100])
def test_a_library_that_multiplies_wrongly_is_not_used(columns, monkeypatch):
    """Its product is tried when it is made; where it fails, all goes on without."""
    rng = np.random.default_rng(columns)
    synapses = Dense(rng.integers(-128, 128, (columns, 90)).astype(np.int8))
    engine = engine_for(synapses, (90,), (columns,), 0)
    choice = engine.plan.layers[0].arrivals[0].choice
    # known to be wrong with some versions on some processors
    assert ("product" in choice.ways) == (not 16 < columns < 32)
    weights = np.ascontiguousarray(synapses.weights.T)
    made = matrix_product._session
    assert MatrixProduct(weights, 1).is_exact or 16 < columns < 32

    class Wrong:
        """In the last column of the 32nd row."""

        def __init__(self, *arguments):
            self.session = made(*arguments)

        def run(self, *arguments):
            (found,) = self.session.run(*arguments)
            found = found.copy()
            found[31, -1] += 1
            return [found]

    monkeypatch.setattr(matrix_product, "_session", Wrong)
    assert not MatrixProduct(weights, 1).is_exact
    for way in choice.ways:
        check(rng, engine, spikes(rng, (90,)), way)
    assert choice.ways == ("gather",)


def test_a_source_of_integers_that_are_all_0():
    """Pooled: lists without entries have the room that kernels write beyond their end."""
    synapses = Dense(np.array([[7, -128], [3, 5]], np.int8).repeat(16, 1))
    engine = engine_for(synapses, (2, 4, 4), (2,), 0, 0, 0)
    (arrival,) = engine.plan.layers[0].arrivals
    assert arrival.can_gather
    assert arrival.field.window == (4, 4)
    check(np.random.default_rng(0), engine, np.zeros((6, 32), np.int32), "gather")


@pytest.mark.parametrize(("height", "multiplied"), [(7, True), (8, False), (17, False)])
def test_windows_that_a_byte_cannot_count(height, multiplied):
    """A mean over a map of 112, 128 and 272 positions, all of which fire."""
    source = (2, height, 16)
    few = np.array([[127, -128], [3, 5]], np.int8)
    synapses = Dense(few.repeat(height * 16, 1))
    engine = engine_for(synapses, source, (2,), 0)
    (arrival,) = engine.plan.layers[0].arrivals
    assert arrival.field.window == source[1:]
    assert arrival.choice.ways == (("gather", "product") if multiplied else ("gather",))
    for way in arrival.choice.ways:
        check(np.random.default_rng(0), engine, np.ones((6, prod(source)), np.int32), way)


@pytest.mark.parametrize("kind", ["any convolution", "dense", "sparse", "volume"])
def test_scattered(kind):
    """Payloads, in accumulators of every width."""
    dtypes = set()

    @MANY
    @given(SEEDS)
    def run(seed):
        rng = np.random.default_rng(seed)
        if kind == "sparse":
            source, targets = (int(rng.integers(1, 40)),), int(rng.integers(1, 40))
            synapses = flat(rng, source, targets)
            target = (targets,)
        elif kind == "volume":
            source = (int(rng.choice([24, 54, 60])),)
            synapses = volume(rng, source[0])
            target = (synapses.row_starts.size - 1,)
        else:
            synapses, source, target = drawn(rng, kind)
        high = int(rng.choice([1, 100, 2**23 - 1]))
        engine = engine_for(synapses, source, target, int(rng.integers(0, 8)), high)
        messages = spikes(rng, source) * rng.integers(-high, high + 1, (6, prod(source)))
        dtypes.add(check(rng, engine, messages.astype(np.int32)))

    run()
    assert dtypes == {np.int16, np.int32, np.int64}


@MANY
@given(SEEDS)
def test_groups_and_lists_of_spikes(seed):
    rng = np.random.default_rng(seed)
    if rng.random() < 0.5:
        synapses, source, target = drawn(rng, "any convolution")
    else:
        source, targets = (int(rng.integers(1, 40)),), int(rng.integers(1, 40))
        synapses, target = flat(rng, source, targets), (targets,)
    engine = engine_for(synapses, source, target, int(rng.integers(0, 4)))
    check(rng, engine, spikes(rng, source))


@MANY
@given(SEEDS)
def test_diagonal(seed):
    """From a population, whose spikes are bits or small integers, to another of its shape."""
    rng = np.random.default_rng(seed)
    most = int(rng.choice([1, 3]))
    shape = (int(rng.integers(1, 20)), int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    size, exponent = prod(shape), int(rng.integers(0, 8))
    synapses = identity(rng, size)
    lif = Lif(np.zeros(size, np.int16), 1)
    sender = Levels(np.zeros(size, np.int16), tuple(range(1, most + 1)))
    program = Program(
        (Population("a", shape, sender, 2), Population("b", shape, lif, 3)),
        (Connection("a", "b", synapses, exponent=exponent, graded=True),),
        Encoder((1,), "deterministic", 2.0**-16, 0, 2**16),
        Decoder("b", 1.0),
        4,
    )
    engine = Engine(program)
    layer = engine.plan.layers[1]
    (arrival,) = layer.arrivals
    sent = spikes(rng, shape)[:, layer.order] * rng.integers(1, most + 1, (6, size))
    assert arrival.payloads == (most > 1)
    events = events_of(sent, shape[1] * shape[2])
    first = int(rng.integers(-3, 4))
    rows = int(rng.integers(1, 6 - first + 1))
    block = block_of(rng, layer, rows)
    wanted = block[:, :size].astype(np.int64)
    for s in range(max(-first, 0), rows):
        wanted[s] += sent[first + s] * (synapses.weights[layer.order].astype(np.int64) << exponent)
    assert arrival.diagonal is not None
    add_currents(arrival, block, first, {"a": events}, Workspace().take, keep=True)
    np.testing.assert_array_equal(block[:, :size], wanted)


def test_one_to_one_but_not_a_diagonal():
    """A permutation, a missing synapse, another shape: computed as lists."""
    size = 6
    lif = Lif(np.zeros(size, np.int16), 1)

    def arrival(columns, starts, shape=(size,)):
        weights = np.ones(len(columns), np.int8)
        synapses = Sparse(weights, np.array(columns, np.int32), np.array(starts, np.int64), size)
        program = Program(
            (Population("a", (size,), lif, 2), Population("b", shape, lif, 3)),
            (Connection("a", "b", synapses),),
            Encoder((1,), "deterministic", 2.0**-16, 0, 2**16),
            Decoder("b", 1.0),
            4,
        )
        return Engine(program).plan.layers[1].arrivals[0]

    order, starts = list(range(size)), list(range(size + 1))
    assert arrival(order, starts).diagonal is not None
    assert arrival(order[::-1], starts).diagonal is None
    assert arrival(order[1:], [0, 0, *starts[1:-1]]).diagonal is None
    assert arrival(order, starts, (2, 3, 1)).diagonal is None


@MANY
@given(SEEDS)
def test_pooled_events(seed):
    """Windows of positions taken together: what each holds, channel by channel."""
    rng = np.random.default_rng(seed)
    high, wide, channels = (int(n) for n in rng.integers(1, 5, 3))
    rows, columns = (int(n) for n in rng.integers(1, 5, 2))
    shape = (channels, high * rows, wide * columns)
    sent = spikes(rng, (shape[1], shape[2], channels)).reshape(6, shape[1], shape[2], channels)
    events = events_of(sent.reshape(6, -1), shape[1] * shape[2])
    place = np.empty((6, rows * columns + 1), np.int64)
    room = Events(np.empty_like(events.index), events.start, place)
    found = pooled(events, shape, (high, wide), room)
    counts = sent.reshape(6, rows, high, columns, wide, channels).sum((2, 4)).reshape(6, -1)
    assert found.place[-1, -1] == counts.sum()
    for s in range(6):
        begin, end = found.start[s], found.start[s + 1]
        sizes = np.diff(found.place[s])
        assert (found.place[s, 0], found.place[s, -1]) == (begin, end)
        listed = np.bincount(found.index[begin:end], minlength=counts.shape[1])
        np.testing.assert_array_equal(listed, counts[s])
        position = np.repeat(np.arange(sizes.size), sizes)
        np.testing.assert_array_equal(found.index[begin:end] // channels, position)
