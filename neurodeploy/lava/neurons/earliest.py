"""`earliest` on Lava."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.neurons.process import Window, process_of
from neurodeploy.lava.recording import Tape
from neurodeploy.program.neurons import Earliest

__all__ = ["EarliestSpike", "EarliestSpikeModel"]


class EarliestSpike(AbstractProcess):
    """The maximum of `docs/semantics.md`, section 5: the first spike of a window.

    Parameters
    ----------
    shape
        Lava shape of the population.
    period, phase
        A window begins whenever ``step % period == phase % period``.
    spikes, membranes
        Files, see `neurodeploy.lava.recording`; empty to leave them out.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        period: int,
        phase: int,
        spikes: str = "",
        membranes: str = "",
        name: str | None = None,
    ) -> None:
        super().__init__(period=period, phase=phase, spikes=spikes, membranes=membranes, name=name)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v = Var(shape=shape, init=0)  # always 0: it has no membrane
        self.done = Var(shape=shape, init=0)


@implements(proc=EarliestSpike, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class EarliestSpikeModel(PyLoihiProcessModel):
    """Equations (i) and (ii) of `docs/semantics.md`, section 5."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    done: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=1)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.period: int = proc_params["period"]
        self.offset: int = proc_params["phase"] % self.period
        self.tape = Tape.of(proc_params)

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv()
        if self.time_step % self.period == self.offset:
            self.done[:] = 0
        spikes = (self.done == 0) & (a > 0)
        self.done[spikes] = 1
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


@process_of.register
def _(neuron: Earliest, window: Window) -> AbstractProcess:
    return EarliestSpike(shape=window.shape, **window.parameters)
