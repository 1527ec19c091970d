"""`earliest` on Lava."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.program.neurons import Earliest

__all__ = ["EarliestSpike", "EarliestSpikeModel"]


class EarliestSpike(WindowProcess):
    """The maximum of `docs/semantics.md`, section 5: the first spike of a window."""

    states = ("done",)


@implements(proc=EarliestSpike, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class EarliestSpikeModel(WindowModel):
    """Equations (i) and (ii) of `docs/semantics.md`, section 5."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    done: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=1)

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv()
        if self.tau == 0:
            self.done[:] = 0
        spikes = (self.done == 0) & (a > 0)
        self.done[spikes] = 1
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


@process_of.register
def _(neuron: Earliest, window: Window) -> AbstractProcess:
    return EarliestSpike.of(neuron, window)
