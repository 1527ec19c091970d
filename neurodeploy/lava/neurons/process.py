"""From a population to a Lava process, by its neuron kind; and what all our processes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from types import MappingProxyType
from typing import Any, ClassVar

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

from neurodeploy.lava.layout import lava_order, lava_shape
from neurodeploy.lava.recording import Tape
from neurodeploy.program import Population
from neurodeploy.program.neurons import Neuron

__all__ = [
    "AnyNeuron",
    "AnyNeuronModel",
    "Variables",
    "Window",
    "WindowModel",
    "WindowProcess",
    "process_of",
    "step_of",
    "variables_of",
]


@dataclass(frozen=True)
class Window:
    """What a process needs besides the parameters of its neurons.

    Attributes
    ----------
    period, phase
        A window begins whenever ``step % period == phase % period``. Of a stream it has all the
        samples after which the populations begin anew (`Program.clock`).
    recording
        Files by what they take, ``spikes``, ``membranes`` and ``messages``
        (`neurodeploy.lava.recording`); an empty name leaves it out.
    stock
        Whether neurons and connections are such that a chip has them (`Program.is_stock`).
    """

    population: Population
    period: int
    phase: int
    recording: dict[str, str]
    stock: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the population, as Lava has it."""
        return lava_shape(self.population.shape)

    @property
    def order(self) -> np.ndarray:
        """Index in C order of each neuron in Lava's order."""
        return lava_order(self.population.shape)

    def laid(self, values: np.ndarray) -> np.ndarray:
        """Values (neurons,) in C order as Lava has them, of `shape`."""
        return values[self.order].reshape(self.shape)

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters that all our neuron processes have."""
        return {
            "period": self.period,
            "phase": self.phase,
            "name": self.population.name,
            **{key: path for key, path in self.recording.items() if path},
        }


class WindowProcess(AbstractProcess):
    """What all our neuron processes have: ports, a membrane, and when a window begins.

    Attributes
    ----------
    states
        Variables of the population's shape besides the membrane, 0 at first.
    per_neuron
        Of the neuron's attributes those with an entry a neuron, which the model reads.

    Parameters
    ----------
    shape
        Lava shape of the population.
    neuron
        Its parameters.
    values
        By each name of `per_neuron`, of `shape`.
    period, phase
        A window begins whenever ``step % period == phase % period``.
    spikes, membranes, messages
        Files, see `neurodeploy.lava.recording`; empty to leave them out.
    parameters
        What only the model of a kind needs, by name.
    """

    states: ClassVar[tuple[str, ...]] = ()
    per_neuron: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        shape: tuple[int, ...],
        neuron: Neuron,
        values: Mapping[str, np.ndarray] = MappingProxyType({}),
        period: int,
        phase: int,
        spikes: str = "",
        membranes: str = "",
        messages: str = "",
        name: str | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(
            neuron=neuron,
            period=period,
            phase=phase,
            spikes=spikes,
            membranes=membranes,
            messages=messages,
            name=name,
            **parameters,
        )
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        for state in ("v", *self.states):
            setattr(self, state, Var(shape=shape, init=0))
        for parameter in self.per_neuron:
            setattr(self, parameter, Var(shape=shape, init=values[parameter]))

    @classmethod
    def of(cls, neuron: Neuron, window: Window) -> WindowProcess:
        """The process of a population."""
        values = {name: window.laid(getattr(neuron, name)) for name in cls.per_neuron}
        return cls(shape=window.shape, neuron=neuron, values=values, **window.parameters)


class WindowModel(PyLoihiProcessModel):
    """What all models of our neuron processes have: parameters, a record, the window's step."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.neuron: Any = proc_params["neuron"]
        self.period: int = proc_params["period"]
        # not `phase`: that name is the runtime's own
        self.offset: int = proc_params["phase"]
        self.tape = Tape.of(proc_params)

    @property
    def tau(self) -> int:
        """Steps since the window began."""
        return (int(self.time_step) - self.offset) % self.period


class AnyNeuron(WindowProcess):
    """A population of any kind: its model runs the step that defines the kind.

    Parameters
    ----------
    neuron
        Its parameters, in C order of the neurons.
    order
        Index in C order of each neuron in Lava's order.
    others
        As in `WindowProcess`.
    """

    def __init__(self, *, order: np.ndarray, **others: Any) -> None:
        super().__init__(order=order, **others)


@implements(proc=AnyNeuron, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class AnyNeuronModel(WindowModel):
    """`Neuron.step`, on neurons in C order."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.order: np.ndarray = proc_params["order"]
        self.state = self.neuron.start(self.order.size)

    def run_spk(self) -> None:
        """One step."""
        a = np.empty(self.order.size, np.int64)
        a[self.order] = self.a_in.recv().reshape(-1)
        sent = self.neuron.step(self.state, a, self.tau, self.period).messages[self.order]
        if "v" in self.state:
            self.v[:] = self.state["v"][self.order].reshape(self.v.shape)
        self.s_out.send(sent.astype(np.int32).reshape(self.v.shape))
        self.tape.write(sent, self.v)


@singledispatch
def process_of(neuron: Neuron, window: Window) -> AbstractProcess:
    """The Lava process of a population; kinds with one of their own register it for their type.

    Without one the generic process runs the step that defines the kind.
    """
    return step_of(neuron, window)


@dataclass(frozen=True)
class Variables:
    """What of a process stands for what a population keeps.

    Attributes
    ----------
    membrane
        Name of the variable that is the membrane.
    begin
        Values, in Lava's order, by name of the variables that the host has to set before the
        first step of a window: of processes of Lava's that do not begin anew by themselves.
    """

    membrane: str = "v"
    begin: Mapping[str, np.ndarray] = field(default_factory=dict)


@singledispatch
def variables_of(neuron: Neuron, window: Window) -> Variables:
    """The variables of a population's process; kinds register theirs where they are others."""
    return Variables()


def step_of(neuron: Neuron, window: Window) -> AbstractProcess:
    """The generic process: it runs the step that defines the kind."""
    return AnyNeuron(shape=window.shape, neuron=neuron, order=window.order, **window.parameters)
