"""Recordings of events: two layouts, put into steps, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.errors import DataError, UsageError
from neurodeploy.event_samples import Events, RawEvents, binned, microseconds, read_events, within

SHARED = Path(__file__).parents[2].parent / "shared"


def raw(path, **changes):
    arrays = {
        "t": np.array([0, 999, 1000, 2500, 100, 9000], np.uint32),
        "x": np.array([0, 0, 2, 1, 1, 1], np.uint8),
        "y": np.array([0, 0, 1, 0, 1, 1], np.uint8),
        "p": np.array([0, 0, 1, 1, 0, 0], np.uint8),
        "start": np.array([0, 4, 6]),
        "label": np.array([3, 1]),
    }
    np.savez(path, **{**arrays, **changes})
    return path


def test_raw_events_fall_into_steps(tmp_path):
    events = read_events(raw(tmp_path / "e.npz"))
    assert isinstance(events, RawEvents)
    made, line = within(binned(events, (2, 2, 3), 1000.0), 4)
    assert made.step.tolist() == [0, 0, 1, 2, 0]
    assert made.input.tolist() == [0, 0, 6 + 3 + 2, 6 + 1, 3 + 1]
    assert made.start.tolist() == [0, 4, 5]
    assert "1 come after step 4" in line
    assert "1 fall on another" in line


def test_a_limit_takes_the_first_recordings(tmp_path):
    events = read_events(raw(tmp_path / "e.npz"), 1)
    assert events.label.tolist() == [3]
    assert len(events.t) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"start": np.array([0, 4, 7])},
        {"start": np.array([0, 5, 4, 6])},
        {"x": np.zeros(5, np.uint8)},
        {"t": np.zeros(6)},
        {"label": np.zeros(3, np.int64)},
        {"y": np.full(6, -1)},
    ],
)
def test_arrays_that_do_not_fit_are_one_message(tmp_path, changes):
    with pytest.raises(DataError):
        read_events(raw(tmp_path / "e.npz", **changes))


def test_events_outside_the_sensor(tmp_path):
    with pytest.raises(DataError, match="sensor"):
        binned(read_events(raw(tmp_path / "e.npz")), (2, 2, 2), 1000.0)


def test_other_files_are_no_events(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 3)))
    assert read_events(tmp_path / "x.npz") is None
    np.savez(tmp_path / "s.npz", step=np.array([1]), input=np.array([2]), start=np.array([0, 1]))
    assert isinstance(read_events(tmp_path / "s.npz"), Events)


def test_times():
    assert microseconds("--bin", "1ms") == 1000
    assert microseconds("--bin", "0.3s") == 300_000
    for text in ("1", "ms", "-1ms", "0us", "1..2s"):
        with pytest.raises(UsageError):
            microseconds("--bin", text)


@pytest.mark.skipif(
    not (SHARED / "models/nir/cnn_sinabs.nir").exists(), reason="the N-MNIST model is not here"
)
def test_n_mnist_at_60_steps():
    """Ten recordings of 5 ms steps; the whole table is in docs/spiking-networks.md."""
    model, data = SHARED / "models/nir/cnn_sinabs.nir", SHARED / "data/nmnist_test100.npz"
    said: list[str] = []
    program = nd.compile(str(model), dt=5e-3, reset="zero", steps=60, warn=said.append)
    assert all(p.neuron.is_stock for p in program.populations)
    result = nd.simulate(program, str(data), limit=10, warn=said.append)
    labels = np.load(data)["label"][:10]
    assert (result.outputs.argmax(1) == labels).sum() >= 9
    assert any("fall on another" in line for line in said)
