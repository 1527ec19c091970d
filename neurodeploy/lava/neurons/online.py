"""`online` on Lava."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.program.neurons import Online
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT

__all__ = ["OnlineDigits", "OnlineDigitsModel"]


class OnlineDigits(WindowProcess):
    """The online neuron of `docs/semantics.md`, section 11."""

    states = ("count",)
    per_neuron = ("bias", "slope")


@implements(proc=OnlineDigits, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class OnlineDigitsModel(WindowModel):
    """Equations (i) to (iii) of `docs/semantics.md`, section 11."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    count: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=16)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    slope: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        v = self.a_in.recv().astype(np.int64)
        i = self.tau + 1
        neuron, k = self.neuron, self.neuron.bits
        if i == 1:
            self.v[:] = self.bias if neuron.first else self.bias >> k
            self.count[:] = 0
        v += self.v
        if i <= k and not neuron.first:
            v += self.v + ((self.bias >> (k - i)) & 1)
        v = np.clip(v, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        t = i - neuron.answers_after
        sent = np.zeros(v.shape, np.int64)
        if neuron.fires and 1 <= t <= k:
            height = self.slope.astype(np.int64) << (k - t if neuron.first else min(i, k) - t)
            # three quarters of a digit while more are to come; the last one rounds
            twice, enough = (2 * v, height) if t == k else (4 * v, 3 * height)
            sent[twice >= enough] = 1
            sent[(twice < -enough) & (self.count > 0)] = -1
            v -= sent * height
            self.count[:] = 2 * self.count + sent
        self.v[:] = v
        self.s_out.send(sent.astype(np.int32))
        self.tape.write(sent, self.v)


@process_of.register
def _(neuron: Online, window: Window) -> AbstractProcess:
    return OnlineDigits.of(neuron, window)
