"""DVS128 Gesture's files, written here and read back."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodeploy.errors import DataError, UsageError
from neurodeploy.event_samples import RawEvents, read_events
from neurodeploy.training.commands import training
from neurodeploy.training.recordings.aedat import read_aedat
from neurodeploy.training.recordings.dvs_gesture import read_dvs_gesture

HEADER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: DVS128\r\n#!END-HEADER\r\n"


def packet(events, overflow=0, kind=1, size=8):
    """Events (t, x, y, p, valid) as a packet."""
    head = struct.pack("<HHIIIIII", kind, 0, size, 4, overflow, len(events), len(events), 0)
    return head + b"".join(
        struct.pack("<II", (x << 17) | (y << 2) | (p << 1) | valid, t)
        for t, x, y, p, valid in events
    )


def events(count, seed, begin=0, span=1000):
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(begin, begin + span, count))
    columns = (t, *random.integers(0, 128, (2, count)), random.integers(0, 2, count))
    return [(*map(int, row), 1) for row in zip(*columns, strict=True)]


def trial(folder, name, rows, recorded):
    (folder / f"{name}.aedat").write_bytes(HEADER + packet(recorded))
    lines = ["class,startTime_usec,endTime_usec", *(",".join(map(str, row)) for row in rows)]
    (folder / f"{name}_labels.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def gestures(tmp_path):
    """Two trials to train, one to test."""
    for k, name in enumerate(("user01_led", "user02_lab", "user24_led")):
        trial(tmp_path, name, [(1 + k, 100, 400), (11, 400, 900)], events(500, k))
    (tmp_path / "trials_to_train.txt").write_text("user01_led.aedat\nuser02_lab.aedat\n\n")
    (tmp_path / "trials_to_test.txt").write_text("user24_led.aedat\n")
    return tmp_path


def test_gestures_are_cut_out_of_their_trials(gestures):
    found = read_dvs_gesture(gestures, "train")
    assert found.label.tolist() == [0, 10, 1, 10]
    expected = [e for e in events(500, 1) if 400 <= e[0] < 900]
    part = slice(found.start[3], found.start[4])
    assert [(t + 400, x, y, p) for t, x, y, p in zip(
        *(a[part].tolist() for a in (found.t, found.x, found.y, found.p)), strict=True
    )] == [e[:4] for e in expected]  # fmt: skip
    assert read_dvs_gesture(gestures, "test").label.tolist() == [2, 10]
    small = read_dvs_gesture(gestures, "train", downsample=4, window_us=150, limit=1)
    assert len(small.label) == 2
    assert small.t.max() < 150
    assert small.x.max() < 32


def test_the_command_writes_what_events_and_training_take(gestures):
    out = gestures / "train.npz"
    command = ["dvs-gesture", str(gestures), "--split", "train", "-o"]
    done = CliRunner().invoke(training, [*command, str(out)])
    assert done.exit_code == 0, done.output
    assert "4 gestures" in done.stdout
    assert isinstance(read_events(out), RawEvents)
    done = CliRunner().invoke(training, [*command, str(gestures / "none" / "x.npz")])
    assert isinstance(done.exception, UsageError)


def test_packets_of_other_types_events_that_are_void_and_times_beyond_31_bits(tmp_path):
    path = tmp_path / "a.aedat"
    valid = [(5, 1, 2, 1, 1), (7, 127, 0, 0, 1)]
    void = [(6, 9, 9, 1, 0)]
    other = [(1, 2, 3, 0, 1)]
    path.write_bytes(
        HEADER + packet(other, kind=0) + packet([valid[0], *void, valid[1]]) + packet(other, 1)
    )
    found = read_aedat(path)
    assert found.t.tolist() == [5, 7, 2**31 + 1]
    assert found.x.tolist() == [1, 127, 2]
    assert found.y.tolist() == [2, 0, 3]
    assert found.p.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no AEDAT"),
        (b"#!AER-DAT2.0\r\n", "no AEDAT"),
        (HEADER[:-10], "no end"),
        (HEADER + b"\0" * 20, "head of a packet"),
        (HEADER + packet([(1, 2, 3, 0, 1)])[:-1], "does not end"),
        (HEADER + packet([(1, 2, 3, 0, 1)], size=2**31), "does not end"),
        (HEADER + packet([(1, 2, 3, 0, 1)], size=4), "4 bytes"),
    ],
)
def test_damaged_files_are_one_message(tmp_path, content, told):
    path = tmp_path / "a.aedat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_aedat(path)


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_events_or_one_message(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "a.aedat"
    path.write_bytes(HEADER + content)
    try:
        found = read_aedat(path)
    except DataError:
        return
    assert found.t.size <= len(content) // 8


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("user01_led_labels.csv", "a,b,c\n1,2,3\n", "first line"),
        ("user01_led_labels.csv", "class,startTime_usec,endTime_usec\n1,2\n", "line 2"),
        ("user01_led_labels.csv", "class,startTime_usec,endTime_usec\n12,2,3\n", "no gesture"),
        ("user01_led_labels.csv", "class,startTime_usec,endTime_usec\n1,9,3\n", "no gesture"),
        ("user01_led_labels.csv", "", "first line"),
        ("trials_to_train.txt", "../x.aedat\n", "no name"),
        ("trials_to_train.txt", "user99.aedat\n", "no such file"),
        ("trials_to_train.txt", "", "no gestures"),
    ],
)
def test_files_that_do_not_fit_are_one_message(gestures, name, text, told):
    (gestures / name).write_text(text)
    with pytest.raises(DataError, match=told):
        read_dvs_gesture(gestures, "train")


def test_events_outside_the_sensor(gestures):
    trial(gestures, "user01_led", [(1, 0, 10)], [(5, 128, 0, 1, 1)])
    with pytest.raises(DataError, match="outside the sensor"):
        read_dvs_gesture(gestures, "train")
