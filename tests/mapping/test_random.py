"""Random programs on small chips: every neuron once, every limit kept, every synapse somewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest
from built import chain, dense
from built import pilotnet as pilotnet_program
from hypothesis import given, settings
from hypothesis import strategies as st

import neurodeploy as nd
from neurodeploy.cost.fan_out import fan_out_into
from neurodeploy.errors import UsageError
from neurodeploy.mapping import map_program
from neurodeploy.mapping.placement import place
from neurodeploy.mapping.traffic import flow, spikes_of
from neurodeploy.program import INPUT
from neurodeploy.targets import Core, Memory, Mesh, load_target
from neurodeploy.testing.programs import random_program

SHARED = Path(__file__).resolve().parents[3] / "shared"
BASE = load_target("loihi2")


def small_target(rng):
    """A chip with tight limits, some of them too tight for one neuron."""

    def limit(low, high):
        return None if rng.random() < 0.3 else int(rng.integers(low, high))

    columns, rows, tile = (int(n) for n in rng.integers(1, 5, 3))
    return replace(
        BASE,
        core=Core(
            limit(3, 80), limit(10, 200), limit(10, 200), limit(20, 800), bool(rng.random() < 0.5)
        ),
        memory=Memory(64, *(int(n) for n in rng.integers(1, 13, 5)), row_synapses=limit(1, 9)),
        mesh=Mesh(columns * rows * tile, columns, rows, tile),
    )


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 2**32))
def test_random_programs(seed):
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng)
    target = small_target(rng)
    placement = "traffic" if seed % 10 == 0 else "layers"
    mapping = map_program(program, target, placement=placement)

    placed = {p.name: np.zeros(p.shape, int) for p in program.populations}
    placed[INPUT] = np.zeros(program.encoder.shape, int)
    for part in mapping.parts:
        placed[part.population][tuple(slice(*ends) for ends in part.box)] += 1
    assert all((count == 1).all() for count in placed.values())

    if mapping.ok:
        assert all(
            use.limit is None or use.value <= use.limit for c in mapping.cores for use in c.uses
        )
    else:
        # only what a single neuron breaks alone, or what the program's own integers break
        assert all(finding.remedy for finding in mapping.findings if not finding.ok)
    over = {
        (core.populations[0], use.resource)
        for core in mapping.cores
        for use in core.uses
        if use.limit is not None and use.value > use.limit
    }
    told = {(f.layer, f.rule.removesuffix(" a core")) for f in mapping.findings if not f.ok}
    assert over <= told
    assert not any(resource == "neurons" for _, resource in over)

    _check_synapses(program, mapping)
    held = Counter((core.chip, core.x, core.y) for core in mapping.cores)
    assert max(held.values()) <= target.mesh.cores_per_tile
    assert all(c.x < target.mesh.columns and c.y < target.mesh.rows for c in mapping.cores)
    if seed % 20 == 0:
        assert map_program(program, target, placement=placement) == mapping


def _check_synapses(program, mapping):
    """Over a connection's parts synapses add up; axons are the sources that have some."""
    owner = {}
    for k, part in enumerate(mapping.parts):
        shape = program.shape_of(part.population)
        owners = owner.setdefault(part.population, np.zeros(shape, np.int64))
        owners[tuple(slice(*ends) for ends in part.box)] = k
    axons, out = (np.zeros(len(mapping.parts), np.int64) for _ in range(2))
    kinds = {p.name: p.neuron for p in program.populations}
    for k, part in enumerate(mapping.parts):  # a synapse from each compartment to the next
        if part.population in kinds:
            own = prod(high - low for low, high in part.box)
            own *= kinds[part.population].compartments - 1
            axons[k] += own
            out[k] += own
    for connection in program.connections:
        shape = program.shape_of(connection.source)
        total = np.zeros(int(np.prod(shape)), np.int64)
        for k, part in enumerate(mapping.parts):
            if part.population != connection.target:
                continue
            fan_out = fan_out_into(
                connection.synapses, shape, program.shape_of(part.population), part.box
            )
            total += fan_out
            axons[k] += np.count_nonzero(fan_out)
            senders = owner[connection.source].reshape(-1)[fan_out > 0]
            out += np.bincount(senders, minlength=len(out))
        assert (total == connection.synapses.fan_out(shape)).all()
    assert [part.input_axons for part in mapping.parts] == axons.tolist()
    assert [part.output_axons for part in mapping.parts] == out.tolist()


