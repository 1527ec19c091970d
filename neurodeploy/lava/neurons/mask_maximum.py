"""`mask_maximum` on Lava."""

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.program.neurons import MaskMaximum
from neurodeploy.program.neurons.mask_maximum import MASK_BITS

__all__ = ["FieldMaximum", "FieldMaximumModel"]


class FieldMaximum(WindowProcess):
    """The maximum by fields of `docs/semantics.md`, section 10."""

    states = ("alive",)


@implements(proc=FieldMaximum, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FieldMaximumModel(WindowModel):
    """Equations (i) to (iii) of `docs/semantics.md`, section 10."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    alive: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=MASK_BITS)

    def run_spk(self) -> None:
        """One step."""
        digit = self.neuron.digit
        ones = (1 << digit) - 1
        if self.tau == 0:
            self.alive[:] = (1 << MASK_BITS) - 1
        digits = self.a_in.recv() & self.alive
        largest, stay = np.zeros_like(digits), np.zeros_like(digits)
        for shift in range(0, MASK_BITS - digit + 1, digit):
            field = (digits >> shift) & ones
            stay[field > largest] = 0
            np.maximum(largest, field, out=largest)
            stay[field == largest] |= ones << shift
        self.alive &= stay
        self.s_out.send(largest.astype(np.int32))
        self.tape.write(largest, self.v)


@process_of.register
def _(neuron: MaskMaximum, window: Window) -> AbstractProcess:
    return FieldMaximum.of(neuron, window)
