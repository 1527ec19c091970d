"""What a program needs and Lava's stock lacks, neurons aside: file source, recorder, delay."""

from __future__ import annotations

from lava.magma.core.process.ports.ports import InPort, OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess

__all__ = ["Delay", "Recorder", "Source"]

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
    """Writes the spikes of a population to a file, its membranes and messages to others.

    Parameters
    ----------
    shape
        Lava shape of the population.
    spikes, membranes, messages
        Files, see `neurodeploy.lava.recording`; empty to leave them out.
    """

    def __init__(
        self,
        *,
        shape: Shape,
        spikes: str,
        membranes: str = "",
        messages: str = "",
        name: str | None = None,
    ) -> None:
        super().__init__(spikes=spikes, membranes=membranes, messages=messages, name=name)
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
