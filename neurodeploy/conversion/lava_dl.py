"""lava-dl's layers as a program: integer for integer, nothing is quantized again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np

from neurodeploy.errors import ConversionError, NeuroDeployError, UnsupportedError
from neurodeploy.importing.lava_dl import NetFile, NetLayer
from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Preprocessing,
    Program,
    Sparse,
    Synapses,
)
from neurodeploy.targets import Target

__all__ = ["LAVA_DL", "net_program"]

#: Name of the exporter, in the provenance of its programs.
LAVA_DL = "lava-dl"

#: Biases are in units of 2^6 of the membrane, as weights are.
_BIAS_EXPONENT = 6
#: Weight of an input layer that states none.
_USUAL_INPUT_WEIGHT = 64


@dataclass
class _Build:
    target: Target
    steps: int
    populations: list[Population] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    encoder: Encoder | None = None
    #: Of the layer before: name, shape, steps that its neurons' spikes wait.
    last: str = INPUT
    shape: tuple[int, ...] = ()
    waits: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    #: Most steps that spikes are late at the layer that reads them.
    tail: int = 0


def net_program(
    net: NetFile, steps: int, decoding: str | None, target: Target, provenance: dict[str, Any]
) -> Program:
    """The program of a file.

    Parameters
    ----------
    steps
        A sample lasts; the state is set to 0 between samples.
    decoding
        What is read of the last layer; None: the spike count.

    Raises
    ------
    ConversionError, UnsupportedError
        Neurons and layers that are not there, numbers beyond the registers.
    """
    work = _Build(target, steps)
    for layer in net.layers:
        try:
            _LAYERS[layer.kind](work, layer)
        except NeuroDeployError as error:
            raise type(error)(
                error.message, place=error.place or layer.name, remedy=error.remedy
            ) from None
    if work.encoder is None or not work.populations:
        raise ConversionError("no input layer says what comes in, or no layer of neurons reads it")
    last = work.populations[-1]
    decoding = decoding or "spike_count"
    membrane = decoding.startswith("membrane") or decoding == "every_step"
    unit = last.membrane_unit if membrane else 1.0
    return Program(
        populations=tuple(work.populations),
        connections=tuple(work.connections),
        encoder=work.encoder,
        decoder=Decoder(last.name, unit, decoding, work.tail),
        period=steps + work.tail,
        scheme="direct",
        target=target.name,
        provenance=provenance,
    )


def _input(work: _Build, layer: NetLayer) -> None:
    """Spikes where the layer has no neurons; else values of 0..1 as biases of its neurons.

    lava-dl sets the bias to ``2 w x - w + b`` for the time of a sample.
    """
    if work.encoder is not None:
        raise UnsupportedError("a second input layer")
    as_they_are = Preprocessing(scale=1.0)
    work.shape = layer.shape
    if layer.neuron is None:
        work.encoder = Encoder(
            layer.shape, "events", 1.0, 0, 1, as_they_are, sample_shape=(work.steps, *layer.shape)
        )
        return
    weight = _single(layer.weight, "weight", _USUAL_INPUT_WEIGHT)
    bias = _single(layer.bias, "bias", 0)
    if weight < 1:
        raise UnsupportedError(f"an input weight of {weight}")
    neuron = _neuron(layer, np.zeros(prod(layer.shape), np.int64))
    if neuron.du < 4095:
        raise UnsupportedError("an input layer whose current has a memory: its input is a bias")
    low, high = min(bias - weight, 0), max(bias + weight, 0)
    work.encoder = Encoder(
        layer.shape,
        "current",
        1 / (2 * weight),
        low,
        high,
        Preprocessing(),
        offset=(weight - bias) / (2 * weight),
    )
    n = prod(layer.shape)
    one = Sparse(np.ones(n, np.int8), np.arange(n, dtype=np.int32), np.arange(n + 1), n)
    _population(work, layer, neuron, one, 0)


def _flatten(work: _Build, layer: NetLayer) -> None:
    work.shape = (prod(work.shape),)


def _weights(layer: NetLayer) -> tuple[np.ndarray, int]:
    """int8 weights and their exponent, exact.

    Raises
    ------
    ConversionError
        No exponent makes eight bits of them.
    """
    assert layer.weight is not None
    whole = layer.weight
    exponent = 0
    while np.abs(whole).max(initial=0) > 127:
        if np.any(whole % 2) or exponent == 7:
            raise ConversionError(
                f"weights of {layer.weight.min()}..{layer.weight.max()} are not eight bits and an "
                "exponent",
                remedy="train with eight bits of weights",
            )
        whole, exponent = whole // 2, exponent + 1
    return whole.astype(np.int8), exponent


def _dense(work: _Build, layer: NetLayer) -> None:
    weights, exponent = _weights(layer)
    _check_input(work)
    if weights.shape[1] != prod(work.shape):
        raise ConversionError(f"weights {weights.shape} do not read {work.shape}")
    _population(work, layer, _neuron(layer, _biases(layer)), Dense(weights), exponent)


def _convolution(work: _Build, layer: NetLayer) -> None:
    weights, exponent = _weights(layer)
    _check_input(work)
    stride, padding, dilation = layer.window
    synapses = Convolution(weights, stride, padding * 2, dilation, layer.groups)
    _population(work, layer, _neuron(layer, _biases(layer)), synapses, exponent)


def _check_input(work: _Build) -> None:
    if work.encoder is None:
        raise ConversionError(
            "comes before an input layer, which says the input's shape",
            remedy="begin the network with lava-dl's input block",
        )


def _biases(layer: NetLayer) -> np.ndarray:
    """One a neuron, int64."""
    size = prod(layer.shape)
    if layer.bias is None:
        return np.zeros(size, np.int64)
    if layer.bias.size not in (1, layer.shape[0], size):
        raise ConversionError(f"{layer.bias.size} biases for neurons {layer.shape}")
    if layer.bias.size == layer.shape[0]:
        return np.repeat(layer.bias, size // layer.shape[0])
    return np.resize(layer.bias, size)


def _neuron(layer: NetLayer, bias: np.ndarray) -> Lif:
    """The stock neuron with the layer's registers."""
    said = layer.neuron or {}
    if said.get("type") not in ("CUBA", "LOIHI"):
        raise UnsupportedError(
            f"neurons of the type {str(said.get('type'))[:40]!r}",
            remedy="CUBA (leaky integrate-and-fire) neurons are read",
        )
    if said.get("gradedSpike"):
        raise UnsupportedError("its neurons send graded spikes")
    if said.get("refDelay", 1) > 1:
        raise UnsupportedError(f"a refractory delay of {said['refDelay']} steps")
    missing = [key for key in ("iDecay", "vDecay", "vThMant") if key not in said]
    if missing:
        raise ConversionError(f"its neurons have no {', '.join(missing)}")
    if np.abs(bias).max(initial=0) > 4095:
        raise ConversionError(f"biases of {bias.min()}..{bias.max()} leave 13 bits")
    return Lif(
        bias_mantissa=bias.astype(np.int16),
        bias_exponent=_BIAS_EXPONENT,
        threshold=said["vThMant"],
        du=max(said["iDecay"] - 1, 0),
        dv=said["vDecay"],
        reset="zero",
    )


