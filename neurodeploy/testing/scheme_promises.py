"""A program held against its network: what each scheme promises, from the Network alone.

Structure, weights, biases and input range come from the Network and the samples it was calibrated
with; of the program only the scales are read (unit of a spike, of a membrane, exponents). So a
constant, a sign or a branch that the compiler loses is seen.

Window codes: the outputs must equal the quantised network, integer for integer. Where a float is so
near a rounding boundary that single precision decides (a weight at k + 1/2), both integers are let
through: values are intervals, almost always of one integer. Corrected biases are taken from the
program where they differ from the network's by no more than two passes over the errors that
rounding may cause can move them.

rate: a neuron with reset by subtraction whose input charge never strays from a straight line of
slope z by more than E fires ``z t`` in t steps but for ``lambda/2 + 3 E``. So the outputs may
differ from those of clipped rates by what these bounds, carried through the weights, allow. Biases
that were corrected, which follows from the spikes themselves, are taken from the program as those
of window codes are: a pass moves them by a mean error, which is bounded, and what it moved by is
in the error of the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from neurodeploy.network import Activation, Network, Node, Output, Pool
from neurodeploy.network.stages import RELAY
from neurodeploy.program import INPUT, Connection, Encoder, IntegrateFire, Population, Program
from neurodeploy.program.bit_planes import split_levels
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.testing.numpy_network import Way, fires, maximum, run, ways

__all__ = ["Held", "hold"]

#: Of a weight integer, and of a bias relative to what it is the sum of: single precision.
_TIE, _FLOAT = 5e-5, 3e-6
_WEIGHT_MAX = 127
#: Passes of the rate code's bias correction: of a layer, and of the outputs.
_PASSES, _PASSES_AT_OUTPUT = 3, 1


@dataclass(frozen=True)
class Held:
    """How a program stands to its network.

    Attributes
    ----------
    faults
        What is wrong, in words; empty if nothing.
    excess
        Largest distance of an output from what the plain evaluation allows, in output units.
    slack
        Mean width of what it allows, in the range of the outputs: how sharp the test was.
    error, bound
        Mean error against the network, and the mean of the bound from the levels.
    """

    faults: tuple[str, ...]
    excess: float
    slack: float
    error: float
    bound: float


def hold(program: Program, network: Network, x: np.ndarray, outputs: np.ndarray) -> Held:
    """Hold the outputs of a program against its network.

    Parameters
    ----------
    network
        As imported, after the passes.
    x
        The samples, float32 (n, *shape), that the program was calibrated with and ran.
    outputs
        What `nd.simulate` gave for them.
    """
    exact = run(network, x)
    ann = exact[network.output.name].reshape(len(x), -1)
    out = outputs.reshape(len(x), -1).astype(np.float64)
    low, high, error = _HOLDING[program.scheme](program, network, x, exact).output()
    span = max(float(np.ptp(ann)), float(np.abs(ann).max()), 1e-6)
    fuzz = 1e-5 * span
    excess = float(np.maximum(low - out, out - high).max())
    beyond = float((np.abs(out - ann) - error).max())
    faults = []
    if excess > fuzz:
        faults.append(f"outputs leave the plain evaluation by {excess:.4g} (range {span:.4g})")
    if beyond > fuzz:
        faults.append(f"error exceeds the bound of the levels by {beyond:.4g} (range {span:.4g})")
    mean = float(np.abs(out - ann).mean())
    if mean > float(error.mean()) + fuzz:
        faults.append(f"mean error {mean:.4g} exceeds the bound {float(error.mean()):.4g}")
    return Held(tuple(faults), excess, float((high - low).mean()) / span, mean, float(error.mean()))


def _populations(program: Program, network: Network) -> Iterator[tuple[Node, Population]]:
    """The nodes that fire with their populations; those that only repeat others left out."""
    made = [p for p in program.populations if not p.name.endswith(RELAY)]
    return zip([node for node in network if fires(node)], made, strict=True)


@dataclass(eq=False)
class _Weights:
    """A way in integers: ``matrix ~ integers * unit`` at the source's message unit.

    `lost` is the part of a weight that rounding took, in integers; `either` is 1 where the weight
    may as well be the next integer.
    """

    integers: np.ndarray
    lost: np.ndarray
    either: np.ndarray


def _weights(
    matrix: np.ndarray,
    message: float | np.ndarray,
    scale: float | np.ndarray,
    exponent: int,
) -> _Weights:
    rows = np.asarray(scale, np.float64).reshape(-1, 1) * 2**exponent
    wanted = matrix * np.asarray(message, np.float64) / rows
    integers = np.clip(np.rint(wanted), -_WEIGHT_MAX, _WEIGHT_MAX)
    either = np.abs(wanted - np.floor(wanted) - 0.5) < _TIE
    factor = float(2**exponent)
    return _Weights(integers * factor, (wanted - integers) * factor, either * factor)


class _Held:
    """What both schemes share: the program's connections by what they come from."""

    def __init__(
        self, program: Program, network: Network, x: np.ndarray, exact: dict[str, np.ndarray]
    ) -> None:
        self.program, self.network, self.x = program, network, x
        self.exact = {name: values.reshape(len(x), -1) for name, values in exact.items()}
        self.ways = ways(network)
        self.made = list(_populations(program, network))
        self.names = {p.name: node.name for node, p in self.made}
        self.names[INPUT] = network.input.name

    def origin(self, name: str) -> str:
        """The node whose values a population repeats or says."""
        while name not in self.names:
            (connection,) = self.program.incoming(name)
            name = connection.source
        return self.names[name]

    def arriving(self, p: Population) -> list[tuple[Way, Connection]]:
        """Each way of the network with its connection; as many of one as of the other."""
        waiting: dict[str, list[Connection]] = defaultdict(list)
        for connection in self.program.incoming(p.name):
            waiting[self.origin(connection.source)].append(connection)
        found = []
        for way in self.ways[self.names[p.name]][0]:
            found.append((way, waiting[way.source].pop(0)))
        return found


