"""A program of `lif` populations as a Network of spiking nodes: its integers in real units."""

from __future__ import annotations

from math import prod

import networkx as nx
import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.network.network import Network
from neurodeploy.network.nodes import Add, Conv, Dense, Input, Node, Output, Permute
from neurodeploy.network.spiking_nodes import Delay, Spiking
from neurodeploy.program import INPUT, Connection, Convolution, Lif, Population, Program
from neurodeploy.program.neurons.lif import DECAY_ONE
from neurodeploy.program.triplets import triplets

__all__ = ["program_network"]

#: Synapses of a list that are written out as a matrix.
_MOST_ENTRIES = 2**24


def program_network(program: Program) -> Network:
    """The network that a program computes, within a sample.

    Quiet steps at a sample's end are left out: they keep samples apart.

    Raises
    ------
    ProgramError
        Neurons that are not `lif`, initial membranes, input that is coded, windows that do not
        meet, or a list of more synapses than a matrix may have.
    """
    if not program.encoder.code.varies and program.encoder.encoding != "current":
        raise ProgramError(
            f"the input is coded ({program.encoder.encoding}), which a network has no node for"
        )
    shape = program.encoder.shape
    nodes: list[Node] = [Input("input", shape=shape)]
    inputs: dict[str, tuple[str, ...]] = {}
    loops = nx.DiGraph((c.source, c.target) for c in program.connections)
    within = {n: k for k, part in enumerate(nx.strongly_connected_components(loops)) for n in part}

    def add(node: Node, *sources: str) -> str:
        nodes.append(node)
        inputs[node.name] = sources
        return node.name

    for p in program.order:
        neuron = _lif(p)
        arriving = []
        for k, c in enumerate(program.incoming(p.name)):
            name = f"{p.name}.{c.source}.{k}" if len(program.incoming(p.name)) > 1 else p.name
            lead = program.lead(c)
            on_cycle = c.source != INPUT and within[c.source] == within[p.name]
            if lead < 0 or (on_cycle and lead == 0 and c.source == p.name):
                raise ProgramError(
                    f"a message arrives {-lead} steps before the window that it is for",
                    place=c.name,
                )
            source = "input" if c.source == INPUT else f"{c.source}.neuron"
            if lead:
                late = Delay(f"{name}.delay", shape=program.shape_of(c.source), steps=lead)
                source = add(late, source)
            arriving.append(add(_layer(program, c, name, p), source))
            if (made := nodes[-1].output_shape([program.shape_of(c.source)])) != p.shape:
                assert prod(made) == p.size
                arriving[-1] = add(Permute(f"{name}.shape", shape=p.shape), arriving[-1])
        if not arriving:
            raise ProgramError("nothing reaches it", place=p.name)
        drive = arriving[0] if len(arriving) == 1 else add(Add(f"{p.name}.sum"), *arriving)
        scale = p.membrane_unit * 2**neuron.shift
        bias = neuron.bias.astype(np.float64).reshape(p.shape) * p.membrane_unit
        add(
            Spiking(
                f"{p.name}.neuron",
                current_leak=(neuron.du + 1) / DECAY_ONE,
                membrane_leak=neuron.dv / DECAY_ONE,
                threshold=neuron.threshold * scale or scale,
                reset=neuron.reset,
                bias=bias if bias.any() else 0.0,
            ),
            drive,
        )
    add(Output("output"), f"{program.decoder.population}.neuron")
    return Network(nodes, inputs)


def _lif(p: Population) -> Lif:
    if type(p.neuron) is not Lif or p.channel_units:
        raise ProgramError(
            f"neurons of the kind {p.neuron.kind!r} are none of a network's", place=p.name
        )
    if p.neuron.v_initial or (p.neuron.threshold == 0 and p.neuron.reset != "none"):
        raise ProgramError(
            "it begins a sample with a membrane, or fires at 0, which a network's neurons do not",
            place=p.name,
        )
    return p.neuron


def _layer(program: Program, c: Connection, name: str, p: Population) -> Node:
    """The synapses with real weights: an input of 1 adds what its integer does."""
    neuron = _lif(p)
    unit = program.encoder.unit if c.source == INPUT else 1.0
    factor = p.membrane_unit * 2**neuron.shift * 2**c.exponent / unit
    synapses = c.synapses
    if isinstance(synapses, Convolution):
        weight = (synapses.weights * factor).astype(np.float32)
        zeros = np.zeros(len(weight), np.float32)
        return Conv(
            name, weight, zeros, synapses.stride, synapses.padding, synapses.dilation,
            synapses.groups,
        )  # fmt: skip
    size = prod(program.shape_of(c.source))
    if size * p.size > _MOST_ENTRIES:
        raise ProgramError(f"{size * p.size} entries of a matrix", place=c.name)
    matrix = np.zeros((p.size, size))
    to, at, weights = triplets(synapses, program.shape_of(c.source))
    np.add.at(matrix, (to, at), weights * factor)
    return Dense(name, matrix.astype(np.float32), np.zeros(p.size, np.float32))
