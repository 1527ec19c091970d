"""`lif` on Lava: its own `LIFReset` for the stock neuron, a process of ours for all others."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.lif.process import LIFReset

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.lava.updates import LifRule
from neurodeploy.program.neurons import Lif

__all__ = ["Neurons", "NeuronsModel"]


class Neurons(WindowProcess):
    """The neuron of `docs/semantics.md`, section 3, with every parameter free.

    Where `neuron.is_stock` holds it equals Lava's `LIFReset`; elsewhere it stands for
    Loihi 2 microcode.
    """

    states = ("u",)
    per_neuron = ("bias",)


@implements(proc=Neurons, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class NeuronsModel(WindowModel):
    """Equations (i) to (v) of `docs/semantics.md`, section 3."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        neuron = self.neuron
        a = self.a_in.recv()
        tau = self.tau
        if tau == 0:
            self.u[:] = 0
            self.v[:] = neuron.v_initial
        rule = LifRule(
            bias=self.bias,
            threshold=neuron.threshold << neuron.shift,
            du=neuron.du,
            dv=neuron.dv,
            shift=neuron.shift,
            # quiet neurons integrate and do not fire
            reset="none" if tau >= self.period - neuron.quiet else neuron.reset,
        )
        spikes = rule.step(a, self.u, self.v)
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


@process_of.register
def _(neuron: Lif, window: Window) -> AbstractProcess:
    if not neuron.is_stock:
        return Neurons.of(neuron, window)
    process = LIFReset(
        shape=window.shape,
        du=neuron.du,
        dv=neuron.dv,
        vth=neuron.threshold,
        bias_mant=window.laid(neuron.bias_mantissa),
        bias_exp=neuron.bias_exponent,
        reset_interval=window.period,
        reset_offset=window.phase % window.period,
        name=window.population.name,
    )
    for key, path in window.recording.items():  # for our model of it; Lava's own knows nothing
        process.proc_params[key] = path
    return process
