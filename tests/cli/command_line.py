"""The command as a process of its own, what a refusal looks like, and a model to begin with."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from neurodeploy.testing.command_process import run_command


def run(*arguments, cwd, env=None):
    """The command, its output as text."""
    return run_command([str(argument) for argument in arguments], cwd, env)


def refused(result, *words):
    """One message on stderr, exit code 2, nothing on stdout, no traceback."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    return result.stderr


def tiny_model(path, *, nodes=None, weight=None, shape=("n", 6), outputs=3):
    """x @ weight, ReLU, @ weight: enough to compile."""
    rng = np.random.default_rng(0)
    if weight is None:
        weight = rng.standard_normal((6, 4)).astype(np.float32)
    head = rng.standard_normal((4, outputs)).astype(np.float32)
    graph = helper.make_graph(
        nodes
        or [
            helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
            helper.make_node("Relu", ["a"], ["b"], "relu"),
            helper.make_node("MatMul", ["b", "h"], ["y"], "head"),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(head, "h")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path
