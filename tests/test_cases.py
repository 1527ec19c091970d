"""Inputs that once failed, by kind: which test holds the right value of each.

| kind | test |
| --- | --- |
| max pooling (and what else) that reads an input with an offset | conversion/test_input_offset.py::test_outputs_follow_the_network |
| a source that never fires | bit_accuracy/test_simulate.py::test_a_population_that_never_fires_sends_nothing |
| a maximum of two connections | bit_accuracy/test_simulate.py::test_the_maximum_of_several_connections |
| negative weights into a maximum | bit_accuracy/test_simulate.py::test_negative_weights_into_a_maximum |
| 2-d population shapes | bit_accuracy/test_simulate.py::test_shapes_of_any_number_of_axes |
| pooling pads as large as the kernel | bit_accuracy/test_simulate.py::test_pooling_whose_windows_lie_outside |
| a maximum as decoder, or without source | bit_accuracy/test_simulate.py::test_a_maximum_as_decoder_and_without_source |
| the longest period | test_hostile_files.py::test_a_long_window_is_bounded_at_once |
| huge padding | test_hostile_files.py::test_a_huge_map_is_described_at_once_and_refused_where_it_would_take_long |
| headers of arrays | test_hostile_files.py::test_a_header_in_a_program |
| huge integers in TOML | test_hostile_files.py::test_numbers_and_texts_of_a_target |
| weights around 1e-38 (tinyw) | test_hostile_files.py::test_activations_around_1e_38 |
| weights in a second file (61wnd) | importing/test_hostile.py::test_external_data |
| neurons that can never fire | conversion/test_silent_neurons.py::test_the_living_keep_their_resolution |
| one logit | metrics/test_cases.py::test_one_logit_on_the_command_line |
| event counts as integers | samples/test_checks.py::test_counts_give_the_same_as_integers_and_as_floats |
| max pooling under a rate code | conversion/test_max_pooling.py::test_outputs_follow_the_network |
| a residual network at few steps | test_cases.py::test_a_residual_network_at_few_steps_is_announced |
| weights computed from constants (LoRA, weight norm) | importing/test_constant_subgraphs.py::test_becomes_a_weight |
| a classifier of scikit-learn | importing/test_sklearn.py::test_compiled |
| float labels, several outputs | metrics/test_cases.py::test_float_labels_from_a_file |
| one channel far out of range | passes/test_equalize.py::test_programs_of_scaled_networks |
| channels 16 decades apart | conversion/test_resolution.py::test_a_clip_holds_the_channels_where_they_are |
| frames folded into the batch | importing/test_causes.py::test_frames_in_the_batch |
| activations of L levels | test_cases.py::test_clip_floor_shift |
| samples beyond the calibrated range | samples/test_checks.py::test_samples_beyond_the_range_say_how_many_and_by_how_much |
"""  # noqa: E501

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

import neurodeploy as nd
from neurodeploy.network import Activation, Add, Conv, Dense, Input, Network, Output, Pool
from neurodeploy.network.onnx_export import to_onnx

HERE = Path(__file__).parent
ROWS = [row.split("|")[2].strip() for row in __doc__.splitlines()[4:] if row.startswith("| ")]


