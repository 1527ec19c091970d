"""`integrate_fire` on Lava."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.program.neurons import IntegrateFire
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT

__all__ = ["SignedNeurons", "SignedNeuronsModel"]


class SignedNeurons(WindowProcess):
    """The signed neuron of `docs/semantics.md`, section 12."""

    states = ("count",)
    per_neuron = ("bias", "threshold", "initial")


@implements(proc=SignedNeurons, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SignedNeuronsModel(WindowModel):
    """Equations (i) to (iv) of `docs/semantics.md`, section 12."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    count: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    threshold: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    initial: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        if self.tau == 0:
            self.v[:] = self.initial
            self.count[:] = 0
        v = self.a_in.recv().astype(np.int64)
        v += self.v
        v += self.bias
        np.clip(v, -MEMBRANE_LIMIT, MEMBRANE_LIMIT, out=v)
        sent = np.zeros(v.shape, np.int32)
        if self.neuron.fires:
            sent[v >= self.threshold] = 1
            if self.neuron.signed:
                sent[(v < 0) & (self.count > 0)] = -1
            v -= sent * self.threshold
            self.count += sent
        self.v[:] = v
        self.s_out.send(sent)
        self.tape.write(sent, self.v)


@process_of.register
def _(neuron: IntegrateFire, window: Window) -> AbstractProcess:
    return SignedNeurons.of(neuron, window)
