"""Targets: the ones that come along, and files of the user's own."""

from __future__ import annotations

import json
import sys

import pytest

from neurodeploy.errors import TargetError
from neurodeploy.targets import Mesh, load_target, target_names
from neurodeploy.targets.loading import target_folder
from neurodeploy.targets.schema import target_schema

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def test_what_comes_along():
    assert set(target_names()) >= {"loihi1", "loihi2", "cpu"}
    one, two = load_target("loihi1"), load_target("loihi2")
    assert not one.microcode
    assert two.microcode
    assert one.graded_bits == 0
    assert one.weight_max == two.weight_max == 127
    assert one.threshold_max == 2**17 - 1
    assert one.core.neurons == 1024
    assert (one.core.input_axons, one.core.output_axons) == (4096, 4096)
    assert one.core.synaptic_words == 16_384
    assert two.core.input_axons is None  # not published
    assert one.mesh.cores == two.mesh.cores == 128


@pytest.mark.parametrize("name", target_names())
def test_every_number_has_a_source(name):
    facts = load_target(name).facts
    assert all(fact.source for fact in facts)
    stated = {(fact.section, fact.key) for fact in facts}
    assert {("neuron", "microcode"), ("synapse", "delay_max")} <= stated


def test_what_is_inferred_says_so():
    inferred = {f.key for f in load_target("loihi2").facts if f.inferred}
    assert {"synaptic_words", "dense_bits", "header_bits", "power_of_two_columns"} <= inferred
    assert "delay_max" not in inferred


def test_costs():
    one = load_target("loihi1").costs
    assert one["davies2018"].energy_pj["synaptic_operation"] == 23.6
    assert one["sanafe"].energy_pj["hop_north_south"] == 4.2
    assert "Davies" in one["davies2018"].source
    # none is published: absent, not zero
    assert load_target("loihi2").costs == {}
    assert load_target("cpu").costs == {}


def test_a_processor_has_no_limits():
    cpu = load_target("cpu")
    assert cpu.mesh == Mesh()
    assert cpu.core.neurons is cpu.core.synaptic_words is None


def own(tmp_path, change, name="loihi2"):
    text = (target_folder() / f"{name}.toml").read_text()
    path = tmp_path / "own.toml"
    path.write_text(change(text))
    return str(path)


def test_a_target_of_ones_own(tmp_path):
    path = own(
        tmp_path,
        lambda text: text.replace("weight_bits = { value = 8", "weight_bits = { value = 4"),
    )
    assert load_target(path).weight_max == 7


BARE = """
name = "mine"
title = "Mine"
generation = "first"
[neuron]
state_bits = 24
threshold_bits = 17
bias_mantissa_bits = 13
bias_exponent_max = 7
microcode = true
[synapse]
weight_bits = 8
exponent_max = 7
delay_max = 62
graded_bits = 8
"""


