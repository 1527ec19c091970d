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

from neurodeploy.lava.processes.kinds import (
    Delay,
    EarliestSpike,
    Neurons,
    Recorder,
    Source,
    SpikeTimes,
)
from neurodeploy.lava.tape import Tape
from neurodeploy.lava.updates import LifRule, wrap
from neurodeploy.program.neuron import MEMBRANE_LIMIT, Lif, Ttfs

__all__ = [
    "DelayModel",
    "EarliestSpikeModel",
    "NeuronsModel",
    "RecorderModel",
    "SourceModel",
    "SpikeTimesModel",
]


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
        self.tape = Tape(proc_params["spikes"], proc_params["membranes"])

    def run_spk(self) -> None:
        """Write one row of bits."""
        self.tape.write_spikes(self.s_in.recv())

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
        # a delay is never part of a cycle (programs have none), so it may receive first
        received = self.s_in.recv()
        self.s_out.send(self.ring[slot].copy())
        self.ring[slot] = received


@implements(proc=Neurons, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class NeuronsModel(PyLoihiProcessModel):
    """Equations (i) to (v) of `docs/semantics.md`, section 3."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.neuron: Lif = proc_params["neuron"]
        self.period: int = proc_params["period"]
        self.offset: int = proc_params["phase"] % self.period
        self.tape = Tape(proc_params["spikes"], proc_params["membranes"])

    def run_spk(self) -> None:
        """One step."""
        neuron = self.neuron
        a = self.a_in.recv()
        if self.time_step % self.period == self.offset:
            self.u[:] = 0
            self.v[:] = neuron.v_initial
        rule = LifRule(
            bias=self.bias,
            threshold=neuron.threshold << neuron.shift,
            du=neuron.du,
            dv=neuron.dv,
            shift=neuron.shift,
            reset=neuron.reset,
        )
        spikes = rule.step(a, self.u, self.v)
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


@implements(proc=SpikeTimes, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeTimesModel(PyLoihiProcessModel):
    """Equations (i) to (iv) of `docs/semantics.md`, section 4."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    held: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    done: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=1)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.neuron: Ttfs = proc_params["neuron"]
        self.period: int = proc_params["period"]
        # not `phase`: that name is the runtime's own
        self.offset: int = proc_params["phase"]
        self.tape = Tape(proc_params["spikes"], proc_params["membranes"])

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv().astype(np.int64)
        tau = (int(self.time_step) - self.offset) % self.period
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
        level = self.neuron.slope * (self.period - tau) - (self.neuron.slope >> 1)
        spikes = (self.done == 0) & (self.held >= level) & self.neuron.fires
        self.done[spikes] = 1
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)


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
        self.tape = Tape(proc_params["spikes"], proc_params["membranes"])

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv()
        if self.time_step % self.period == self.offset:
            self.done[:] = 0
        spikes = (self.done == 0) & (a > 0)
        self.done[spikes] = 1
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)
