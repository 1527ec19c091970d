"""Programs with a known fault: the layer and the cause are named first."""

from __future__ import annotations

from dataclasses import replace

import pytest

import neurodeploy as nd
from neurodeploy.network.stages import stages
from neurodeploy.program import IntegrateFire
from neurodeploy.program.neurons.lif import STOCK_SHIFT
from neurodeploy.quantization.layer import Arrival, LayerPlan, quantize_layer
from neurodeploy.targets import load_target

BOTH = pytest.mark.parametrize("scheme", ["rate", "ttfs"])


def blamed(made, program, **options):
    return nd.explain(program, made.x, model=made.path, **options)


@BOTH
@pytest.mark.parametrize("place", [0, 2, 3])
def test_a_layer_that_clips(made, schemes, scheme, place):
    name = made.names()[place]
    found = blamed(made, made.program(schemes[scheme](), {name: 0.25}))
    assert (found.blame.layer, found.blame.cause) == (name, "clipping")
    assert "lambda" in found.blame.finding
    row = found.row(name)
    if scheme == "ttfs" or place == 0:  # behind it, uneven spikes keep some from every step
        assert row.above == pytest.approx(row.saturated, abs=0.02)
    assert row.above > 0.05
    assert row.peak == pytest.approx(4 * row.level, rel=1e-3)
    others = [r for r in found.rows if r.kind == "relu" and r.name != name]
    assert all(r.alone["clipping"] < row.alone["clipping"] / 10 for r in others)


@BOTH
def test_a_tiny_percentile(make, made, scheme):
    program = nd.compile(
        made.path, made.x, scheme, 256, balance="percentile", percentile=50, bias_correction=False
    )
    found = blamed(made, program)
    assert found.blame.cause == "clipping"
    assert "--percentile (now 50" in found.blame.advice
    assert found.summary[1].error > 0.8 * found.summary[-1].error


@BOTH
@pytest.mark.parametrize("place", [1, 3])
def test_a_layer_with_too_high_a_lambda(made, schemes, scheme, place):
    """Its activity is rounded to silence."""
    name = made.names()[place]
    found = blamed(made, made.program(schemes[scheme](), {name: 400.0}))
    assert (found.blame.layer, found.blame.cause) == (name, "silence")
    assert "lower lambda" in found.blame.advice
    row = found.row(name)
    assert row.lost > 0.5
    assert row.dead > 0
    assert found.blame.numbers["least_squares_level"] < row.level / 4


def test_too_few_steps(made, schemes):
    found = blamed(made, made.program(schemes["ttfs"](4)))
    assert found.blame.cause in ("steps", "silence")
    assert "more --steps (now 4)" in found.blame.advice
    finer = blamed(made, made.program(schemes["ttfs"](256)))
    assert finer.summary[-1].error < found.summary[-1].error / 5


@BOTH
def test_an_outlier_weight(make, with_outlier, schemes, scheme):
    made = make(with_outlier(200.0))
    name = made.names()[2]
    found = blamed(made, made.program(schemes[scheme](1024)))
    assert (found.blame.layer, found.blame.cause) == (name, "weights")
    assert found.blame.numbers["outlier_channel"] == 2
    assert "channel 2" in found.blame.finding


@BOTH
def test_a_spoiled_threshold(made, schemes, scheme):
    program = made.program(schemes[scheme]())
    name = made.names()[1]

    def spoil(population):
        if population.name != name:
            return population
        neuron = population.neuron
        if isinstance(neuron, IntegrateFire):
            return replace(population, neuron=replace(neuron, threshold=neuron.threshold * 2))
        return replace(population, neuron=replace(neuron, slope=neuron.slope * 2))

    spoiled = replace(program, populations=tuple(map(spoil, program.populations)))
    found = blamed(made, spoiled)
    assert (found.blame.layer, found.blame.cause) == (name, "threshold")
    assert found.blame.numbers["gain"] == pytest.approx(0.5)
    assert found.row(name).alone["threshold"] == pytest.approx(0.5)
    healthy = blamed(made, program)
    assert all(row.alone["threshold"] == 0 for row in healthy.rows)


@BOTH
def test_a_spoiled_weight(made, schemes, scheme):
    """One synapse of a program edited: the layer is named, whatever the others lose."""
    program = made.program(schemes[scheme]())
    name = made.names()[2]

    def spoil(connection):
        if connection.target != name:
            return connection
        weights = connection.synapses.weights.copy()
        weights[:4] = 0
        return replace(connection, synapses=replace(connection.synapses, weights=weights))

    found = blamed(made, replace(program, connections=tuple(map(spoil, program.connections))))
    assert (found.blame.layer, found.blame.cause) == (name, "weights")


def test_reset_to_zero(made, schemes):
    found = blamed(made, made.program(schemes["rate"](16, reset="zero")))
    assert found.blame.cause == "timing"
    assert "--reset subtract" in found.blame.advice
    # the half threshold in the bias is no rounding of weights
    assert all(row.alone["weights"] < 0.05 for row in found.rows)


def test_random_input(made, schemes):
    found = blamed(made, made.program(schemes["rate"](16, encoding="poisson")))
    assert (found.blame.layer, found.blame.cause) == ("input", "timing")
    assert "--encoding current" in found.blame.advice


def with_stock_registers(made, program, name):
    """The program with a layer of `lif` neurons that reset by subtraction, whose currents wrap."""
    stage = next(s for s in stages(made.network) if s.name == name)
    (path,) = stage.paths
    population = program.population(name)
    unit = program.population(path.source).spike_value
    arrival = Arrival(path.source, path.operator, unit, 0, 1, graded=False, delay=1)
    plan = LayerPlan(
        population.spike_value, "subtract", 0.5, 0.0, tuple(range(STOCK_SHIFT, -1, -1))
    )
    layer = quantize_layer(stage, (arrival,), plan, load_target("loihi2"), program.period)
    neuron = {"neuron": layer.neuron, "membrane_unit": layer.membrane_unit, "channel_units": ()}
    return replace(
        program,
        populations=tuple(
            replace(p, **neuron) if p.name == name else p for p in program.populations
        ),
        connections=(
            *(c for c in program.connections if c.target != name),
            *layer.connections,
        ),
    )


def test_a_current_that_wraps(make, wide, schemes):
    """A layer's shift raised, its other integers with it: the same layer, but the sums of its
    many inputs leave 24 bit."""
    made = make(wide)
    name = made.names()[1]
    program = with_stock_registers(made, made.program(schemes["rate"](64)), name)
    neuron = program.population(name).neuron
    more = STOCK_SHIFT - neuron.shift
    assert more > 1

    def raise_shift(population):
        if population.name != name:
            return population
        raised = replace(
            neuron,
            shift=STOCK_SHIFT,
            v_initial=neuron.v_initial << more,
            bias_exponent=neuron.bias_exponent + more,
        )
        return replace(population, neuron=raised, membrane_unit=population.membrane_unit / 2**more)

    spoiled = replace(program, populations=tuple(map(raise_shift, program.populations)))
    assert not any(row.wrapped for row in blamed(made, program).rows)
    found = blamed(made, spoiled)
    row = found.row(name)
    assert row.wrapped > 0
    assert row.alone["weights"] < 0.01
    assert (found.blame.layer, found.blame.cause) == (name, "overflow")
    assert f"{row.wrapped:,} of its currents wrapped" in found.blame.finding
