"""`graded_relu` on Lava: its own `GradedReluVec`, with a spiking neuron for the biases."""

from __future__ import annotations

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.proc.dense.process import Dense
from lava.proc.graded.process import GradedReluVec, GradedVec
from lava.proc.lif.process import LIF
from lava.utils.weightutils import SignMode

from neurodeploy.lava.neurons.process import Window, process_of, step_of
from neurodeploy.program.neurons import GradedRelu
from neurodeploy.program.neurons.graded_relu import bias_parts
from neurodeploy.program.neurons.lif import NO_CURRENT_MEMORY

__all__: list[str] = []


@process_of.register
def _(neuron: GradedRelu, window: Window) -> AbstractProcess:
    if not window.stock:
        return step_of(neuron, window)
    process = (GradedVec if neuron.signed else GradedReluVec)(shape=window.shape, vth=0)
    bias = window.laid(neuron.bias)
    if bias.any():
        # what the constant neuron sends at the first step arrives at the second
        process.v.init = bias.astype(np.int32)
        _feed(process, bias.reshape(-1))
    return process


def _feed(process: AbstractProcess, bias: np.ndarray) -> None:
    """Neurons that spike at every step, and the synapses that make biases of it."""
    parts = bias_parts(bias)
    constant = LIF(shape=(len(parts),), du=NO_CURRENT_MEMORY, dv=0, vth=0, bias_mant=1, bias_exp=0)
    for exponent in sorted({exponent for _, exponent in parts}):
        columns = [w if e == exponent else np.zeros_like(w) for w, e in parts]
        # mixed signs keep even weights only: twice the weight, one exponent less
        synapses = Dense(
            weights=2 * np.stack(columns, axis=1).astype(np.int32),
            weight_exp=exponent - 1,
            sign_mode=SignMode.MIXED,
        )
        constant.s_out.connect(synapses.s_in)
        out, target = synapses.a_out, process.a_in
        (out if out.shape == target.shape else out.reshape(target.shape)).connect(target)
