"""`radix` on Lava."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.program.neurons import Radix
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT

__all__ = ["RadixDigits", "RadixDigitsModel"]


class RadixDigits(WindowProcess):
    """The radix neuron of `docs/semantics.md`, section 9."""

    states = ("held",)
    per_neuron = ("bias", "slope")


@implements(proc=RadixDigits, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class RadixDigitsModel(WindowModel):
    """Equations (i) to (iii) of `docs/semantics.md`, section 9."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    held: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    slope: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv().astype(np.int64)
        tau = self.tau
        neuron, n, slope = self.neuron, self.neuron.digits, self.slope.astype(np.int64)
        if tau == 0:
            self.held[:] = self.v
            self.v[:] = 0
        a += self.v.astype(np.int64) << (neuron.digit if tau < n else 0)
        if tau == n - 1:
            a += self.bias
        self.v[:] = np.clip(a, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        sent = np.zeros(self.v.shape, np.int64)
        if neuron.fires and tau < n:
            height = slope << (neuron.digit * (n - 1 - tau))
            rest = self.held + (slope >> 1)
            if neuron.digit == 1:
                sent[rest >= height] = 1
            else:
                sent = np.clip(rest // height, 0, (1 << neuron.digit) - 1)
            self.held[:] = self.held - sent * height
        self.s_out.send(sent.astype(np.int32))
        self.tape.write(sent, self.v)


@process_of.register
def _(neuron: Radix, window: Window) -> AbstractProcess:
    return RadixDigits.of(neuron, window)
