"""The closed form of a program of a window code on integer matrix products.

Messages of a window say integers of a byte, weights are int8: layers are ONNX Runtime's products
of bytes (`MatrixProduct`) on maps that lie channels last, and one pass over the sums divides them.
Several times as fast as float32 where processors multiply bytes at once.
"""

from __future__ import annotations

import threading
from math import prod

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program import INPUT, Convolution, Population, Program
from neurodeploy.program.bounds import end_limits
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.simulator import kernels
from neurodeploy.simulator.buffers import Workspace
from neurodeploy.simulator.closed_form import Swept, check
from neurodeploy.simulator.dense_sweep import can_sweep
from neurodeploy.simulator.division import Division, divided
from neurodeploy.simulator.map_layers import Added, layer_of
from neurodeploy.simulator.map_layers import channels_last as _last
from neurodeploy.simulator.message_counts import MessageCounts

__all__ = ["IntegerSweep", "integer_sweep"]

#: Integers are bytes.
_LARGEST = 255
#: Bytes of rows and of sums that are made at once. More calls cost more than a smaller cache saves.
_ROOM = 4_000_000


def integer_sweep(program: Program) -> IntegerSweep | None:
    """The sweep, or None where integers are no bytes, a layer has no such form, or the library's
    product is not exact on this machine."""
    if program.encoder.low < 0 or program.encoder.high > _LARGEST or not can_sweep(program):
        return None
    for p in program.populations:
        code = program.window_code(p.name)
        if code is None or (p.neuron.fires and code.largest(program.period) > _LARGEST):
            return None
        if code.lowest(program.period) < 0:
            return None
    try:
        return IntegerSweep(program)
    except ProgramError:
        return None


class IntegerSweep:
    """The program as integer products; thread-safe.

    Raises
    ------
    ProgramError
        A layer has no form of that kind, or a product is not exact on this machine.
    """

    def __init__(self, program: Program) -> None:
        check(program)
        self.program = program
        self._limits = end_limits(program)
        self._forms: dict[str, Quotient] = {}
        self._divisions: dict[str, Division] = {}
        self._layers: dict[str, list[Added]] = {}
        self._pools: dict[str, Convolution] = {}
        self._bias: dict[str, np.ndarray] = {}
        for p in program.order:
            arriving = program.incoming(p.name)
            form = p.neuron.closed_form(program.period)
            if not isinstance(form, Quotient):
                pool = arriving[0].synapses
                assert isinstance(pool, Convolution)  # `can_sweep`
                self._pools[p.name] = pool
                continue
            self._forms[p.name] = form
            self._bias[p.name] = _last(form.bias.astype(np.int32), p.shape)
            self._layers[p.name] = [layer_of(program, c, p, self._top(c.source)) for c in arriving]
            if form.fires:
                self._divisions[p.name] = divided(form, p.shape)
        self._counts = MessageCounts(program)
        self._held = threading.local()

    @property
    def is_guarded(self) -> bool:
        """See `Sweep.is_guarded`."""
        return bool(self._limits)

    def run(self, level: np.ndarray, every: bool = False) -> Swept:
        """See `Sweep.run`."""
        program, n = self.program, len(level)
        if not hasattr(self._held, "workspace"):
            self._held.workspace = Workspace()
        take = self._held.workspace.take
        size = program.encoder.shape
        values = {INPUT: take(INPUT, "values", (n * prod(size) + kernels.MOVED,), np.uint8)}
        values[INPUT][: n * prod(size)] = _last(level.astype(np.uint8), size).reshape(-1)
        exceeded = np.zeros(n, bool)
        membrane = np.zeros((n, program.population(program.decoder.population).size), np.int64)
        for p in program.order:
            fires = p.neuron.fires
            out = take(p.name, "values", (n * p.size * fires + kernels.MOVED,), np.uint8)
            values[p.name] = out
            if p.name in self._pools:
                self._pool(p, values, n)
                continue
            block = self._block(p, n)
            for first in range(0, n, block):
                count = min(block, n - first)
                total = take("", "total", (count * p.size,), np.int32)
                for i, added in enumerate(self._layers[p.name]):
                    added.add(total, values[added.source], first, count, i > 0, take)
                bias = self._bias[p.name]
                if p.name in self._limits:
                    low, high = np.zeros((2, count), np.int64)
                    kernels.extremes(total, bias, low, high)
                    worst = np.maximum(-low, high)
                    exceeded[first : first + count] |= worst > self._limits[p.name]
                if p.name == program.decoder.population:
                    v = total.reshape(count, p.size).astype(np.int64) + bias
                    membrane[first : first + count] = _first(v, p.shape)
                if fires:
                    self._divisions[p.name].send(total, out[first * p.size :])
        spikes, operations = self._counts.of(values, n)
        fired = {}
        for p in program.populations if every else ():
            said = np.zeros((n, p.size), np.int32)
            if p.neuron.fires:
                said[:] = values[p.name][: n * p.size].reshape(n, -1)
            fired[p.name] = _first(said, p.shape)
        return Swept(membrane, spikes, operations, fired, exceeded)

    def _block(self, p: Population, n: int) -> int:
        """Samples at once, so that rows and sums stay in a cache."""
        room = max(4 * p.size, *(added.room for added in self._layers[p.name]))
        most = max(1, _ROOM // room)
        return -(-n // -(-n // most))  # of about equal size

    def _top(self, source: str) -> int:
        """Largest integer of a source."""
        if source == INPUT:
            return self.program.encoder.high
        code = self.program.window_code(source)
        assert code is not None
        return code.largest(self.program.period)

    def _pool(self, p: Population, values: dict[str, np.ndarray], n: int) -> None:
        s = self._pools[p.name]
        source = self.program.incoming(p.name)[0].source
        channels, height, width = self.program.shape_of(source)
        kernels.pool_maps(
            values[source], (n, height, width, channels), s.weights.shape[2:], s.stride,
            (s.padding[0], s.padding[1]), s.dilation, p.shape[1:], values[p.name],
        )  # fmt: skip


def _first(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(n, neurons) from channels last to C order."""
    if len(shape) != 3:
        return values
    maps = values.reshape(len(values), *shape[1:], shape[0])
    return np.ascontiguousarray(maps.transpose(0, 3, 1, 2)).reshape(len(values), -1)
