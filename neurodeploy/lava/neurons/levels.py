"""`levels` on Lava."""

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
from neurodeploy.lava.updates import LifRule
from neurodeploy.program.neurons import Levels
from neurodeploy.program.neurons.lif import NO_CURRENT_MEMORY

__all__ = ["MultiLevelFiring", "MultiLevelFiringModel"]


class MultiLevelFiring(WindowProcess):
    """The multi-level firing neuron of `docs/semantics.md`, section 14.

    Parameters as in `WindowProcess`.
    """

    per_neuron = ("bias",)

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        levels = len(self.proc_params["neuron"].thresholds)
        self.membranes = Var(shape=(levels, *self.a_in.shape), init=0)


@implements(proc=MultiLevelFiring, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MultiLevelFiringModel(WindowModel):
    """Equations (i) to (iv) of `docs/semantics.md`, section 14."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    membranes: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    bias: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        """One step: each level is the stock neuron of its threshold."""
        neuron = self.neuron
        a = self.a_in.recv()
        if self.tau == 0:
            self.membranes[:] = 0
        sent = np.zeros(a.shape, np.int32)
        unused = np.zeros(a.shape, np.int32)  # a current without memory
        for membrane, threshold in zip(self.membranes, neuron.thresholds, strict=True):
            rule = LifRule(
                bias=self.bias,
                threshold=threshold << neuron.shift,
                du=NO_CURRENT_MEMORY,
                dv=neuron.dv,
                shift=neuron.shift,
                reset="zero",
            )
            sent += rule.step(a.astype(np.int32), unused, membrane)
        self.v[:] = self.membranes[0]
        self.s_out.send(sent)
        self.tape.write(sent, self.v)


@process_of.register
def _(neuron: Levels, window: Window) -> AbstractProcess:
    return MultiLevelFiring.of(neuron, window)