def test_traffic_counts_every_message_and_hop():
    """Two cores that talk to two, every message by hand."""
    core = Core(neurons=2)
    target = replace(BASE, core=core, mesh=Mesh(4, 2, 2))
    program = chain((4,), dense(4, 4))
    mapping = map_program(program, target, {INPUT: 8}, placement="layers")
    # cores 0 1 / 2 3: each input core sends 2 spikes from each of 2 neurons to cores 2 and 3
    assert [core.y for core in mapping.cores] == [0, 0, 1, 1]
    assert mapping.flow.messages == 16
    assert mapping.flow.hops == 4 * (1 + 2 + 2 + 1)
    assert mapping.flow.crossings == 0


@pytest.mark.parametrize("columns", [8, 16])
def test_placement_by_traffic_beats_layer_order(columns):
    target = replace(BASE, mesh=Mesh(128, columns, 128 // columns))
    program = pilotnet_program()
    layers, traffic = (
        map_program(program, target, placement=name).flow for name in ("layers", "traffic")
    )
    assert layers.messages == traffic.messages
    assert traffic.hops <= 0.7 * layers.hops


def test_several_chips():
    target = replace(BASE, mesh=Mesh(16, 4, 4))
    program = pilotnet_program()
    layers, traffic = (map_program(program, target, placement=n) for n in ("layers", "traffic"))
    assert layers.chips == traffic.chips == -(-len(traffic.cores) // 16)
    assert traffic.flow.crossings <= layers.flow.crossings
    for chip in range(traffic.chips):
        assert sum(core.chip == chip for core in traffic.cores) <= 16


def test_spikes_weigh():
    program = chain((4,), dense(4, 4))
    one = map_program(program, spikes={INPUT: 4.0, "p0": 0.0})
    two = map_program(program, spikes={INPUT: 8.0, "p0": 0.0})
    assert two.flow.messages == 2 * one.flow.messages
    assert one.notes == ("traffic: spikes as counted",)
    for wrong in ({"nobody": 1.0}, {INPUT: -1.0}, {INPUT: float("nan")}):
        with pytest.raises(UsageError):
            map_program(program, spikes=wrong)


def test_another_placement_is_refused():
    with pytest.raises(UsageError, match="placement"):
        map_program(chain((4,), dense(4, 4)), placement="anywhere")


def test_a_network_without_messages():
    from scipy import sparse

    empty = sparse.csr_matrix((3, 3))
    places = place(empty, Mesh(4, 2, 2), "traffic")
    assert len({(c, x, y) for c, x, y in zip(places.chip, places.x, places.y, strict=True)}) == 3
    assert flow(empty, places).messages == 0


@pytest.mark.skipif(not SHARED.exists(), reason="shared models are not here")
def test_resnet20_by_counted_spikes():
    with np.load(SHARED / "data" / "cifar10_test.npz") as data:
        x = data["x"][:40].transpose(0, 3, 1, 2)
    program = nd.compile(
        SHARED / "models" / "resnet20_cifar10.onnx",
        x[8:],
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    spikes = spikes_of(program, x[:2])
    layers, traffic = (
        map_program(program, "loihi2", spikes, placement) for placement in ("layers", "traffic")
    )
    assert layers.ok
    assert traffic.ok
    assert traffic.chips == 1
    assert traffic.flow.hops <= 0.7 * layers.flow.hops
