"""Networks of the wider operators, from ONNX to spikes: the simulation keeps the float results."""

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.importing import load_network
from neurodeploy.network.evaluate import Evaluator

RNG = np.random.default_rng(11)


def normal(*shape):
    fan = max(int(np.prod(shape[1:])), 1)
    return (RNG.standard_normal(shape) / np.sqrt(fan)).astype(np.float32)


def upwards(kernel=4, channels=3):
    return {"strides": [2, 2], "pads": [1, 1, 1, 1], "kernel_shape": [kernel, kernel]}


NETWORKS = {
    "decoder": (
        [
            ("Conv", "x w b", "c", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
            ("LeakyRelu", "c", "l", {"alpha": 0.2}),
            ("ConvTranspose", "l u", "t", upwards()),
            ("Relu", "t", "r"),
            ("Flatten", "r", "f"),
            ("Gemm", "f g", "y"),
        ],
        {"w": normal(4, 2, 3, 3), "b": normal(4), "u": normal(4, 2, 4, 4), "g": normal(128, 5)},
    ),
    "resize": (
        [
            ("Pad", "x p v", "a"),
            ("Conv", "a w", "c", {"strides": [2, 2]}),
            ("PRelu", "c s", "l"),
            ("Resize", "l - z", "n", {"mode": "nearest"}),
            ("Conv", "n u", "d"),
            ("Relu", "d", "e"),
            ("Resize", "e - z", "i", {"mode": "linear"}),
            ("ReduceSum", "i q", "m", {"keepdims": 0}),
            ("Gemm", "m g", "y"),
        ],
        {
            "p": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
            "v": np.float32(0.5),
            "w": normal(4, 2, 4, 4),
            "s": np.array([0.1, 0.3, 0.0, 0.5], np.float32).reshape(4, 1, 1),
            "z": np.array([1, 1, 2, 2], np.float32),
            "u": normal(3, 4, 3, 3),
            "q": np.array([2, 3]),
            "g": normal(3, 5),
        },
    ),
    "pieces": (
        [
            ("Flatten", "x", "f"),
            ("Gemm", "f w", "h"),
            ("Clip", "h low high", "c"),
            ("Gemm", "f v", "k"),
            ("Max", "c k", "m"),
            ("HardSigmoid", "m", "s"),
            ("Concat", "s const", "j", {"axis": 1}),
            ("Gemm", "j g", "y"),
        ],
        {
            "w": normal(24, 128).T.copy(),
            "v": normal(24, 128).T.copy(),
            "low": np.float32(-0.5),
            "high": np.float32(1),
            "const": np.array([[0.5, -0.5]], np.float32),
            "g": normal(26, 5),
        },
    ),
}


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_simulation_keeps_the_results(model, agree, save, name, scheme, calibrated):
    nodes, constants = NETWORKS[name]
    path = save(model(nodes, (2, 8, 8), opset=13, **constants))
    agree(path, batch=1)
    samples = RNG.uniform(0, 1, (24, 2, 8, 8)).astype(np.float32)
    wanted = Evaluator(load_network(path).network).run(samples)["output"]
    # Without samples rates are low, and signed spikes twice as far off (docs/schemes.md).
    options = {"signed": False} if scheme == "rate" and not calibrated else {}
    program = nd.compile(path, samples if calibrated else None, scheme=scheme, steps=256, **options)
    found = nd.simulate(program, samples).outputs
    assert found.shape == wanted.shape
    error = np.abs(found - wanted).max() / np.ptp(wanted)
    assert error < 0.04
