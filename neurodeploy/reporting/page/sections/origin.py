"""Where the program comes from, and the commands that make this page again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from neurodeploy import __version__
from neurodeploy.conversion import schemes
from neurodeploy.conversion.options import flag_of, options_of
from neurodeploy.metrics import Task
from neurodeploy.program import Program
from neurodeploy.reporting.page.blocks import Block, Code, Note, Table
from neurodeploy.reporting.page.evidence import Evidence

__all__ = ["gather", "show"]


def gather(evidence: Evidence) -> dict[str, Any]:
    """Commands, options and checksums."""
    program, names = evidence.program, evidence.names
    calibration = program.recorded("calibration")
    made = names.get("program") or "PROGRAM.ndp"
    data = names.get("data") or "SAMPLES.npz"
    model = evidence.model.name if evidence.model else ""
    report = ["neurodeploy", "report", made, "--data", data]
    report += ["--model", model] if model else []
    report += ["--limit", str(len(evidence.x)), "--sample", str(evidence.index)]
    simulate = ["neurodeploy", "simulate", made, "--data", data, "--limit", str(len(evidence.x))]
    stated = ["--task", evidence.task.kind] if evidence.task.stated else []
    report, simulate = report + stated, simulate + stated
    return {
        "compile": shlex.join(_compile(program, made)),
        "simulate": shlex.join(simulate + (["--model", model] if model else [])),
        "report": shlex.join(report),
        "calibration_samples": calibration.get("samples"),
        "calibration_sha256": str(calibration.get("sha256") or ""),
        "neurodeploy": __version__,
        "provenance": _plain(program.provenance),
    }


def _compile(program: Program, made: str) -> list[str]:
    """The words of the command, from what the program says of itself."""
    known, model = program.recorded("options"), program.recorded("model")
    calibration = program.recorded("calibration")
    words = ["neurodeploy", "compile", str(model.get("file") or "MODEL.onnx")]
    if calibration.get("samples"):
        words += ["--calibration", "CALIBRATION.npz"]
    words += ["--scheme", program.scheme, "--target", program.target]
    for option in (*_options(program.scheme), "seed"):
        value = known.get(option)
        if isinstance(value, bool):
            if option != "l4":  # said below, for every scheme
                words.append(flag_of(option) if value else f"--no-{flag_of(option)[2:]}")
        elif value is not None:
            words += [flag_of(option), str(value)]
    judged = Task.of(program)
    words += ["--task", judged.kind] if judged.stated else []
    words.append("--l4" if known.get("l4") is True else "--no-l4")
    prepare = program.encoder.preprocessing
    # one word each: a value may begin with a minus
    if calibration.get("scale_from", "stated") == "stated":  # else it is chosen the same again
        words.append(f"--scale={prepare.scale!r}")
    words.append("--mean=" + ",".join(map(repr, prepare.mean)))
    words.append("--std=" + ",".join(map(repr, prepare.std)))
    ends = known.get("input_range")
    if isinstance(ends, list | tuple) and len(ends) == 2:
        words.append("--input-range=" + ",".join(map(repr, ends)))
    if model.get("output"):
        words.append(f"--output-name={model['output']}")
    return [*words, "-o", made]


def _options(scheme: str) -> list[str]:
    """Options of a scheme that the command line takes; none of a scheme that is not known here."""
    found = schemes().get(scheme)
    return [field.name for field, said in options_of(found) if not said.hidden] if found else []


def _plain(value: Any) -> Any:
    """Mappings of whatever kind as dictionaries, for JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Leaves with the names that lead to them."""
    if isinstance(value, dict) and value:
        return [
            leaf
            for key, part in value.items()
            for leaf in _flat(part, f"{name}.{key}" if name else key)
        ]
    return [(name, str(value))]


def show(data: dict[str, Any]) -> list[Block]:
    """Commands, and every recorded option."""
    blocks: list[Block] = [
        Code("Commands", [data["compile"], data["simulate"], data["report"]]),
    ]
    if data["calibration_sha256"]:
        blocks.append(
            Note(
                f"CALIBRATION.npz holds the {data['calibration_samples']:,} samples whose "
                f"checksum begins with {data['calibration_sha256'][:12]}. The same model, samples "
                "and options give the same program, byte for byte."
                if isinstance(data["calibration_samples"], int)
                else "The same model, samples and options give the same program, byte for byte."
            )
        )
    blocks.append(Table("Recorded in the program", ("option", "value"), _flat(data["provenance"])))
    blocks.append(Note(f"Made with neurodeploy {data['neurodeploy']}."))
    return blocks