def test_bare_numbers_and_left_out_sections(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(BARE + "[chip]\ncores = 6\nchips = 2\n")
    mine = load_target(str(path))
    assert mine.core.neurons is None
    assert mine.mesh == Mesh(cores=6, columns=6, rows=1, chips=2)
    assert {fact.source for fact in mine.facts} == {""}
    path.write_text(BARE + "[chip]\nmesh_columns = 3\nmesh_rows = 2\ncores_per_tile = 2\n")
    assert load_target(str(path)).mesh == Mesh(12, 3, 2, 2)


#: What is off, and what the message says.
OFF = [
    ("weight_bits = 8", "weight_bits = 9", r"own.toml: \[synapse\] weight_bits is 9, not an"),
    ("weight_bits = 8", "", "weight_bits is None"),
    ("weight_bits = 8", "weight_bits = 'x'", "weight_bits"),
    ("weight_bits = 8", "weight_bits = true", "weight_bits"),
    ("weight_bits = 8", "weight_bits = {}", "weight_bits is None"),
    ("weight_bits = 8", "weight_bits = { value = 8, sauce = 'x' }", "sauce is unknown"),
    ("weight_bits = 8", "weight_bits = { value = 8, source = 'x' }", "not among"),
    ("weight_bits = 8", "weight_bits = { value = 8, inferred = 1 }", "inferred is true or"),
    ("weight_bits = 8", "weight_bits = 8\nwait = 1", r"\[synapse\] wait is unknown"),
    ("microcode = true", "microcode = 1", "microcode is 1, not true or false"),
    ("[synapse]", "[synapses]", "synapses is unknown"),
    ("[synapse]", "[synapse", "TOML"),
    ('name = "mine"', "", "name"),
    ("[neuron]", "[core]\nneurons = 0\n[neuron]", r"\[core\] neurons is 0"),
    ("[neuron]", "[core]\nneuron = 1\n[neuron]", r"\[core\] neuron is unknown"),
    ("[neuron]", "[core]\npower_of_two_columns = 1\n[neuron]", "not true or false"),
    ("[neuron]", "[chip]\nmesh_rows = 2\n[neuron]", "come together"),
    (
        "[neuron]",
        "[chip]\ncores = 5\nmesh_rows = 2\nmesh_columns = 2\n[neuron]",
        "cores is 5, the mesh has room for 4",
    ),
    ("[neuron]", "[sources]\na = 1\n[neuron]", r"\[sources\] a is 1"),
    ("[neuron]", "[cost]\na = 1\n[neuron]", r"\[cost.a\] is not a section"),
    ("[neuron]", "[cost.a]\nenergy_pj = 1\ntitle = 'x'\n[neuron]", "energy_pj is not a"),
    ("[neuron]", "[cost.a.energy_pj]\nb = -1\n[neuron]", "outside"),
    ("[neuron]", "[cost.a.energy_pj]\nb = 'x'\n[neuron]", "not a number"),
    ("[neuron]", "[cost.a.energy_pj]\nspike_out = nan\n[neuron]", "outside"),
    ("[neuron]", "[cost.a.energy_pj]\nb = 1\n[neuron]", r"\[cost.a.energy_pj\] b is unknown"),
    ("[neuron]", "[cost.a]\ntitle = 'a'\n[neuron]", "has no constants"),
    (
        "[neuron]",
        "[cost.a.time_ns]\nneuron_access = 1\nneuron_update_active = 2\n[neuron]",
        "in two ways",
    ),
]
#: Of these, what a schema cannot say.
READER_ONLY = ("not among", "come together", "the mesh has room", "in two ways")


@pytest.mark.parametrize(("old", "new", "words"), OFF)
def test_files_that_are_off(tmp_path, old, new, words):
    path = tmp_path / "own.toml"
    path.write_text(BARE.replace(old, new, 1))
    with pytest.raises(TargetError, match=words):
        load_target(str(path))


@pytest.mark.parametrize("name", ["loihi3", "", "../loihi2", "nowhere.toml", "/etc/passwd"])
def test_no_such_target(name):
    with pytest.raises(TargetError):
        load_target(name)


def schema_errors(text):
    jsonschema = pytest.importorskip("jsonschema", reason="needs the extra dev")
    validator = jsonschema.Draft202012Validator(target_schema())
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


def test_the_schema_that_is_published():
    file = target_folder() / "target.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == target_schema()


@pytest.mark.parametrize("name", target_names())
def test_the_schema_takes_what_comes_along(name):
    text = (target_folder() / f"{name}.toml").read_text(encoding="utf-8")
    assert schema_errors(text) == []
    assert text.startswith("#:schema target.schema.json\n")


def test_the_schema_takes_a_bare_file():
    assert schema_errors(BARE) == []


@pytest.mark.parametrize(("old", "new", "words"), [off for off in OFF if off[2] != "TOML"])
def test_the_schema_refuses_what_the_reader_refuses(old, new, words):
    text = BARE.replace(old, new, 1)
    if "nan" in text:
        pytest.skip("JSON has no such number")
    assert bool(schema_errors(text)) != any(only in words for only in READER_ONLY)
