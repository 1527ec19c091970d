"""Networks trained with activations of L levels: exact where the steps are L."""

import warnings
from itertools import pairwise

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.conversion.levels import notes_on_levels
from neurodeploy.conversion.rate import RateScheme
from neurodeploy.network import Activation, Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.network.onnx_export import to_onnx
from neurodeploy.network.stages import stages
from neurodeploy.passes import JoinLate

LEVELS = 8


def network(rng, layers, levels=LEVELS, classes=5):
    """Weights are sums of few int8, and the layers' scales powers of two: int8 holds them."""

    def whole(*shape):
        return (rng.integers(-127, 128, shape) / 256).astype(np.float32)

    nodes = [Input("x", (20,))]
    size = 20
    for k in range(layers):
        nodes.append(Dense(f"dense{k}", whole(32, size), whole(32)))
        nodes.append(Activation(f"act{k}", maximum=3.0 + k, levels=levels))
        size = 32
    head = whole(classes, size) if classes else np.eye(size, dtype=np.float32)
    bias = whole(classes) if classes else np.zeros(size, np.float32)
    nodes += [Dense("last", head, bias), Output("output")]
    names = [node.name for node in nodes]
    return Network(nodes, {b: (a,) for a, b in pairwise(names)})


def compiled(net, x, **options):
    lines = []
    program = nd.compile(to_onnx(net), x, try_samples=0, warn=lines.append, **options)
    return program, [line for line in lines if "levels" in line]


def both(net, x, program):
    exact = Evaluator(net).run(x)["output"]
    return nd.simulate(program, x).outputs, exact


def samples(rng, n=256, grid=LEVELS):
    """On the grid of the input, ends included: L levels of a time code, 255 of a current."""
    x = rng.integers(0, grid + 1, (n, 20)) / grid
    x[0], x[1] = 0, 1
    return x.astype(np.float32)


@pytest.mark.parametrize(("scheme", "layers"), [("rate", 1), ("ttfs", 1), ("ttfs", 3)])
def test_exact_in_as_many_steps(scheme, layers):
    """The first layer of a rate code reads an even input; a time code all of its layers."""
    rng = np.random.default_rng(layers)
    net, x = network(rng, layers, classes=0), samples(rng, grid=255 if scheme == "rate" else LEVELS)
    program, lines = compiled(net, x, scheme=scheme, steps=LEVELS)
    assert not lines
    found, exact = both(net, x, program)
    step = net[f"act{layers - 1}"].maximum / LEVELS
    same = np.abs(found - exact) < step / 4
    assert same.mean() > (
        0.99 if scheme == "rate" else 0.999
    )  # but for what int8 moves over the edge of a step
    assert np.abs(found - exact).max() < 1.01 * step
    for p in program.populations[:-1]:  # the clip's own lambda
        assert p.spike_value == pytest.approx(net[p.name.replace("dense", "act")].maximum)


def test_a_deep_rate_code_is_near_and_other_steps_are_told():
    rng = np.random.default_rng(7)
    net, x = network(rng, 2), samples(rng)
    agreement = {}
    for steps in (4, LEVELS, 64):
        program, lines = compiled(net, x, scheme="rate", steps=steps)
        found, exact = both(net, x, program)
        agreement[steps] = (found.argmax(1) == exact.argmax(1)).mean()
        assert [f"with --steps {LEVELS} " in line for line in lines] == [True] * (steps != LEVELS)
    assert agreement[LEVELS] > 0.9
    assert agreement[LEVELS] > agreement[4]


def test_balance_and_percentile_do_not_move_a_trained_threshold():
    rng = np.random.default_rng(3)
    net, x = network(rng, 1), samples(rng)
    levels = {
        compiled(net, x, steps=LEVELS, **options)[0].populations[0].spike_value
        for options in ({"balance": "max"}, {"balance": "mmse"}, {"percentile": 50.0})
    }
    assert levels == {3.0}


def test_what_is_said():
    rng = np.random.default_rng(3)
    two = network(rng, 2)
    mixed = two.replace(Activation("act1", maximum=4.0, levels=4))
    plain = two.replace(*(Activation(f"act{k}", maximum=4.0) for k in range(2)))

    def said(net, **options):
        return notes_on_levels(stages(net), RateScheme(**options))

    assert said(two, steps=LEVELS) == said(plain, steps=32) == []
    assert "no number of steps" in said(mixed, steps=LEVELS)[0]
    assert "--reset subtract" in said(two, steps=LEVELS, reset="zero")[0]
    with pytest.warns(nd.CompileWarning, match=f"with --steps {LEVELS} each"):
        nd.compile(to_onnx(two), samples(rng), try_samples=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nd.compile(to_onnx(two), samples(rng), steps=LEVELS, try_samples=0)
    assert not any("levels" in str(w.message) for w in caught)


def test_explain_measures_against_the_staircase(tmp_path):
    rng = np.random.default_rng(5)
    net, x = network(rng, 2), samples(rng)
    path = tmp_path / "m.onnx"
    path.write_bytes(to_onnx(net).SerializeToString())
    program, _ = compiled(net, x, scheme="ttfs", steps=LEVELS)
    found = nd.explain(program, x, model=path)
    rows = {row.name: row for row in found.rows}
    for row in rows.values():
        assert row.stepped < 0.01  # the network's own steps are no error
        assert row.clipped < 0.01


def test_max_pooling_and_concatenation_keep_the_levels():
    rng = np.random.default_rng(2)
    weight = rng.standard_normal((3, 2, 3, 3)).astype(np.float32)
    relu = Activation("act", maximum=2.0, levels=LEVELS)
    net = Network(
        [
            Input("x", (2, 8, 8)),
            Conv("conv", weight, np.zeros(3, np.float32)),
            Pool("pool", "max"),
            relu,
            Output("output"),
        ],
        {"conv": ("x",), "pool": ("conv",), "act": ("pool",), "output": ("act",)},
    )
    x = (rng.integers(0, LEVELS + 1, (32, 2, 8, 8)) / LEVELS).astype(np.float32)
    program, lines = compiled(net, x, scheme="ttfs", steps=LEVELS)
    assert not lines
    assert JoinLate().apply(net)["act"].levels == LEVELS
    found, exact = both(net, x, program)
    assert np.isclose(found, exact).mean() > 0.97  # int8, and ties
