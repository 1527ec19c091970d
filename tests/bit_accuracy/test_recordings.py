"""Recorded silicon and Lava traces = reference = engine (the first rungs of the ladder)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurodeploy.program import (
    Connection,
    Convolution,
    Decoder,
    Dense,
    Encoder,
    Lif,
    Population,
    Program,
)
from neurodeploy.simulator import reference
from neurodeploy.simulator.engine import Engine

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason="the recorded vectors are not beside this checkout"
)

#: What the chip reads back as membrane at the steps where a neuron spiked.
SPIKE_READBACK = 128


def one_layer(synapses, source, target, bias, *, dv, threshold, exponent, period, phase):
    """A program of one stock population, one step behind its input."""
    return Program(
        populations=(
            Population(
                "layer",
                target,
                Lif(bias.astype(np.int16), threshold, bias_exponent=exponent, dv=dv),
                phase=phase,
            ),
        ),
        connections=(Connection("input", "layer", synapses),),
        encoder=Encoder(source, "poisson", 1.0, 0, 1),
        decoder=Decoder("layer", 1.0),
        period=period,
    )


@pytest.mark.parametrize("file", ["lif_lava_loihi_fixed.csv", "lif_lava_cpu_fixed.csv"])
def test_single_neuron(file):
    """Loihi 2 silicon and Lava's CPU model: one neuron, 1000 steps."""
    x, v, spikes = np.genfromtxt(VECTORS / file, delimiter=",").T[-3:]
    assert len(x) == 1000
    program = one_layer(
        Dense(np.array([[10]], np.int8)), (1,), (1,), np.zeros(1),
        dv=163, threshold=25, exponent=0, period=2**20, phase=2**20 + 2**19,
    )  # fmt: skip
    messages = x.astype(np.int32)[:, None]
    for trace in (reference.run(program, messages), Engine(program).run_stream(messages)):
        fired = trace.spikes["layer"][:, 0]
        np.testing.assert_array_equal(fired, spikes.astype(bool))
        membrane = trace.membrane["layer"][:, 0]
        if "loihi" in file:
            membrane = np.where(fired, SPIKE_READBACK, membrane)
        np.testing.assert_array_equal(membrane, v.astype(np.int32))


LAYERS = ("conv-0", "conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2")


def time_first(name: str) -> np.ndarray:
    """A recording as (steps, neurons) in C, H, W order."""
    raw = np.load(VECTORS / "pilotnet_lif" / f"{name}.npy")
    raw = raw.transpose(3, 2, 1, 0) if raw.ndim == 4 else raw.T  # from (x, y, channel, t)
    return raw.reshape(raw.shape[0], -1)


def shape_of(name: str) -> tuple[int, ...]:
    raw = np.load(VECTORS / "pilotnet_lif" / f"{name}.npy")
    return (raw.shape[2], raw.shape[1], raw.shape[0]) if raw.ndim == 4 else (raw.shape[0],)


@pytest.mark.parametrize("index", range(1, len(LAYERS)))
def test_pilotnet(index):
    """Each layer of lava-dl's PilotNet, fed with the recorded spikes of the layer before."""
    name, before = LAYERS[index], LAYERS[index - 1]
    parameters = np.load(VECTORS / "pilotnet_lif" / "parameters.npz")
    weights = parameters[f"{name}.weight"].astype(np.int8)
    bias = parameters[f"{name}.bias"]
    source, target = shape_of(before), shape_of(name)
    if weights.ndim == 4:
        (stride_x, stride_y), (pad_x, pad_y) = (
            map(int, parameters[f"{name}.{key}_xy"]) for key in ("stride", "padding")
        )
        synapses = Convolution(weights, (stride_y, stride_x), (pad_y, pad_x, pad_y, pad_x))
        bias = np.repeat(bias, target[1] * target[2])
    else:
        synapses = Dense(weights)
    program = one_layer(
        synapses, source, target, bias,
        # the recordings' notes count phases from row 0, steps count from 1
        dv=1024, threshold=25, exponent=6, period=17, phase=index + 2,
    )  # fmt: skip
    messages = time_first(before).astype(np.int32)
    for trace in (reference.run(program, messages), Engine(program).run_stream(messages)):
        fired = trace.spikes["layer"]
        np.testing.assert_array_equal(fired, time_first(name))
        if (VECTORS / "pilotnet_lif" / f"{name}-v.npy").exists():
            v = np.where(fired, SPIKE_READBACK, trace.membrane["layer"])
            np.testing.assert_array_equal(v, time_first(f"{name}-v"))
            if trace.current:
                np.testing.assert_array_equal(trace.current["layer"], time_first(f"{name}-u"))
