"""How our processes behave at each step (tag ``fixed_pt``), in NumPy integers."""

from __future__ import annotations

from typing import Any, BinaryIO

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
from neurodeploy.program.neuron import CURRENT_LIMIT, MEMBRANE_LIMIT, Lif, Ttfs

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
        # unbuffered: processes of Lava end without flushing what Python holds back
        self.spikes: BinaryIO = open(proc_params["spikes"], "wb", buffering=0)  # noqa: SIM115
        path = proc_params["membranes"]
        self.membranes = open(path, "wb", buffering=0) if path else None  # noqa: SIM115

    def run_spk(self) -> None:
        """Write one row of bits."""
        self.spikes.write(np.packbits(self.s_in.recv() != 0).tobytes())

    def post_guard(self) -> bool:
        """Whether the phase after the step is wanted."""
        return self.membranes is not None

    def run_post_mgmt(self) -> None:
        """Write one row of membranes."""
        if self.membranes is not None:
            self.membranes.write(self.state.read().astype("<i4").tobytes())


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
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.neuron: Lif = proc_params["neuron"]
        self.period: int = proc_params["period"]
        self.offset: int = proc_params["phase"] % self.period

    def run_spk(self) -> None:
        """One step."""
        neuron = self.neuron
        a = self.a_in.recv().astype(np.int64)
        if self.time_step % self.period == self.offset:
            self.u[:] = 0
            self.v[:] = neuron.v_initial
        u = _wrap(_decay(self.u, neuron.du + 1) + (a << neuron.shift))
        v = np.clip(_decay(self.v, neuron.dv) + u + self.bias, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        threshold = neuron.threshold << neuron.shift
        spikes = v > threshold if neuron.reset != "none" else np.zeros(v.shape, bool)
        if neuron.reset == "zero":
            v[spikes] = 0
        elif neuron.reset == "subtract":
            v[spikes] -= threshold
        self.u[:] = u
        self.v[:] = v
        self.s_out.send(spikes)


@implements(proc=SpikeTimes, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeTimesModel(PyLoihiProcessModel):
    """Equations (i) to (iv) of `docs/semantics.md`, section 4."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
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

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv().astype(np.int64)
        tau = (int(self.time_step) - self.offset) % self.period
        if tau == 0:
            self.held[:] = self.v
            self.done[:] = 0
            self.u[:] = 0
            self.v[:] = self.bias
        self.u[:] = _wrap(self.u + a)
        v = self.v.astype(np.int64) + self.u
        self.v[:] = np.clip(v, -MEMBRANE_LIMIT, MEMBRANE_LIMIT)
        level = self.neuron.slope * (self.period - tau) - (self.neuron.slope >> 1)
        spikes = (self.done == 0) & (self.held >= level) & self.neuron.fires
        self.done[spikes] = 1
        self.s_out.send(spikes)


@implements(proc=EarliestSpike, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class EarliestSpikeModel(PyLoihiProcessModel):
    """Equations (i) and (ii) of `docs/semantics.md`, section 5."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    done: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=1)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.period: int = proc_params["period"]
        self.offset: int = proc_params["phase"] % self.period

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv()
        if self.time_step % self.period == self.offset:
            self.done[:] = 0
        spikes = (self.done == 0) & (a > 0)
        self.done[spikes] = 1
        self.s_out.send(spikes)


def _wrap(u: np.ndarray) -> np.ndarray:
    """Above 2^23 loses 2^24, at or below -2^23 gains it."""
    return u - 2 * CURRENT_LIMIT * (u > CURRENT_LIMIT) + 2 * CURRENT_LIMIT * (u <= -CURRENT_LIMIT)


def _decay(state: np.ndarray, rate: int) -> np.ndarray:
    """Towards zero by ``rate / 4096``, int64."""
    wide = state.astype(np.int64)
    return np.sign(wide) * ((np.abs(wide) * (4096 - rate)) >> 12)
