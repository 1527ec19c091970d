"""A trained network as a NIR graph, which `neurodeploy compile` takes."""

from __future__ import annotations

import os
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np

from neurodeploy.files import write_atomically
from neurodeploy.network.nir_export import nir_bytes, nir_library
from neurodeploy.training.fostdgd.network import IntegrateAndFireNetwork
from neurodeploy.training.fostdgd.synapses import ConvolutionalSynapses

__all__ = ["nir_graph", "save_nir"]


def nir_graph(network: IntegrateAndFireNetwork) -> Any:
    """The network as a ``nir.NIRGraph``: Linear and Conv2d, IF, and an integrator (I) at the end.

    NIR does not say what a spike does: compile with ``--reset`` as the network has it. The output
    is the read-out's input added up over the steps, ``steps`` times what the network returns.

    Raises
    ------
    UsageError
        The extra ``nir`` is not installed.
    """
    nir = nir_library()
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array(network.input_shape)})}
    shape = network.input_shape
    for number, synapses in enumerate(network.synapses, 1):
        weight = synapses.weight.detach().to("cpu").float().numpy()
        if isinstance(synapses, ConvolutionalSynapses):
            nodes[f"conv{number}"] = nir.Conv2d(
                shape[1:], weight, synapses.stride, synapses.padding, 1, 1,
                np.zeros(len(weight), np.float32),
            )  # fmt: skip
        else:
            if len(shape) > 1:
                nodes[f"flatten{number}"] = nir.Flatten({"input": np.array(shape)}, 0, -1)
            nodes[f"fc{number}"] = nir.Linear(weight)
        shape = synapses.shape
        ones = np.ones(shape, np.float32)
        if number < len(network.synapses):
            threshold = network.threshold * ones
            resets = any(field.name == "v_reset" for field in fields(nir.IF))
            nodes[f"neurons{number}"] = nir.IF(
                ones, threshold, **({"v_reset": 0 * ones} if resets else {})
            )
        else:
            nodes["readout"] = nir.I(ones)
    nodes["output"] = nir.Output({"output": np.array(shape)})
    return nir.NIRGraph(nodes=nodes, edges=list(pairwise(nodes)))


def save_nir(network: IntegrateAndFireNetwork, path: str | os.PathLike[str]) -> None:
    """Write `nir_graph` to a file, whole or not at all.

    Raises
    ------
    UsageError, StorageError
    """
    write_atomically(os.fsdecode(path), nir_bytes(nir_graph(network)))
