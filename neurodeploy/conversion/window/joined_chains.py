"""A program of changes as one of a population a layer, which says the same of a frame alone.

`Changes.chain` makes several populations of a layer. Of the first frame after all began anew, a
`delta` sends what it receives, so one population behind the shift computes what they do.
"""

from __future__ import annotations

from dataclasses import replace

from neurodeploy.conversion.window.messages import DELTA, SIGMA
from neurodeploy.program import INPUT, Connection, GradedRelu, Population, Program, SigmaDelta

__all__ = ["by_layer"]


def by_layer(program: Program) -> Program:
    """The program for frames alone, without the populations whose names have endings."""
    names = {p.name for p in program.populations}
    inner = {f"{name}{ending}" for name in names for ending in (SIGMA, DELTA)} & names
    phases = {INPUT: 1}
    populations: list[Population] = []
    connections: list[Connection] = []
    for p in program.order:
        if p.name in inner:
            continue
        reads = program.incoming(p.name + SIGMA if p.name + SIGMA in inner else p.name)
        phase = 1 + max((phases[c.source] for c in reads), default=0)
        connections += [
            Connection(c.source, p.name, c.synapses, c.exponent, phase - phases[c.source])
            for c in reads
        ]
        populations.append(_joined(program, p, phase))
        phases[p.name] = phase
    return replace(
        program, populations=tuple(populations), connections=tuple(connections), refresh=1
    )


def _joined(program: Program, p: Population, phase: int) -> Population:
    """A population with the shift of the one before it, at another phase."""
    neuron = p.neuron
    if any(c.source == p.name + DELTA for c in program.incoming(p.name)):
        shift = program.population(p.name + DELTA).neuron.synapse_shift
        assert isinstance(neuron, SigmaDelta)
        neuron = replace(neuron, shift=shift)
    elif isinstance(neuron, GradedRelu) and p.name == program.decoder.population:
        neuron = SigmaDelta(neuron.bias, 1, neuron.shift, neuron.bits, "sigma")
    return replace(p, neuron=neuron, phase=phase)
