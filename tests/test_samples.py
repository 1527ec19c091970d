"""Sample files: numeric arrays only, and nothing a hostile file says is believed."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from neurodeploy.errors import DataError
from neurodeploy.samples import load_samples
from neurodeploy.simulator.encoding import check_samples


def test_round_trip(tmp_path):
    x, y = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.array([1, 0])
    np.savez(tmp_path / "a.npz", x=x, y=y)
    np.savez_compressed(tmp_path / "b.npz", x=x)
    np.save(tmp_path / "c.npy", x)
    for name, labels in (("a.npz", True), ("b.npz", False), ("c.npy", False)):
        found = load_samples(tmp_path / name)
        np.testing.assert_array_equal(found.x, x)
        assert (found.y is not None) == labels
    assert len(load_samples(tmp_path / "a.npz").limit(1).y) == 1


def test_pickles_are_never_opened(tmp_path):
    marker = tmp_path / "opened"

    class Trap:
        def __reduce__(self):
            return (marker.write_text, ("",))

    trap = np.array([Trap()], dtype=object)
    np.savez(tmp_path / "a.npz", x=trap)
    np.save(tmp_path / "b.npy", trap)
    for name in ("a.npz", "b.npy"):
        with pytest.raises(DataError):
            load_samples(tmp_path / name)
    assert not marker.exists()


def zipped(tmp_path, name, data, **options):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data, **options)
    return path


def test_a_claim_of_a_terabyte(tmp_path):
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (2**38, 1)}
    np.lib.format.write_array_header_1_0(stream, header)
    with pytest.raises(DataError, match="header"):
        load_samples(zipped(tmp_path, "x.npy", stream.getvalue()))


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", bytes(1000)]
)
def test_rubbish(tmp_path, data):
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    with pytest.raises(DataError):
        load_samples(path)


def test_damaged_archive(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(10000))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    for at in range(60, len(data), 97):
        changed = data.copy()
        changed[at] ^= 0xFF
        (tmp_path / "b.npz").write_bytes(changed)
        try:
            load_samples(tmp_path / "b.npz")
        except DataError:
            continue
    (tmp_path / "b.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError):
        load_samples(tmp_path / "b.npz")


def test_no_x_and_odd_labels(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros(3))
    with pytest.raises(DataError, match=r"images.npy, but no array x"):
        load_samples(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 1)), y=np.zeros(2, int))
    with pytest.raises(DataError, match="labels"):
        load_samples(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 1)), y=np.array(["cat", "dog", "cat"]))
    with pytest.raises(DataError, match="labels"):
        load_samples(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("x", "word"),
    [
        (np.zeros((2, 3, 5)), "shape"),
        (np.zeros((0, 3, 4)), "no samples"),
        (np.zeros(()), "no samples"),
        (np.full((1, 3, 4), np.nan), "NaN"),
        (np.full((1, 3, 4), np.inf), "NaN or infinity"),
        (np.array([["a"]]), "numeric"),
        (np.zeros((1, 3, 4), complex), "numeric"),
        (np.zeros((1, 3, 4), bool), "numeric"),
    ],
)
def test_samples_that_do_not_fit(x, word):
    with pytest.raises(DataError, match=word):
        check_samples(x, (3, 4))


def test_axes_of_one_are_forgiven():
    assert check_samples(np.zeros((5, 28, 28)), (1, 28, 28)).shape == (5, 1, 28, 28)
    assert check_samples(np.zeros((5, 1, 784, 1)), (784,)).shape == (5, 784)


@pytest.mark.parametrize(
    ("descr", "shape", "body"),
    [
        ("<f4", (-2, -2), 16),
        ("<f4", (2, -2), 16),
        ("|S0", (4,), 0),
        ("|S0", (4,), 16),
        ("<f4", (4,), 15),
        ("<f4", (4,), 17),
        ("<f4", (2**62, 2**62), 16),
    ],
)
def test_headers_that_lie(tmp_path, descr, shape, body):
    """Alone, where the file is mapped, and in an archive."""
    stream = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    data = stream.getvalue() + bytes(body)
    (tmp_path / "x.npy").write_bytes(data)
    for path in (tmp_path / "x.npy", zipped(tmp_path, "x.npy", data)):
        with pytest.raises(DataError, match=r"x\.npy|a\.npz"):
            load_samples(path)


def test_empty_and_missing_files(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"")
    for name in ("x.npy", "missing.npy", "."):
        with pytest.raises(DataError):
            load_samples(tmp_path / name)
    np.save(tmp_path / "none.npy", np.zeros((0, 3), np.float32))
    assert load_samples(tmp_path / "none.npy").x.shape == (0, 3)


def test_orders_of_a_mapped_file(tmp_path):
    x = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
    np.save(tmp_path / "x.npy", np.asfortranarray(x))
    np.testing.assert_array_equal(load_samples(tmp_path / "x.npy").x, x)