@pytest.mark.parametrize("test", ROWS)
def test_every_kind_has_its_test(test):
    file, name = test.split("::")
    tree = ast.parse((HERE / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def compiled(model, x, **options):
    lines = []
    program = nd.compile(model, x, warn=lines.append, **options)
    return program, lines


def outputs_of(model, x):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def residual(blocks=4, channels=6):
    rng = np.random.default_rng(0)

    def conv(name, inputs, scale=1.0):
        weight = rng.standard_normal((channels, inputs, 3, 3)) * scale * np.sqrt(2 / (9 * inputs))
        bias = rng.standard_normal(channels) / 10
        return Conv(name, weight.astype(np.float32), bias.astype(np.float32), padding=(1,) * 4)

    nodes = [Input("x", (2, 8, 8)), conv("stem", 2), Activation("r")]
    inputs = {"stem": ("x",), "r": ("stem",)}
    last = "r"
    for k in range(blocks):
        names = [f"{part}{k}" for part in ("a", "ra", "b", "s", "rs")]
        a, ra, b, total, rs = names
        nodes += [conv(a, channels), Activation(ra), conv(b, channels, 0.6), Add(total),
                  Activation(rs)]  # fmt: skip
        inputs |= {a: (last,), ra: (a,), b: (ra,), total: (b, last), rs: (total,)}
        last = rs
    head = rng.standard_normal((10, channels * 16)) / 10
    nodes += [Pool("pool"), Dense("head", head.astype(np.float32), np.zeros(10, np.float32))]
    inputs |= {"pool": (last,), "head": ("pool",), "output": ("head",)}
    return to_onnx(Network([*nodes, Output("output")], inputs))


def test_a_residual_network_at_few_steps_is_announced():
    """It fell far below the ANN without a word; more levels bring it back."""
    model = residual()
    x = np.random.default_rng(1).uniform(0, 1, (128, 2, 8, 8)).astype(np.float32)
    ann = outputs_of(model, x).argmax(1)
    program, lines = compiled(model, x, steps=8)
    few = (nd.simulate(program, x).predictions == ann).mean()
    assert few < 0.9
    assert any("keep the ANN's class" in line for line in lines)
    program, lines = compiled(model, x, scheme="ttfs", steps=256)
    assert (nd.simulate(program, x).predictions == ann).mean() > 0.95
    assert not any("keep the ANN's class" in line for line in lines)


def clip_floor_shift(levels=8):
    """Two layers as PyTorch exports them, with the straight-through form."""
    rng = np.random.default_rng(2)
    nodes, constants = [], {"zero": 0.0, "one": 1.0, "L": float(levels), "half": 0.5}
    last, size = "x", 24
    for k, width in enumerate((40, 32)):
        constants[f"w{k}"] = rng.standard_normal((size, width)) * np.sqrt(2 / size)
        constants[f"b{k}"], constants[f"t{k}"] = rng.standard_normal(width) / 10, 2.5 + k
        steps = [("Gemm", f"{last} w{k} b{k}", "h"), ("Div", f"h t{k}", "d"),
                 ("Clip", "d zero one", "c"), ("Mul", "c L", "m"), ("Add", "m half", "a"),
                 ("Floor", "a", "f"), ("Div", "f L", "e"), ("Sub", "e c", "s"),
                 ("Add", "c s", "q"), ("Mul", f"t{k} q", "o")]  # fmt: skip
        own = {out for _, _, out in steps}
        for kind, reads, out in steps:
            names = [f"{n}.{k}" if n in own else n for n in reads.split()]
            nodes.append(helper.make_node(kind, names, [f"{out}.{k}"]))
        last, size = f"o.{k}", width
    constants["v"] = rng.standard_normal((size, 10)) / np.sqrt(size)
    nodes.append(helper.make_node("MatMul", [last, "v"], ["y"]))
    graph = helper.make_graph(
        nodes, "qcfs",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 24])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def test_clip_floor_shift(tmp_path):
    """Refused at Floor once. The second layer of a rate code reads uneven spikes: near only."""
    model = clip_floor_shift()
    onnx.save(model, tmp_path / "m.onnx")
    x = (np.random.default_rng(3).integers(0, 9, (200, 24)) / 8).astype(np.float32)
    exact = outputs_of(model, x)
    for scheme, least in (("rate", 0.8), ("ttfs", 0.97)):
        program, lines = compiled(model, x, scheme=scheme, steps=8)
        result = nd.simulate(program, x)
        assert (result.predictions == exact.argmax(1)).mean() >= least
        assert not any("levels" in line for line in lines)
    assert any("with --steps 8 each" in line for line in compiled(model, x)[1])
    explained = nd.explain(program, x, model=tmp_path / "m.onnx", try_seconds=0)
    assert all(row.stepped < 0.01 for row in explained.rows)
