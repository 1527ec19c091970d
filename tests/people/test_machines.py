"""docs/machines.md: every output against its schema, exit codes, help with examples, the log."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
from command_line import run, tiny_model
from here import here

import neurodeploy as nd
from neurodeploy.cli import cli

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "docs" / "schemas"
jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")


def checked(name, *arguments, cwd, code=0):
    """The output of a command, held against its schema; in this process, which starts once."""
    found, out, told = here(*arguments, "--json", cwd=cwd)
    assert found == code, told
    data = json.loads(out)
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(data)
    assert data["schema"] == 1
    return data


def test_schemas_are_schemas_and_every_command_has_one():
    names = {path.stem for path in SCHEMAS.glob("*.json")}
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"]["schema"] == {"const": 1}
    assert names == set(cli.commands) - {"completion"} | {"error", "report-content"}
    for name, command in cli.commands.items():
        flags = {flag for option in command.params for flag in option.opts}
        assert ("--json" in flags) == (name != "completion"), name


def test_compiler_and_its_looks(folder, tmp_path):
    for name in ("m.onnx", "c.npz", "t.npz", "rate.ndp"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    made = checked("compile", "compile", "m.onnx", "--calibration", "c.npz", cwd=tmp_path)
    assert any("scale" in line for line in made["warnings"])
    checked("check", "check", "m.onnx", cwd=tmp_path)
    checked("check", "check", "missing.onnx", cwd=tmp_path, code=2)
    checked("inspect", "inspect", "m.ndp", cwd=tmp_path)
    checked("simulate", "simulate", "m.ndp", "--data", "t.npz", "--model", "m.onnx", cwd=tmp_path)
    checked("explain", "explain", "m.ndp", "--data", "t.npz", "--try-seconds", 0, cwd=tmp_path)
    checked("map", "map", "m.ndp", cwd=tmp_path)
    checked("cost", "cost", "m.ndp", "--data", "t.npz", "--no-mapping", cwd=tmp_path)
    checked("compare", "compare", "m.ndp", "rate.ndp", "--data", "t.npz", cwd=tmp_path)
    search = ("tune", "m.onnx", "--calibration", "c.npz", "--only", "graded", "-o", "b.ndp")
    checked("tune", *search, "--agreement", 60, cwd=tmp_path)
    checked("report-content", "report", "m.ndp", "--data", "t.npz", cwd=tmp_path)
    checked("report", "report", "m.ndp", "--data", "t.npz", "-o", "r.html", cwd=tmp_path)


def test_a_goal_that_is_not_reached_is_exit_code_1(folder, tmp_path):
    search = ("tune", folder / "m.onnx", "--calibration", folder / "c.npz", "--only", "radix")
    found = checked("tune", *search, "--latency", 8, "--agreement", 100, cwd=tmp_path, code=1)
    assert not found["reached"]
    assert (tmp_path / "m.ndp").exists()


@pytest.mark.lava
def test_lava(folder, tmp_path):
    found = checked(
        "deploy", "deploy", folder / "graded.ndp", "--data", folder / "t.npz", "--limit", 1,
        "--verify", cwd=tmp_path,
    )  # fmt: skip
    assert found["mismatched_spikes"] == 0


def test_lists_and_this_installation(tmp_path):
    for name in ("targets", "schemes", "neurons", "doctor"):
        checked(name, name, cwd=tmp_path)
    told = checked("setup-lava", "setup-lava", "--dry-run", cwd=tmp_path)
    assert not told["installed"]


def test_events_images_and_nir(folder, tmp_path):
    steps = np.arange(100) * 1000
    places = np.arange(100) % 4
    np.savez(tmp_path / "raw.npz", t=steps, x=places, y=places, p=places % 2, start=[0, 50, 100])
    shape = ("--sensor", "4x4", "--bin", "1ms", "--window", "20ms", "-o", "e.npz")
    assert checked("events", "events", "raw.npz", *shape, cwd=tmp_path)["recordings"] == 2
    pytest.importorskip("nir", reason="nir is not installed")
    network = nd.spiking_network(4, [nd.SpikingLayer(np.eye(4)[:2] * 8, threshold=4.0)])
    nd.compile(network, scheme="direct", steps=5, warn=lambda _: None).save(tmp_path / "s.ndp")
    told = checked("export", "export", "s.ndp", "-o", "s.nir", cwd=tmp_path)
    assert told["neurons"] == 2
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    (tmp_path / "pictures").mkdir()
    image.fromarray(np.zeros((9, 7, 3), np.uint8)).save(tmp_path / "pictures" / "a.png")
    made = checked("images", "images", "pictures", "--size", "4x6", "-o", "i.npz", cwd=tmp_path)
    assert made["shape"] == [3, 6, 4]
    assert made["classes"] is None


def test_errors(folder, tmp_path):
    for arguments, code in (
        (("simulate", "no.ndp", "--data", "t.npz"), "ND-STORAGE"),
        (("compile", folder / "m.onnx", "--steps", "-3"), "ND-USAGE"),
        (("nothing",), "ND-USAGE"),
        (("compile",), "ND-USAGE"),
        (("images", "nowhere", "--size", "4x4", "-o", "x.npz"), "ND-DATA"),
        (("images", "nowhere", "--size", "four", "-o", "x.npz"), "ND-USAGE"),
        (("compare", folder / "graded.ndp"), "ND-USAGE"),
    ):
        found = checked("error", *arguments, cwd=tmp_path, code=2)["error"]
        assert found["code"] == code
        assert found["message"]
    assert here("simulate", "no.ndp", "--data", "t.npz", cwd=tmp_path)[1] == ""


def test_every_command_is_held_against_its_schema():
    """The tests above run each command with ``--json``, and check what it says."""
    calls = [
        node
        for node in ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "checked"
    ]
    held = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    listed = {"targets", "schemes", "neurons", "doctor"}  # in a loop, `test_lists_...`
    assert held - {"error", "report-content"} | listed == set(cli.commands) - {"completion"}


@pytest.mark.parametrize("command", [name for name in cli.commands if name != "completion"])
def test_a_usage_error_of_every_command(command, tmp_path):
    found = checked("error", command, "--no-such-option", cwd=tmp_path, code=2)["error"]
    assert found["code"] == "ND-USAGE"
    assert "--no-such-option" in found["message"]
    assert found["exit_code"] == 2


def test_the_page_on_machines_names_what_there_is():
    page = (ROOT / "docs" / "machines.md").read_text(encoding="utf-8")
    variables = (ROOT / "docs" / "environment.md").read_text(encoding="utf-8")
    package = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "neurodeploy").rglob("*.py"))
    read = set(re.findall(r'environ(?:\.get\(|\[)"(\w+)"', package))
    read |= set(re.findall(r'envvar="(\w+)"', package)) | {"_NEURODEPLOY_COMPLETE"}
    assert read <= set(re.findall(r"`([A-Z_]+)`", variables))
    for code in ("0", "1", "2", "130", "143"):
        assert f"| {code} |" in page


def all_commands():
    return [(name, command) for name, command in cli.commands.items()]


def test_every_help_has_examples_that_the_command_takes():
    context = click.Context(cli, info_name="neurodeploy")
    for name, command in all_commands():
        text = command.get_help(click.Context(command, parent=context, info_name=name))
        lines = text.split("Examples:")[1].replace("\\\n", " ").strip().splitlines()
        ours = [line.split("  #")[0] for line in lines if line.strip().startswith("neurodeploy ")]
        assert ours or name == "completion", name
        for line in ours:
            words = shlex.split(line.split(" > ")[0])
            assert words[1] == name
            command.make_parser(click.Context(command)).parse_args(words[2:])


def test_help_is_in_the_order_of_work_and_fits(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    text = here("--help", cwd=tmp_path)[1]
    names = ["check", "compile", "tune", "inspect", "compare", "simulate", "deploy", "doctor"]
    places = [text.index(f"\n  {name} ") for name in names]
    assert places == sorted(places)
    assert "..." not in text.split("Options:")[1]
    assert max(map(len, text.splitlines())) <= 80


def test_the_log(folder, tmp_path):
    told = run("--log", "info", "check", folder / "m.onnx", cwd=tmp_path)
    assert "INFO neurodeploy: check: done in" in told.stderr
    assert "INFO" not in told.stdout
    assert here("check", folder / "m.onnx", cwd=tmp_path)[2] == ""


def test_a_model_of_a_number_fits_the_schemas_too(tmp_path, samples):
    tiny_model(tmp_path / "r.onnx", outputs=1)
    np.savez(tmp_path / "c.npz", x=samples)
    checked("compile", "compile", "r.onnx", "--calibration", "c.npz", cwd=tmp_path)
    checked("simulate", "simulate", "r.ndp", "--data", "c.npz", "--model", "r.onnx", cwd=tmp_path)