def _population(
    work: _Build, layer: NetLayer, neuron: Lif, synapses: Synapses, exponent: int
) -> None:
    """Add a layer; sources whose spikes wait for different times have connections of their own."""
    phase = 2 if not work.populations else work.populations[-1].phase + 1
    work.populations.append(Population(layer.name, layer.shape, neuron, phase))
    waits = np.unique(work.waits)
    if waits.min() < 0 or waits.max() > work.target.delay_max - 1:
        raise ConversionError(f"axonal delays of {waits.min()}..{waits.max()} steps")
    for wait in waits:
        part = synapses
        if waits.size > 1:
            if not isinstance(synapses, Dense):
                raise UnsupportedError("a convolution of spikes with different axonal delays")
            here = np.resize(work.waits, prod(work.shape)) == wait
            part = Dense(np.where(here, synapses.weights, np.int8(0)))
        work.connections.append(
            Connection(work.last, layer.name, part, exponent, delay=1 + int(wait))
        )
    work.tail = max(work.tail, int(waits.max()))
    if waits.max() and work.last != INPUT:
        _quieten(work, int(waits.max()))
    size = prod(layer.shape)
    delay = np.zeros(1, np.int64) if layer.delay is None else layer.delay
    if delay.size not in (1, layer.shape[0], size):
        raise ConversionError(f"{delay.size} axonal delays for neurons {layer.shape}")
    if delay.size not in (1, size):
        delay = np.repeat(delay, size // layer.shape[0])
    work.last, work.shape, work.waits = layer.name, layer.shape, delay


def _quieten(work: _Build, steps: int) -> None:
    """Keep spikes that are under way at a sample's end from the next one."""
    if not work.target.microcode:
        raise ConversionError(
            f"{work.target.title} has no neuron that is quiet at a window's end: delayed spikes of "
            "a sample would reach the next one",
            place=work.last,
            remedy="use --target loihi2",
        )
    for k, p in enumerate(work.populations):
        if p.name == work.last and isinstance(p.neuron, Lif):
            work.populations[k] = replace(p, neuron=replace(p.neuron, quiet=steps))


def _single(value: np.ndarray | None, what: str, usual: int) -> int:
    if value is None:
        return usual
    if value.size != 1:
        raise UnsupportedError(f"an input layer with {value.size} numbers of {what}, not one")
    return int(value.reshape(-1)[0])


_LAYERS = {"conv": _convolution, "dense": _dense, "flatten": _flatten, "input": _input}
