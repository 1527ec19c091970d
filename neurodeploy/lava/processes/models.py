"""How our processes behave at each step (tag ``fixed_pt``), in NumPy integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurodeploy.lava.processes.kinds import Delay, Recorder, Source
from neurodeploy.lava.recording import Tape

__all__ = ["DelayModel", "RecorderModel", "SourceModel"]


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SourceModel(PyLoihiProcessModel):
    """Rows of a file as messages."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.rows = np.load(proc_params["path"], mmap_mode="r", allow_pickle=False)

    def run_spk(self) -> None:
        """Send one row."""
        step = self.time_step - 1
        if step < len(self.rows):
            row = self.rows[step].astype(np.int32)
        else:
            row = np.zeros(self.rows.shape[1], np.int32)
        self.s_out.send(row.reshape(self.s_out.shape))


@implements(proc=Recorder, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class RecorderModel(PyLoihiProcessModel):
    """Spikes while they are sent, membranes when the step is over."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    state: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.tape = Tape.of(proc_params)

    def run_spk(self) -> None:
        """Write one row of bits, and one of integers."""
        sent = self.s_in.recv()
        self.tape.write_spikes(sent)
        self.tape.write_messages(sent)

    def post_guard(self) -> bool:
        """Whether the phase after the step is wanted."""
        return self.tape.membranes is not None

    def run_post_mgmt(self) -> None:
        """Write one row of membranes."""
        self.tape.write_membranes(self.state.read())


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DelayModel(PyLoihiProcessModel):
    """A ring of messages under way."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.ring = np.zeros((proc_params["steps"], *proc_params["shape"]), np.int32)

    def run_spk(self) -> None:
        """Exchange the oldest message for the new one."""
        slot = self.time_step % len(self.ring)
        # a delay may lie on a cycle: it sends before it receives, or all would wait for each other
        self.s_out.send(self.ring[slot].copy())
        self.ring[slot] = self.s_in.recv()
