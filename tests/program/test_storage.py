"""`.ndp` files: byte-stable, complete, and refused when anything about them is off."""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodeploy.errors import ProgramError, StorageError
from neurodeploy.program import (
    Connection,
    Decoder,
    Dense,
    Encoder,
    Population,
    Program,
    Sparse,
    Ttfs,
    storage,
    storage_writing,
)
from neurodeploy.program.neurons.fields import IntegerOrEach
from neurodeploy.program.storage import SCHEMA, load, save, to_bytes
from neurodeploy.testing.programs import random_program

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def some_program(seed=3):
    return random_program(np.random.default_rng(seed))[0]


def sealed(members: dict[str, bytes]) -> bytes:
    """A zip of these members with a valid seal, as a forger would make it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
        archive.comment = b"." * 71
    body = stream.getvalue()[:-71]
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def members_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(tmp_path, data: bytes) -> str:
    path = tmp_path / "p.ndp"
    path.write_bytes(data)
    with pytest.raises(StorageError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@QUICK
@given(SEEDS)
def test_round_trip(tmp_path_factory, seed):
    program = some_program(seed)
    path = tmp_path_factory.mktemp("p") / "p.ndp"
    save(program, path)
    loaded = load(path)
    assert to_bytes(loaded) == path.read_bytes() == to_bytes(program)
    assert loaded.period == program.period
    for ours, theirs in zip(program.connections, loaded.connections, strict=True):
        np.testing.assert_array_equal(ours.synapses.weights, theirs.synapses.weights)


@QUICK
@given(SEEDS, st.data())
def test_any_changed_byte_is_refused(tmp_path_factory, seed, data):
    content = bytearray(to_bytes(some_program(seed % 20)))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    refused(tmp_path_factory.mktemp("p"), bytes(content))


def test_every_byte_of_one_file(tmp_path):
    content = to_bytes(some_program())
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 0x55
        refused(tmp_path, bytes(changed))


@pytest.mark.parametrize("keep", [0, 1, 22, 100, -1, -71])
def test_truncated(tmp_path, keep):
    refused(tmp_path, to_bytes(some_program())[:keep])


def test_random_bytes(tmp_path):
    refused(tmp_path, os.urandom(5000))


def test_newer_schema_says_so(tmp_path):
    members = members_of(to_bytes(some_program()))
    manifest = json.loads(members["manifest.json"])
    manifest["schema"] = SCHEMA + 1
    members["manifest.json"] = json.dumps(manifest).encode()
    for data in (sealed(members), sealed(members)[:-71]):
        message = refused(tmp_path, data)
        assert "newer neurodeploy" in message or "not a program" in message
    assert "newer neurodeploy" in refused(tmp_path, sealed(members))


def test_missing_tensor_is_named(tmp_path):
    members = members_of(to_bytes(some_program()))
    gone = next(name for name in members if name.endswith("_weights.npy"))
    del members[gone]
    assert f"tensor {gone} is missing" in refused(tmp_path, sealed(members))


def test_altered_tensor_in_a_resealed_file(tmp_path):
    members = members_of(to_bytes(some_program()))
    name = next(n for n in members if n.endswith("_weights.npy"))
    members[name] = members[name][:-1] + bytes([members[name][-1] ^ 1])
    assert "altered" in refused(tmp_path, sealed(members))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("period", 0),
        ("period", "8"),
        ("populations", []),
        ("populations", None),
        ("connections", [{}]),
        ("encoder", {}),
        ("decoder", {"population": "nobody", "unit": 1.0}),
        ("decoder", {"population": 3, "unit": -1}),
    ],
)
def test_forged_manifest(tmp_path, key, value):
    members = members_of(to_bytes(some_program()))
    manifest = json.loads(members["manifest.json"])
    manifest["program"][key] = value
    members["manifest.json"] = json.dumps(manifest).encode()
    refused(tmp_path, sealed(members))


def test_forged_shape_claims_no_memory(tmp_path):
    """A header that claims a terabyte in a few bytes."""
    members = members_of(to_bytes(some_program()))
    name = next(n for n in members if n.endswith("_weights.npy"))
    stream = io.BytesIO()
    header = {"descr": "|i1", "fortran_order": False, "shape": (2**40,)}
    np.lib.format.write_array_header_1_0(stream, header)
    members[name] = stream.getvalue() + b"1234"
    manifest = json.loads(members["manifest.json"])
    manifest["tensors"][name] = {
        "sha256": hashlib.sha256(members[name]).hexdigest(),
        "bytes": len(members[name]),
    }
    members["manifest.json"] = json.dumps(manifest).encode()
    assert "header" in refused(tmp_path, sealed(members))


def test_compressed_members_are_refused(tmp_path):
    members = members_of(to_bytes(some_program()))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert "stored" in refused(tmp_path, stream.getvalue())


@pytest.mark.parametrize("name", ["nothing.ndp", "."])
def test_no_file(tmp_path, name):
    with pytest.raises(StorageError):
        load(tmp_path / name)


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    program = some_program()
    path = tmp_path / "p.ndp"
    save(program, path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save(some_program(5), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["p.ndp"]


def test_a_really_full_disk():
    """/dev/full fails every write with ENOSPC, and is still a device afterwards."""
    with pytest.raises(StorageError):
        save(some_program(), "/dev/full")
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: graph["encoder"].update(low=-1.5),
        lambda graph: graph["encoder"].update(shape=[0, 3]),
        lambda graph: graph["encoder"].update(sample_shape=[7, 7, 7]),
        lambda graph: graph["populations"][0].update(spike_value="nan"),
        lambda graph: graph["populations"][0].update(membrane_unit=-1.0),
        lambda graph: graph["populations"][0].update(name="a\x1b[31m"),
        lambda graph: graph["populations"].append(
            {
                "name": "huge",
                "shape": [1, 30000, 30000],
                "phase": 1,
                "spike_value": 1.0,
                "membrane_unit": 1.0,
                "neuron": {"kind": "earliest"},
            }
        ),
    ],
)
def test_sealed_and_hostile(tmp_path, change):
    members = members_of(to_bytes(some_program()))
    manifest = json.loads(members["manifest.json"])
    change(manifest["program"])
    members["manifest.json"] = json.dumps(manifest).encode()
    refused(tmp_path, sealed(members))


@pytest.mark.parametrize("each", [False, True])
def test_a_slope_for_all_is_a_number_and_slopes_are_a_tensor(tmp_path, each):
    slope = np.array([7, 9], np.int32) if each else 7
    program = Program(
        (Population("out", (2,), Ttfs(np.array([1, -1], np.int32), slope, fires=False), 2),),
        (Connection("input", "out", Dense(np.ones((2, 2), np.int8))),),
        Encoder((2,), "ttfs", 1.0, 0, 3),
        Decoder("out", 1.0),
        3,
    )
    path = tmp_path / "p.ndp"
    save(program, path)
    members = members_of(path.read_bytes())
    said = json.loads(members["manifest.json"])["program"]["populations"][0]["neuron"]["slope"]
    assert said == ("population_0_slope" if each else 7)
    assert ("population_0_slope.npy" in members) is each
    loaded = load(path)
    np.testing.assert_array_equal(loaded.populations[0].neuron.slope, slope)
    assert to_bytes(loaded) == path.read_bytes()


@pytest.mark.parametrize(
    ("slopes", "stored"),
    [([7, 7, 9, 9], [7, 9]), ([7, 7, 7, 9], [7, 7, 7, 9]), ([5, 5, 5, 5], [5])],
)
def test_slopes_of_channels_are_stored_once_a_channel(tmp_path, slopes, stored):
    slope = np.array(slopes, np.int32)
    neuron = Ttfs(np.arange(4, dtype=np.int32), slope, fires=False)
    program = Program(
        (Population("out", (2, 1, 2), neuron, 2),),
        (Connection("input", "out", Dense(np.ones((4, 3), np.int8))),),
        Encoder((3,), "ttfs", 1.0, 0, 4),
        Decoder("out", 1.0),
        4,
    )
    save(program, tmp_path / "p.ndp")
    tensor = members_of((tmp_path / "p.ndp").read_bytes())["population_0_slope.npy"]
    np.testing.assert_array_equal(np.load(io.BytesIO(tensor)), stored)
    found = load(tmp_path / "p.ndp").populations[0].neuron.slope
    np.testing.assert_array_equal(found, slope)


@given(st.lists(st.integers(1, 3), max_size=12), st.integers(1, 4))
def test_runs_give_back_what_they_were_made_of(values, length):
    each = np.repeat(np.array(values, np.int32), length)
    runs = IntegerOrEach.runs(each)
    assert len(runs) <= len(values)
    np.testing.assert_array_equal(IntegerOrEach.repeated("slope", runs, len(each)), each)


def test_slopes_that_do_not_divide_the_neurons_are_refused():
    with pytest.raises(ProgramError, match="slope has 3 entries for 4 neurons"):
        IntegerOrEach.repeated("slope", np.ones(3, np.int32), 4)


def test_slopes_fit_the_neurons():
    with pytest.raises(ProgramError, match="3 slopes for 2 biases"):
        Ttfs(np.zeros(2, np.int32), np.ones(3, np.int32))
    with pytest.raises(ProgramError, match="leaves 24 bit"):
        Ttfs(np.zeros(2, np.int32), np.array([0, 1], np.int32))


def long_program(seed=0, weights=None):
    """A list of synapses, which gets shorter when it is compressed, and weights, which do not."""
    rng = np.random.default_rng(seed)
    size = 3000
    listed = Sparse(
        np.ones(size, np.int8), np.arange(size, dtype=np.int32), np.arange(size + 1), size
    )
    if weights is None:
        weights = rng.integers(-128, 128, (5, size)).astype(np.int8)
    return Program(
        (
            Population("many", (size,), Ttfs(np.zeros(size, np.int32), 7), 2),
            Population("out", (5,), Ttfs(np.zeros(5, np.int32), 7, fires=False), 6),
        ),
        (Connection("input", "many", listed), Connection("many", "out", Dense(weights))),
        Encoder((size,), "ttfs", 1.0, 0, 3),
        Decoder("out", 1.0),
        3,
    )


def kinds_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: info.compress_type for info in archive.infolist()}


def same(one, other):
    return to_bytes(one) == to_bytes(other)


def test_what_gets_shorter_is_compressed(tmp_path):
    program = long_program()
    data = to_bytes(program)
    kinds = kinds_of(data)
    assert json.loads(members_of(data)["manifest.json"])["schema"] == SCHEMA == 2
    assert kinds["manifest.json"] == zipfile.ZIP_STORED
    assert kinds["connection_0_columns.npy"] == zipfile.ZIP_DEFLATED
    assert kinds["connection_1_weights.npy"] == zipfile.ZIP_STORED
    program.save(tmp_path / "p.ndp")
    assert same(load(tmp_path / "p.ndp"), program)


def test_nothing_compressed_is_of_the_first_schema():
    data = to_bytes(some_program())
    assert set(kinds_of(data).values()) == {zipfile.ZIP_STORED}
    assert json.loads(members_of(data)["manifest.json"])["schema"] == 1


def test_files_of_the_first_schema(tmp_path):
    """As older versions wrote all of them: nothing compressed."""
    program = long_program()
    members = members_of(to_bytes(program))
    manifest = json.loads(members["manifest.json"]) | {"schema": 1}
    members["manifest.json"] = json.dumps(manifest).encode()
    (tmp_path / "old.ndp").write_bytes(sealed(members))
    assert same(load(tmp_path / "old.ndp"), program)


def test_every_piece_of_a_compressed_file(tmp_path):
    content = to_bytes(long_program())
    for at in range(0, len(content), 211):
        changed = bytearray(content)
        changed[at] ^= 0x55
        refused(tmp_path, bytes(changed))


def test_a_file_that_unpacks_to_far_more(tmp_path, monkeypatch):
    """The writer leaves it as it is, and no reader takes another one."""
    program = long_program(weights=np.zeros((5, 3000), np.int8))
    packed = to_bytes(program)
    monkeypatch.setattr(storage_writing, "_UNPACKED", 100)
    monkeypatch.setattr(storage_writing, "_EACH", 2)
    assert set(kinds_of(to_bytes(program)).values()) == {zipfile.ZIP_STORED}
    assert "claim far more" in refused(tmp_path, packed)


def test_weights_of_large_files_are_mapped(tmp_path, monkeypatch):
    program = long_program()
    program.save(tmp_path / "p.ndp")
    monkeypatch.setattr(storage, "_MAPPED", 1)
    mapped = load(tmp_path / "p.ndp")
    assert same(mapped, program)
    weights = mapped.connections[1].synapses.weights
    base = weights
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, memoryview)
    assert isinstance(base.obj, mmap.mmap)
    assert not weights.flags.writeable
    # replaced as a whole, the file of the program stays what it was
    long_program(seed=1).save(tmp_path / "p.ndp")
    assert same(mapped, program)
    assert not same(load(tmp_path / "p.ndp"), program)
    content = (tmp_path / "p.ndp").read_bytes()
    refused(tmp_path, content[:-1])
    refused(tmp_path, b"")


def test_weights_that_somebody_may_change_are_copied():
    weights = np.ones((2, 3), np.int8)
    view = weights[:]
    view.flags.writeable = False
    kept = Dense(view)
    weights[:] = 5
    assert (kept.weights == 1).all()
