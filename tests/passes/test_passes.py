"""Each pass keeps the function and does what its cases say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.importing import load_network
from neurodeploy.network import (
    Activation,
    Add,
    Conv,
    Dense,
    Input,
    Network,
    Output,
    Permute,
    Pool,
)
from neurodeploy.network.compose import is_channel_affine
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.passes import (
    FoldBatchNorm,
    FoldDense,
    FoldPooling,
    L4Correction,
    run_passes,
    standard_passes,
)

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def chain(*nodes):
    every = [*nodes, Output("out")]
    return Network(every, {b.name: (a.name,) for a, b in itertools.pairwise(every)})


def normal(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


def random_network(seed):
    """A CNN with batch norm on either side of the ReLUs, poolings and a dense head."""
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 4))
    nodes, shape = [Input("x", (channels, 12, 12))], (channels, 12, 12)
    for i in range(int(rng.integers(1, 4))):
        outputs = int(rng.integers(2, 6))
        pad = int(rng.integers(0, 2)) if shape[1] > 4 else 1
        blocks = [
            Conv(f"conv{i}", normal(rng, outputs, shape[0], 3, 3), normal(rng, outputs),
                 padding=(pad,) * 4)
        ]  # fmt: skip

        def affine(name, count=outputs):
            return Conv(name, normal(rng, count, 1, 1, 1), normal(rng, count), groups=count)

        if rng.random() < 0.5:
            blocks.append(affine(f"before{i}"))
        blocks.append(Activation(f"relu{i}"))
        if rng.random() < 0.4:
            blocks.append(affine(f"after{i}"))
        if rng.random() < 0.5 and shape[1] >= 6:
            blocks.append(Pool(f"pool{i}"))
        for block in blocks:
            shape = block.output_shape([shape])
        nodes += blocks
    size = int(np.prod(shape))
    nodes += [Permute("flat", (size,)), Dense("head", normal(rng, 4, size), normal(rng, 4))]
    return chain(*nodes)


def same_function(before, after, seed=0):
    x = np.random.default_rng(seed).standard_normal((3, *before.shapes[before.input.name]))
    a = Evaluator(before).run(x.astype(np.float32))[before.output.name]
    b = Evaluator(after).run(x.astype(np.float32))[after.output.name]
    np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * max(1, np.abs(a).max()))


@SETTINGS
@given(st.integers(0, 2**32 - 1))
def test_standard_passes_keep_the_function(seed):
    before = random_network(seed)
    after = run_passes(before, standard_passes())
    same_function(before, after)
    kinds = {type(node) for node in after}
    assert Permute not in kinds
    assert not any(is_channel_affine(n) and n.name != "conv0" for n in after if n.name != "head")


@SETTINGS
@given(st.integers(0, 2**32 - 1))
def test_l4_keeps_the_function_and_equalises(seed):
    before = run_passes(random_network(seed), standard_passes())
    after = L4Correction(bound=1e9).apply(before)
    same_function(before, after)
    for node in after:
        behind = [after[c] for c in after.consumers_of(node.name)]
        if isinstance(node, Conv | Dense) and isinstance(behind[0], Activation):
            readers = [after[c] for c in after.consumers_of(behind[0].name)]
            if not all(isinstance(r, Conv | Dense) for r in readers):
                continue
            norms = (node.weight.reshape(len(node.weight), -1).astype(float) ** 4).sum(1) ** 0.25
            np.testing.assert_allclose(norms, norms[0], rtol=1e-4)


def test_l4_is_bounded():
    weights = np.array([[1.0, 0], [100.0, 0], [0.001, 0], [1, 1]], np.float32)
    before = chain(
        Input("x", (2,)),
        Dense("a", weights, np.zeros(4, np.float32)),
        Activation("r"),
        Dense("b", np.ones((2, 4), np.float32), np.zeros(2, np.float32)),
    )
    after = L4Correction(bound=4.0).apply(before)
    ratio = after["a"].weight[:, 0] / weights[:, 0]
    assert ratio.min() == pytest.approx(0.25)
    assert ratio.max() == pytest.approx(4.0)
    same_function(before, after)


def test_l4_leaves_clipped_relu_and_branches_alone():
    rng = np.random.default_rng(0)
    head = Dense("b", normal(rng, 2, 4), normal(rng, 2))
    clipped = chain(
        Input("x", (3,)),
        Dense("a", normal(rng, 4, 3), normal(rng, 4)),
        Activation("r", maximum=6.0),
        head,
    )
    np.testing.assert_array_equal(L4Correction().apply(clipped)["a"].weight, clipped["a"].weight)
    skip = Network(
        [
            Input("x", (3,)),
            Dense("a", normal(rng, 4, 3), normal(rng, 4)),
            Activation("r"),
            Dense("c", normal(rng, 4, 4), normal(rng, 4)),
            Add("sum"),
            Activation("r2"),
            head,
            Output("out"),
        ],
        {
            "a": ("x",),
            "r": ("a",),
            "c": ("r",),
            "sum": ("c", "r"),
            "r2": ("sum",),
            "b": ("r2",),
            "out": ("b",),
        },
    )
    same_function(skip, L4Correction().apply(skip))


def test_fashion(fashion, fashion_test):
    """The reference network: four convolutions and two dense layers are all that is left."""
    before = load_network(str(fashion / "model.onnx")).network
    after = run_passes(before, (FoldPooling(), FoldBatchNorm(), FoldDense()))
    kinds = [type(node).__name__ for node in after]
    assert kinds.count("Conv") == 4
    assert kinds.count("Dense") == 2
    assert len(after) == 2 + 6 + 5
    x = fashion_test[0][:20].astype(np.float32) / 255
    a = Evaluator(before).run(x)["output"]
    np.testing.assert_allclose(Evaluator(after).run(x)["output"], a, atol=1e-4)
    np.testing.assert_allclose(
        Evaluator(L4Correction().apply(after)).run(x)["output"], a, atol=1e-3
    )


def test_a_pass_does_not_touch_its_argument():
    before = random_network(1)
    names = [node.name for node in before]
    run_passes(before, standard_passes())
    assert [node.name for node in before] == names
