"""`ttfs` on Lava."""

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
from neurodeploy.program.neurons import Ttfs
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT

__all__ = ["SpikeTimes", "SpikeTimesModel"]


class SpikeTimes(WindowProcess):
    """The time-to-first-spike neuron of `docs/semantics.md`, section 4."""

    states = ("u", "held", "done")
    per_neuron = ("bias", "slopes")


@implements(proc=SpikeTimes, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeTimesModel(WindowModel):
    """Equations (i) to (iv) of `docs/semantics.md`, section 4."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    held: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    done: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=1)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    slopes: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv().astype(np.int64)
        tau = self.tau
        if tau == 0:
            self.held[:] = self.v
            self.done[:] = 0
            self.u[:] = 0
            self.v[:] = self.bias
        u = self.u + a
        wrap(u)
        self.u[:] = u
        v = self.v.astype(np.int64) + self.u
        self.v[:] = np.clip(v, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        level = self.slopes.astype(np.int64) * (self.period - tau) - (self.slopes >> 1)
        spikes = (self.done == 0) & (self.held >= level) & self.neuron.fires
        self.done[spikes] = 1
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


@process_of.register
def _(neuron: Ttfs, window: Window) -> AbstractProcess:
    return SpikeTimes.of(neuron, window)
