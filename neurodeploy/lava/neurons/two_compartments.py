"""`two_compartments` on Lava, whose stock has no neuron of several compartments."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.lava.updates import wrap
from neurodeploy.program.neurons import TwoCompartments
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.program.neurons.lif import STOCK_SHIFT

__all__ = ["SoftReset", "SoftResetModel"]


class SoftReset(WindowProcess):
    """The two compartments of `docs/semantics.md`, section 16."""

    states = ("spiked",)
    per_neuron = ("bias",)


@implements(proc=SoftReset, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SoftResetModel(WindowModel):
    """Equations (i) to (iv) of `docs/semantics.md`, section 16."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    spiked: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=1)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        if self.tau == 0:
            self.v[:] = self.neuron.v_initial
            self.spiked[:] = 0
        u = self.a_in.recv().astype(np.int64)
        u -= self.spiked * self.neuron.threshold
        u <<= STOCK_SHIFT
        wrap(u)
        u += self.v
        u += self.bias
        self.v[:] = np.clip(u, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        spikes = self.v > self.neuron.threshold << STOCK_SHIFT
        self.spiked[:] = spikes
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


@process_of.register
def _(neuron: TwoCompartments, window: Window) -> AbstractProcess:
    return SoftReset.of(neuron, window)
