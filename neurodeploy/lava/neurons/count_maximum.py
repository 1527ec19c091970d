"""`count_maximum` on Lava."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, WindowModel, WindowProcess, process_of
from neurodeploy.program.neurons import CountMaximum
from neurodeploy.program.neurons.count_maximum import CELLS, FIELD

__all__ = ["MostSpikes", "MostSpikesModel"]


class MostSpikes(WindowProcess):
    """The maximum of counts of `docs/semantics.md`, section 13.

    Parameters as in `WindowProcess`.
    """

    states = ("passed",)

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.count = Var(shape=(CELLS, *self.a_in.shape), init=0)


@implements(proc=MostSpikes, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MostSpikesModel(WindowModel):
    """Equations (i) to (iii) of `docs/semantics.md`, section 13."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    passed: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    count: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step."""
        if self.tau == 0:
            self.passed[:] = 0
            self.count[:] = 0
        left = self.a_in.recv().astype(np.int64)
        for j in range(CELLS):  # the lowest field, its sign taken into those above
            field = ((left + 1) & 3) - 1
            self.count[j] += field.astype(np.int32)
            left = (left - field) >> FIELD
        sent = np.clip(self.count.max(axis=0) - self.passed, *self.neuron.sends)
        self.passed += sent
        self.s_out.send(sent.astype(np.int32))
        self.tape.write(sent, self.v)


@process_of.register
def _(neuron: CountMaximum, window: Window) -> AbstractProcess:
    return MostSpikes.of(neuron, window)
