"""`mask_maximum` on Lava."""

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
from neurodeploy.program.neurons import MaskMaximum
from neurodeploy.program.neurons.mask_maximum import MASK_BITS

__all__ = ["FieldMaximum", "FieldMaximumModel"]


class FieldMaximum(AbstractProcess):
    """The maximum by fields of `docs/semantics.md`, section 10.

    Parameters
    ----------
    shape
        Lava shape of the population.
    neuron
        Its parameters.
    period, phase
        A window begins whenever ``step % period == phase % period``.
    spikes, membranes, messages
        Files, see `neurodeploy.lava.recording`; empty to leave them out.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        neuron: MaskMaximum,
        period: int,
        phase: int,
        spikes: str = "",
        membranes: str = "",
        messages: str = "",
        name: str | None = None,
    ) -> None:
        super().__init__(
            neuron=neuron,
            period=period,
            phase=phase,
            spikes=spikes,
            membranes=membranes,
            messages=messages,
            name=name,
        )
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v = Var(shape=shape, init=0)  # always 0: it has no membrane
        self.alive = Var(shape=shape, init=0)


@implements(proc=FieldMaximum, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FieldMaximumModel(PyLoihiProcessModel):
    """Equations (i) to (iii) of `docs/semantics.md`, section 10."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    alive: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=MASK_BITS)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.neuron: MaskMaximum = proc_params["neuron"]
        self.period: int = proc_params["period"]
        # not `phase`: that name is the runtime's own
        self.offset: int = proc_params["phase"]
        self.tape = Tape.of(proc_params)

    def run_spk(self) -> None:
        """One step."""
        digit = self.neuron.digit
        ones = (1 << digit) - 1
        if (int(self.time_step) - self.offset) % self.period == 0:
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
    return FieldMaximum(shape=window.shape, neuron=neuron, **window.parameters)
