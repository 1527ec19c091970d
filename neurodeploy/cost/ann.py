"""Multiply-accumulates of the network that a program came from."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

from neurodeploy.program import Program

__all__ = ["AnnCost", "ann_cost"]


@dataclass(frozen=True)
class AnnCost:
    """Dense multiply-accumulates a sample.

    Attributes
    ----------
    basis
        ``model``: of the float network; every kernel tap counts, in the padding too, poolings and
        biases do not. ``program``: one for each synapse of the program, whose poolings are folded
        into their neighbours and whose relays count.
    layers
        By layer (basis ``model``) or connection (basis ``program``).
    """

    basis: Literal["model", "program"]
    multiply_accumulates: int
    layers: dict[str, int]


def ann_cost(program: Program, model: str | Path | None = None) -> AnnCost:
    """Count from the ONNX file that was compiled, or from the synapses where it is not given.

    Raises
    ------
    NeuroDeployError
        `model` is another one, or cannot be read.
    """
    if model is None:
        layers: dict[str, int] = {}
        for c in program.connections:
            synapses = int(c.synapses.fan_out(program.shape_of(c.source)).sum())
            layers[c.name] = layers.get(c.name, 0) + synapses
        return AnnCost("program", sum(layers.values()), layers)
    # here, so that costing a program alone needs no onnx
    from neurodeploy.importing import load_network
    from neurodeploy.ledger.source_model import find_model, recorded_output
    from neurodeploy.network import Conv, Dense
    from neurodeploy.passes import FoldBatchNorm, run_passes

    imported = load_network(find_model(program, model), recorded_output(program))
    network = run_passes(imported.network, (FoldBatchNorm(),))
    layers = {}
    for node in network:
        if isinstance(node, Dense):
            layers[node.name] = int(node.weight.size)
        elif isinstance(node, Conv):
            positions = prod(network.shapes[node.name][1:])
            layers[node.name] = int(node.weight.size) * positions
    return AnnCost("model", sum(layers.values()), layers)
