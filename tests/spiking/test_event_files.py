"""`neurodeploy events`: files of event cameras, crop, downsampling, and hostile ones."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from click.testing import CliRunner

from neurodeploy.cli import cli
from neurodeploy.errors import DataError, NeuroDeployError, UsageError
from neurodeploy.event_files import read_camera_files


def camera(n=200, seed=0):
    rng = np.random.default_rng(seed)
    t = np.sort(rng.integers(0, 100_000, n))
    return t - t[0], rng.integers(0, 34, n), rng.integers(0, 30, n), rng.integers(0, 2, n)


def as_bin(t, x, y, p):
    """N-MNIST's 40 bits an event."""
    columns = [x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]
    return np.stack(columns, 1).astype(np.uint8).tobytes()


def put(*arguments):
    return CliRunner().invoke(cli, ["events", *map(str, arguments)])


def test_bin_and_structured_arrays(tmp_path):
    t, x, y, p = camera()
    (tmp_path / "a.bin").write_bytes(as_bin(t, x, y, p))
    made = np.zeros(t.size, [("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])
    made["t"], made["x"], made["y"], made["p"] = t + 12_345, x, y, p
    np.save(tmp_path / "b.npy", made)
    found = read_camera_files([tmp_path / "a.bin", tmp_path / "b.npy"])
    np.testing.assert_array_equal(found.start, [0, 200, 400])
    for mine, theirs in zip((found.t, found.x, found.y, found.p), (t, x, y, p), strict=True):
        np.testing.assert_array_equal(mine, np.tile(theirs, 2))


@pytest.mark.parametrize("suffix", ["aedat4", "raw", "dat", "es"])
def test_files_of_cameras(tmp_path, suffix):
    faery = pytest.importorskip("faery", reason="needs the extra events")
    t, x, y, p = camera()
    made = np.zeros(t.size, faery.EVENTS_DTYPE)
    made["t"], made["x"], made["y"], made["p"] = t, x, y, p
    path = tmp_path / f"a.{suffix}"
    faery.events_stream_from_array(made, (34, 30)).to_file(path)
    found = read_camera_files([path])
    order = [np.lexsort((b, a, t)) for a, b in ((x, y), (found.x, found.y))]
    np.testing.assert_array_equal(found.t, t)
    np.testing.assert_array_equal(found.x[order[1]], x[order[0]])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xff" * 50)
    with contextlib.suppress(DataError):  # what was whole before the damage may be read
        read_camera_files([path])


def test_crop_and_downsample(tmp_path):
    t, x, y, p = camera()
    (tmp_path / "a.bin").write_bytes(as_bin(t, x, y, p))
    result = put(
        tmp_path / "a.bin", "-o", tmp_path / "o.npz", "--sensor", "34x30", "--bin", "1ms",
        "--window", "200ms", "--crop", "20x15+4+2", "--downsample", "4", "--polarity", "merged",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    inside = (x >= 4) & (x < 24) & (y >= 2) & (y < 17)
    with np.load(tmp_path / "o.npz") as made:
        np.testing.assert_array_equal(made["shape"], [200, 1, 4, 5])
        np.testing.assert_array_equal(made["step"], t[inside] // 1000)
        places = (y[inside] - 2) // 4 * 5 + (x[inside] - 4) // 4
        np.testing.assert_array_equal(made["input"], places)
    assert f"{(~inside).sum()} events lie outside" in result.output


def test_hostile_files_are_one_message(tmp_path):
    cases = {
        "a.bin": b"123456",
        "b.bin": b"",
        "c.npy": b"\x93NUMPY" + b"\xff" * 100,
        "d.npy": np.lib.format.magic(1, 0)
        + b"\x46\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(70, b" "),
        "e.aedat4": b"#!AER-DAT4.0\r\n" + b"\xff" * 100,
        "f.raw": b"\0" * 7,
        "g.es": b"Event Stream" + b"\xff" * 40,
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(NeuroDeployError):
            read_camera_files([tmp_path / name])
    with pytest.raises(UsageError, match="nothing reads"):
        read_camera_files([tmp_path / "x.mp4"])
    with pytest.raises(DataError):
        read_camera_files([tmp_path / "missing.bin"])
    wide = np.zeros(1, [("x", "<f8"), ("y", "<i2"), ("t", "<i8"), ("p", "?")])
    np.save(tmp_path / "h.npy", wide)
    with pytest.raises(DataError, match="whole"):
        read_camera_files([tmp_path / "h.npy"])
