"""lava-dl's `.net` files: integers as they are, held against recorded states of its PilotNet."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import ModelError, NeuroDeployError, UnsupportedError, UsageError
from neurodeploy.simulator import reference
from neurodeploy.simulator.engine import Engine

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "pilotnet_lif"
CUBA = {"type": np.bytes_("CUBA"), "iDecay": 4096, "vDecay": 1024, "vThMant": 25, "refDelay": 1}


def written(path, layers):
    """A file as lava-dl's blocks export it."""
    with h5py.File(path, "w") as file:
        for k, layer in enumerate(layers):
            group = file.create_group(f"layer/{k}")
            for key, value in layer.items():
                if key == "type":
                    group.create_dataset("type", (1,), "S10", [value.encode()])
                elif key == "neuron":
                    for name, number in value.items():
                        group[f"neuron/{name}"] = number
                else:
                    group[key] = value
    return str(path)


def dense(weight, **others):
    shape = np.array([len(weight)])
    return {"type": "dense", "shape": shape, "weight": weight, "neuron": CUBA, **others}


def compiled(path, **options):
    return nd.compile(path, warn=lambda _: None, **{"steps": 20, **options})


@pytest.mark.skipif(not VECTORS.exists(), reason=f"{VECTORS} is not there")
def test_pilotnet_has_the_recorded_currents_membranes_and_spikes(tmp_path):
    """conv-1 to fc-2 as one network, fed with the recorded spikes of conv-0."""
    names = ("conv-1", "conv-2", "conv-3", "conv-4", "fc-0", "fc-1", "fc-2")
    parameters = np.load(VECTORS / "parameters.npz")

    def recorded(name):
        raw = np.load(VECTORS / f"{name}.npy")  # (x, y, channel, t), or (neuron, t)
        return raw.transpose(3, 2, 1, 0) if raw.ndim == 4 else raw.T

    first = recorded("conv-0")
    layers = [{"type": "input", "shape": np.array(first.shape[1:])}]
    for name in names:
        weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
        shape = np.array(recorded(name).shape[1:])
        layer = {"shape": shape, "weight": weight, "bias": bias, "neuron": CUBA}
        if name == "fc-0":
            layers.append({"type": "flatten"})
        if weight.ndim == 2:
            layers.append({"type": "dense", **layer})
            continue
        window = {key: parameters[f"{name}.{key}_xy"][::-1] for key in ("stride", "padding")} | {
            "dilation": np.array([1, 1])
        }
        layers.append({"type": "conv", "groups": 1, **layer, **window, "weight": weight[..., None]})
    program = compiled(written(tmp_path / "pilotnet.net", layers), steps=17)
    assert all(p.neuron.is_stock for p in program.populations)
    # the recording's first row is step 1, and conv-0 fires its first window from step 2 on
    messages = first.reshape(len(first), -1)[1:].astype(np.int32)
    for trace in (reference.run(program, messages), Engine(program).run_stream(messages)):
        for name, p in zip(names, program.populations, strict=True):
            rows = slice(p.phase - 1, None)  # from its first window on
            fired = trace.spikes[p.name][rows]
            expected = recorded(name).reshape(len(first), -1)[1:][rows]
            np.testing.assert_array_equal(fired, expected > 0)
            if not (VECTORS / f"{name}-v.npy").exists():
                continue
            # membranes are read back as 128 where a neuron fired
            v = np.where(fired, 128, trace.membrane[p.name][rows])
            states = {key: recorded(f"{name}-{key}") for key in "uv"}
            flat = {key: s.reshape(len(first), -1)[1:][rows] for key, s in states.items()}
            np.testing.assert_array_equal(v, flat["v"])
            if trace.current:
                np.testing.assert_array_equal(trace.current[p.name][rows], flat["u"])


