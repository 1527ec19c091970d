"""What a program needs and Lava's stock lacks: file source, recorder, delay, free neuron.

The neurons write down what they do, one process less for each population; `Recorder` is for
Lava's own `LIFReset`.
"""

from __future__ import annotations

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var

from neurodeploy.program.neuron import Lif, Ttfs

__all__ = ["Delay", "EarliestSpike", "Neurons", "Recorder", "Source", "SpikeTimes"]

Shape = tuple[int, ...]


class Source(AbstractProcess):
    """Sends the rows of a ``.npy`` file, one a step, and zeros after the last.

    Lava's own `RingBuffer` would copy the whole array into every process.

    Parameters
    ----------
    shape
        Lava shape of a message.
    path
        Integers (steps, inputs), each row in the order of the flattened `shape`.
    """

    def __init__(self, *, shape: Shape, path: str, name: str | None = None) -> None:
        super().__init__(path=path, name=name)
        self.s_out = OutPort(shape=shape)


class Recorder(AbstractProcess):
    """Writes the spikes of a population to a file, and its membranes to another.

    Parameters
    ----------
    shape
        Lava shape of the population.
    spikes, membranes
        Files, see `neurodeploy.lava.tape`; empty to leave them out.
    """

    def __init__(
        self, *, shape: Shape, spikes: str, membranes: str = "", name: str | None = None
    ) -> None:
        super().__init__(spikes=spikes, membranes=membranes, name=name)
        self.s_in = InPort(shape=shape)
        self.state = RefPort(shape=shape)


class Delay(AbstractProcess):
    """Sends at each step what it received `steps` steps before; zeros until then.

    Parameters
    ----------
    shape
        Lava shape of a message.
    steps
        One or more.
    """

    def __init__(self, *, shape: Shape, steps: int, name: str | None = None) -> None:
        super().__init__(steps=steps, shape=shape, name=name)
        self.s_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)


class Neurons(AbstractProcess):
    """The neuron of `docs/semantics.md`, section 3, with every parameter free.

    Where `neuron.is_stock` holds it equals Lava's `LIFReset`; elsewhere it stands for
    Loihi 2 microcode.

    Parameters
    ----------
    shape
        Lava shape of the population.
    neuron
        Its parameters.
    bias
        int32 of `shape`: the bias in membrane units, in Lava's order of neurons.
    period, phase
        The state is reset whenever ``step % period == phase % period``.
    spikes, membranes
        Files, see `neurodeploy.lava.tape`; empty to leave them out.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        neuron: Lif,
        bias: np.ndarray,
        period: int,
        phase: int,
        spikes: str = "",
        membranes: str = "",
        name: str | None = None,
    ) -> None:
        super().__init__(
            neuron=neuron,
            period=period,
            phase=phase,
            spikes=spikes,
            membranes=membranes,
            name=name,
        )
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.u = Var(shape=shape, init=0)
        self.v = Var(shape=shape, init=0)
        self.bias = Var(shape=shape, init=bias)


class SpikeTimes(AbstractProcess):
    """The time-to-first-spike neuron of `docs/semantics.md`, section 4.

    Parameters
    ----------
    shape
        Lava shape of the population.
    neuron
        Its parameters.
    bias
        int32 of `shape`, in Lava's order of neurons.
    period, phase
        A window begins whenever ``step % period == phase % period``.
    spikes, membranes
        Files, see `neurodeploy.lava.tape`; empty to leave them out.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        neuron: Ttfs,
        bias: np.ndarray,
        period: int,
        phase: int,
        spikes: str = "",
        membranes: str = "",
        name: str | None = None,
    ) -> None:
        super().__init__(
            neuron=neuron,
            period=period,
            phase=phase,
            spikes=spikes,
            membranes=membranes,
            name=name,
        )
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.u = Var(shape=shape, init=0)
        self.v = Var(shape=shape, init=0)
        self.held = Var(shape=shape, init=0)
        self.done = Var(shape=shape, init=0)
        self.bias = Var(shape=shape, init=bias)


class EarliestSpike(AbstractProcess):
    """The maximum of `docs/semantics.md`, section 5: the first spike of a window.

    Parameters
    ----------
    shape
        Lava shape of the population.
    period, phase
        A window begins whenever ``step % period == phase % period``.
    spikes, membranes
        Files, see `neurodeploy.lava.tape`; empty to leave them out.
    """

    def __init__(
        self,
        *,
        shape: Shape,
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
