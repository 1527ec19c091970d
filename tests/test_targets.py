"""Targets: the ones that come along, and files of the user's own."""

from __future__ import annotations

import pytest

from neurodeploy.errors import TargetError
from neurodeploy.targets import _folder, load_target, target_names


def test_what_comes_along():
    assert set(target_names()) >= {"loihi1", "loihi2"}
    one, two = load_target("loihi1"), load_target("loihi2")
    assert not one.microcode
    assert two.microcode
    assert one.graded_bits == 0
    assert one.weight_max == two.weight_max == 127
    assert one.threshold_max == 2**17 - 1
    assert one.chip["neurons_per_core"] == 1024


def own(tmp_path, change):
    text = (_folder() / "loihi2.toml").read_text()
    path = tmp_path / "own.toml"
    path.write_text(change(text))
    return str(path)


def test_a_target_of_ones_own(tmp_path):
    path = own(tmp_path, lambda text: text.replace("weight_bits = 8", "weight_bits = 4"))
    assert load_target(path).weight_max == 7


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("weight_bits = 8", "weight_bits = 9", "weight_bits"),
        ("weight_bits = 8", "", "weight_bits"),
        ("weight_bits = 8", "weight_bits = 'x'", "weight_bits"),
        ("weight_bits = 8", "weight_bits = true", "weight_bits"),
        ("microcode = true", "microcode = 1", "microcode"),
        ("[synapse]", "[synapses]", "synapse"),
        ("[chip]", "[chip", "TOML"),
        ('name = "loihi2"', "", "name"),
    ],
)
def test_files_that_are_off(tmp_path, old, new, word):
    with pytest.raises(TargetError, match=word):
        load_target(own(tmp_path, lambda text: text.replace(old, new)))


@pytest.mark.parametrize("name", ["loihi3", "", "../loihi2", "nowhere.toml", "/etc/passwd"])
def test_no_such_target(name):
    with pytest.raises(TargetError):
        load_target(name)