def test_an_input_layer_of_biases_and_weights_of_nine_bits(tmp_path):
    """``2 w x - w + b`` at every step into the input's neurons, as lava-dl sets their biases."""
    rng = np.random.default_rng(0)
    weight = rng.integers(-100, 100, (4, 6)) * 2
    neuron = {**CUBA, "vDecay": 128}
    image = {"type": "input", "shape": np.array([6]), "weight": 40, "bias": 3, "neuron": neuron}
    path = written(tmp_path / "a.net", [image, dense(weight, bias=np.array([1, -2, 0, 5]))])
    program = compiled(path)
    x = rng.random((5, 6)).astype(np.float32)
    v, w, counts = np.zeros((5, 6)), np.zeros((5, 4)), np.zeros((5, 4))
    bias = np.rint(2 * 40 * x.astype(np.float64) - 40 + 3)

    def decayed(value, rate):
        return np.sign(value) * (np.abs(value).astype(np.int64) * (4096 - rate) >> 12)

    for _ in range(20):
        v = decayed(v, 128) + bias * 64
        fired = v > 25 * 64
        v[fired] = 0
        w = decayed(w, 1024) + fired @ weight.T * 64 + np.array([1, -2, 0, 5]) * 64
        out = w > 25 * 64
        w[out] = 0
        counts += out
    assert counts.sum() > 20
    np.testing.assert_array_equal(nd.simulate(program, x, warn=lambda _: None).outputs, counts)
    assert program.connections[1].exponent == 1


def test_axonal_delays_of_each_neuron(tmp_path):
    rng = np.random.default_rng(1)
    weights = [rng.integers(-20, 40, (5, 3)), rng.integers(-20, 40, (2, 5))]
    delays = np.array([0.0, 3.7, 1.0, 0.0, 2.0])  # lava-dl rounds them down
    layers = [
        {"type": "input", "shape": np.array([3])},
        dense(weights[0], delay=delays),
        dense(weights[1]),
    ]
    program = compiled(written(tmp_path / "d.net", layers))
    x = (rng.random((6, 20, 3)) < 0.4).astype(np.uint8)
    found = nd.record(program, x).spikes
    first, second = program.populations
    arrives = np.zeros((6, program.period, 5))
    for j, wait in enumerate((0, 3, 1, 0, 2)):
        arrives[:, wait:, j] = found[first.name][:, : program.period - wait, j]
    w = np.zeros((6, 2))
    for t in range(20):
        w = np.sign(w) * (np.abs(w).astype(np.int64) * 3072 >> 12)
        w += arrives[:, t] @ weights[1].T * 64
        out = w > 25 * 64
        np.testing.assert_array_equal(found[second.name][:, t], out)
        w[out] = 0
    assert found[second.name].sum() > 10


def test_what_is_not_there_is_refused_by_name(tmp_path):
    one = np.ones((2, 2), int)
    start = {"type": "input", "shape": np.array([2])}
    path = tmp_path / "x.net"
    sigma_delta = {"type": np.bytes_("SDNN"), "vThMant": 3}
    for layers, match in (
        ([start, {"type": "pool", "shape": np.array([2])}], "pooling"),
        ([start, dense(one, neuron=sigma_delta)], "SDNN"),
        ([start, dense(one * 255)], "eight bits"),
        ([start, dense(one, neuron={**CUBA, "refDelay": 4})], "refractory"),
        ([dense(one)], "input layer"),
        ([start, dense(np.ones((2, 3), int))], "do not read"),
        ([start, dense(one / 3)], "whole numbers"),
        ([start, dense(one, neuron={"type": np.bytes_("CUBA")})], "iDecay"),
        ([start, dense(one, bias=np.array([9999, 0]))], "13 bits"),
    ):
        with pytest.raises(NeuroDeployError, match=match):
            compiled(written(path, layers))
        report = nd.check(str(path))
        assert not report.ok
    with pytest.raises(UsageError, match="--dt"):
        compiled(written(path, [start, dense(one)]), dt=1e-3)
    assert nd.check(str(path)).ok


def test_hostile_files_are_one_message(tmp_path):
    path = tmp_path / "x.net"
    for content in (b"", b"no", b"\x89HDF\r\n\x1a\n" + b"\0" * 100):
        path.write_bytes(content)
        with pytest.raises(ModelError):
            compiled(str(path))
    written(path, [{"type": "input", "shape": np.array([2])}, dense(np.ones((2, 2), int))])
    with h5py.File(path, "a") as file:
        del file["layer/1/weight"]
        file.create_dataset("layer/1/weight", (2**20, 2**20), "f4", chunks=(1024, 1024))
    with pytest.raises(ModelError, match="claims more than"):
        compiled(str(path))
    with h5py.File(path, "a") as file:
        del file["layer/1/weight"]
        file["layer/1/weight"] = h5py.ExternalLink("/etc/hostname", "/x")
    with pytest.raises(ModelError):
        compiled(str(path))
    with h5py.File(path, "w") as file:
        for k in range(3000):
            file.create_group(f"layer/{k}")
    with pytest.raises((ModelError, UnsupportedError), match="layers"):
        compiled(str(path))