class _Integers(_Held):
    """The quantised network: for each node the integers that its population may say."""

    def __init__(
        self, program: Program, network: Network, x: np.ndarray, exact: dict[str, np.ndarray]
    ) -> None:
        super().__init__(program, network, x, exact)
        encoder, name = program.encoder, network.input.name
        none = np.zeros(self.exact[name].shape[1])
        unit, zero = none + encoder.units, none + encoder.offsets
        wanted = (self.exact[name] - zero) / unit
        self.top = {
            p.name: code.largest(program.period)
            for p in program.populations
            if (code := p.neuron.window_code(program.period)) is not None
        }
        self.low: dict[str, np.ndarray]
        self.high: dict[str, np.ndarray]
        self.error: dict[str, np.ndarray]
        #: Of each node: real value of a level and of level 0, levels (two ends), error bound.
        self.unit: dict[str, np.ndarray] = {name: unit}
        self.zero: dict[str, np.ndarray] = {name: zero}
        #: Largest integer of each node but the input.
        self.levels: dict[str, float] = {}
        self.low, self.high = (
            {name: np.clip(np.floor(wanted + half), encoder.low, encoder.high)}
            for half in (0.5 - _TIE, 0.5 + _TIE)
        )
        self.error = {name: np.full(wanted.shape, unit / 2)}

    def output(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Smallest and largest output, and the bound of the error."""
        for node, p in self.made:
            if isinstance(node, Pool):
                self._pool(node)
            else:
                self._layer(node, p)
        name = self.network.output.name
        return self.low[name], self.high[name], self.error[name]

    def _range(self, name: str) -> tuple[float, float]:
        """Lowest and highest integer of a node."""
        encoder = self.program.encoder
        if name == self.network.input.name:
            return encoder.low, encoder.high
        return 0, self.levels[name]

    def _pool(self, node: Pool) -> None:
        (way,), _ = self.ways[node.name]
        (source,) = self.network.inputs_of(node.name)
        shape = (-1, *self.network.shapes[source])

        def pooled(values: np.ndarray) -> np.ndarray:
            moved = np.atleast_2d(values) @ way.matrix.T  # elements moved, never mixed
            found = maximum(node, moved.reshape(shape), 0.0)
            return found.reshape(len(found), -1)

        for values in (self.low, self.high, self.error):
            values[node.name] = pooled(values[way.source])
        self.levels[node.name] = max(self._range(way.source)[1], 0)
        for known in (self.unit, self.zero):  # alike in a channel; padding is least
            least = known[way.source].min()
            known[node.name] = pooled(known[way.source] - least)[0] + least

    def _layer(self, node: Node, p: Population) -> None:
        scale = p.membrane_units
        bias = np.zeros(p.size) + self.ways[node.name][1] / scale
        size = np.abs(bias)
        low = np.zeros((len(self.x), p.size))
        high, loss, error = (np.zeros((len(self.x), p.size)) for _ in range(3))
        reach = np.zeros(p.size) + self.ways[node.name][1]
        for way, connection in self.arriving(p):
            s = way.source
            ends = (self.zero[s] + self.unit[s] * end for end in self._range(s))
            reach = reach + np.maximum(*(way.matrix * end for end in ends)).sum(1)
            w = _weights(way.matrix, self.unit[s], scale, connection.exponent)
            zero = way.matrix * np.asarray(self.zero[s])
            bias += zero.sum(1) / scale
            size += np.abs(zero).sum(1) / scale
            either = np.maximum(np.abs(self.low[s]), np.abs(self.high[s])) @ w.either.T
            positive, negative = np.maximum(w.integers, 0), np.minimum(w.integers, 0)
            low += self.low[s] @ positive.T + self.high[s] @ negative.T - either
            high += self.high[s] @ positive.T + self.low[s] @ negative.T + either
            loss += self.high[s] @ np.abs(w.lost).T + either
            error += self.error[s] @ np.abs(way.matrix).T
        doubt = size * _FLOAT
        error += (loss + doubt + 0.5) * scale
        least, most = np.rint(bias - doubt), np.rint(bias + doubt)
        own = np.asarray(getattr(p.neuron, "bias"), np.float64)  # noqa: B009  each code's kind has one
        shift = np.maximum(np.abs(own - least), np.abs(own - most))
        if self.program.provenance["quantization"]["bias_corrected"]:
            largest = (error.max(0) / scale).reshape(p.shape[0], -1).max(1)  # one shift a channel
            # two passes: the second's mean is of errors that the first has moved
            allowed = shift <= 3 * np.repeat(largest, p.size // p.shape[0])
            # neurons that can never fire are left out of the program, weights and bias
            if not isinstance(node, Output):
                allowed &= (own != 0) | ((high + most).max(0) > 0)
            least, most = np.where(allowed, own, least), np.where(allowed, own, most)
            error = error + np.where(allowed, shift, 0) * scale
        low, high, name = low + least, high + most, node.name
        if isinstance(node, Output):
            decoded = self.program.decoder.unit
            self.low[name], self.high[name] = low * decoded, high * decoded
            self.error[name] = error
            return
        top = self.levels[name] = self.top[p.name]
        unit = np.zeros(p.size) + p.spike_values / top
        self.unit[name], self.zero[name] = unit, np.zeros(p.size)
        slope = np.rint(unit / scale)
        half = np.floor(slope / 2)
        # What no input can make fire may be left out of the program; where its bias is gone too,
        # scales are of any size.
        silent = reach <= 0
        for values, v, kept in ((self.low, low, ~silent), (self.high, high, ~silent | (own != 0))):
            values[name] = np.clip((v + half) // slope, 0, top) * kept
        self.error[name] = _rounded(node, self.exact, error, unit / 2, unit * top)


def _rounded(
    node: Node, exact: dict[str, np.ndarray], error: np.ndarray, half: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """The bound of an activation's error: rounding, and clipping at `level`."""
    assert isinstance(node, Activation)
    return error + half + np.maximum(exact[node.name] - level, 0)


def _by_line(encoder: Encoder, values: np.ndarray) -> np.ndarray:
    """One value a line of an input, for all lines."""
    channels, *place = encoder.input_shape
    return np.tile(np.repeat(values, prod(place)), channels)


def _on_lines(encoder: Encoder, real: np.ndarray) -> np.ndarray:
    """Real values of the lines (n, lines) that add up to those of the inputs."""
    if not encoder.bit_planes:
        return real
    level = np.rint((real - encoder.input_offsets) / encoder.input_units)
    level = np.clip(level, 0, encoder.high)  # which bits are 1 is told from the integer
    lines = split_levels(level, encoder.bit_planes, encoder.input_shape[0])
    return lines * encoder.units + encoder.offsets


def _of_lines(encoder: Encoder, matrix: np.ndarray) -> np.ndarray:
    """Weights of inputs (targets, inputs) for each of their lines."""
    if not encoder.bit_planes:
        return matrix
    by_channel = matrix.reshape(len(matrix), encoder.input_shape[0], -1)
    return np.repeat(by_channel, encoder.lines, axis=1).reshape(len(matrix), -1)


class _Rates(_Held):
    """Clipped rates, and how far spikes may stray from them, all in real units a step.

    Of each node: its rate times lambda, how far its charge may stray from a straight line at any
    step of the sample (in lambdas times steps), and the bound of its error against the network.
    """

    def __init__(
        self, program: Program, network: Network, x: np.ndarray, exact: dict[str, np.ndarray]
    ) -> None:
        super().__init__(program, network, x, exact)
        self.steps, encoder = program.period, program.encoder
        none: np.ndarray = np.zeros(prod(encoder.shape))
        real = _on_lines(encoder, self.exact[network.input.name])
        counted = encoder.encoding == "deterministic"
        unit = none + encoder.units
        self.message = {INPUT: unit * (PROBABILITY_ONE if counted else 1)}
        stray = np.zeros(real.shape) + (self.message[INPUT] / 2 if counted else 0.0)
        self.rate: dict[str, np.ndarray] = {INPUT: real}
        #: What messages say, which is not the rate where their 0 stands for an offset.
        self.said = {INPUT: np.abs(real - (none + encoder.offsets))}
        last = np.arange(encoder.lines) == encoder.bit_planes  # a bit plane says what it says
        rounding = float(np.max(encoder.input_units)) / 2
        uneven = (stray + self.steps * rounding) * _by_line(encoder, last)
        self.stray: dict[str, np.ndarray] = {INPUT: uneven}
        self.clipped: dict[str, np.ndarray] = {INPUT: np.zeros(real.shape)}
        self.nodes = {p.name: node for node, p in self.made}

    def output(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Smallest and largest output, and the bound of the error."""
        for p in self.program.populations:
            node = self.nodes.get(p.name)
            if isinstance(node, Pool):
                self._maximum(p, node)
            elif node is None:
                (connection,) = self.program.incoming(p.name)
                sign = -1.0 if "negative" in p.name else 1.0
                self._layer(p, [(np.eye(p.size) * sign, connection)], np.zeros(p.size))
            else:
                self._layer(p, self._read(p), self.ways[node.name][1])
        name = self.program.decoder.population
        stray = self.stray[name] / self.steps
        low, high = self.rate[name] - stray, self.rate[name] + stray
        return low, high, stray + self.clipped[name]

    def _maximum(self, p: Population, node: Pool) -> None:
        """The maximum of counts; no more off than the largest error of those it takes."""
        source = self.program.incoming(p.name)[0].source
        shape = self.network.shapes[self.network.inputs_of(node.name)[0]]
        for known in (self.rate, self.stray, self.clipped):
            cells: np.ndarray = known[source].reshape(len(self.x), *shape)
            known[p.name] = maximum(node, cells).reshape(len(self.x), -1)
        self.said[p.name] = self.rate[p.name]
        self.message[p.name] = np.zeros(p.size) + p.spike_values

    def _read(self, p: Population) -> list[tuple[np.ndarray, Connection]]:
        """Matrices with their connections; the input may come as two relays, one a sign."""
        waiting: dict[str, list[Connection]] = defaultdict(list)
        for connection in self.program.incoming(p.name):
            waiting[connection.source].append(connection)
        found = []
        for way in self.ways[self.names[p.name]][0]:
            sources = [s for s in waiting if self.origin(s) == way.source]
            for source in sources:
                sign = -1.0 if source.endswith(f"negative{RELAY}") else 1.0
                matrix = way.matrix
                if source == INPUT:
                    matrix = _of_lines(self.program.encoder, matrix)
                found.append((matrix * sign, waiting[source].pop(0)))
        return found

    def _layer(
        self, p: Population, reads: list[tuple[np.ndarray, Connection]], bias: np.ndarray
    ) -> None:
        scale = (np.zeros(p.size) + p.membrane_units) * 2**p.neuron.input_shift
        exponent = p.neuron.parameters().get("bias_exponent", 0)
        rate = np.zeros((len(self.x), p.size)) + bias
        # what one step's bias may be off by: its own rounding, single precision
        off = p.membrane_units * (0.5 * 2**exponent + 0.5) + _FLOAT * np.abs(bias)
        clipped = np.zeros((len(self.x), p.size))
        stray = clipped + self.steps * off
        for matrix, connection in reads:
            s = connection.source
            w = _weights(matrix, self.message[s], scale, connection.exponent)
            size = np.abs(matrix).T
            rate += self.rate[s] @ matrix.T
            most = self.said[s] + self.stray[s] / self.steps
            loss = (np.abs(w.lost) + w.either) * (scale[:, None] / self.message[s])
            stray += self.stray[s] @ size + self.steps * (most @ loss.T)
            clipped += self.clipped[s] @ size
        own = self._own_bias(p, reads, bias)
        if p.name == self.program.decoder.population:
            moved = self._moved(p, own, stray / self.steps + clipped, _PASSES_AT_OUTPUT)
            self.rate[p.name], self.stray[p.name] = rate + moved, stray
            self.clipped[p.name] = clipped + np.abs(moved)
            return
        level = np.zeros(p.size) + p.spike_values
        self.message[p.name] = level
        node = self.nodes.get(p.name)
        true = self.exact[node.name] if node else np.maximum(rate, 0)
        most = (level / 2 + 3 * stray) / self.steps + clipped + np.maximum(true - level, 0)
        moved = self._moved(p, own, most, _PASSES)
        # neurons that can never fire are left out of the program, weights and bias
        left_out = np.isclose(own, -self._bias(reads, bias), rtol=1e-9, atol=0)
        moved = np.where(left_out & (rate.max(0) <= 0), 0, moved)
        rate, clipped = rate + moved, clipped + np.abs(moved)
        self.rate[p.name] = np.clip(rate, 0, level)
        self.said[p.name] = self.rate[p.name]
        # charge that stays under half a lambda around its line fires nothing below 0, and at every
        # step above lambda; else see the module
        certain = ((rate <= 0) | (rate >= level)) & (stray < level / 2)
        inside = (rate > 0) & (rate < level)
        spread = level / 2 + np.where(inside, 3, 1) * stray
        self.stray[p.name] = np.where(certain, 0.0, np.minimum(spread, level * self.steps))
        self.clipped[p.name] = clipped + np.maximum(true - level, 0)

    def _own_bias(
        self, p: Population, reads: list[tuple[np.ndarray, Connection]], bias: np.ndarray
    ) -> np.ndarray:
        """By how much the program's bias, real and a step, differs from the network's."""
        if not isinstance(p.neuron, IntegrateFire):
            return np.zeros(p.size)
        half = p.neuron.threshold.astype(np.int64) >> 1 if p.neuron.fires else 0
        total = p.neuron.bias.astype(np.int64) * self.steps + p.neuron.initial - half
        return total * p.membrane_units / self.steps - self._bias(reads, bias)

    def _bias(self, reads: list[tuple[np.ndarray, Connection]], bias: np.ndarray) -> np.ndarray:
        """A layer's bias with what the input's offset, the value of its 0, adds to it."""
        for matrix, connection in reads:
            if connection.source == INPUT:
                bias = bias + matrix @ (np.zeros(matrix.shape[1]) + self.program.encoder.offsets)
        return bias

    def _moved(self, p: Population, own: np.ndarray, error: np.ndarray, passes: int) -> np.ndarray:
        """The part of a bias's difference that its correction explains, one number a channel.

        A pass moves it by the mean of at most `error`, and the next one's error is larger by that.
        """
        if not self.program.provenance["quantization"]["bias_corrected"]:
            return np.zeros(p.size)
        largest = error.max(0).reshape(p.shape[0], -1).max(1) * (2**passes - 1)
        return np.where(np.abs(own) <= np.repeat(largest, p.size // p.shape[0]), own, 0.0)


#: What a program says of each neuron, by its scheme.
_HOLDING: dict[str, type[_Integers] | type[_Rates]] = {
    "ttfs": _Integers,
    "radix": _Integers,
    "graded": _Integers,
    "rate": _Rates,
}
