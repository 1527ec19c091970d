"""The ANN that a program was made of: found by its sha-256, passed through the same passes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from neurodeploy.conversion import scheme_of
from neurodeploy.conversion.preparing import prepared
from neurodeploy.errors import ModelError, UsageError
from neurodeploy.files import read_bytes
from neurodeploy.importing import load_network
from neurodeploy.network import Network
from neurodeploy.program import Program

__all__ = ["find_ann", "find_model", "recorded_output", "reference_network"]


def find_ann(
    program: Program, model: str | Path | None = None, near: str | Path | None = None
) -> Path:
    """`find_model` for who wants the ANN's outputs: of a network that spikes there are none.

    Raises
    ------
    UsageError
    """
    if scheme_of(program).spiking:
        raise UsageError(
            "the network spikes already: there is no ANN to hold it against",
            place="--model",
            remedy="leave it out; `explain` holds the network's own steps against the program",
        )
    return find_model(program, model, near)


def find_model(
    program: Program, model: str | Path | None = None, near: str | Path | None = None
) -> Path:
    """The ONNX file that a program was made of.

    1. `model`, if given; its sha-256 must be the one that the program holds (if it holds one).
    2. Else the file of the name that the program holds, in the folder `near` (of the program's
       own file), then in the working directory: the first whose sha-256 is right.

    Refused: everything else, with the name and the sha-256 that are looked for.
    """
    name, digest = _recorded(program)
    if model is not None:
        if not isinstance(model, str | os.PathLike):
            raise UsageError(
                f"a {type(model).__name__} is not a path",
                place="model",
                remedy="give the path of the ONNX file that was compiled",
            )
        path = Path(model)
        found = _sha256(path)
        if digest and found != digest:
            raise ModelError(
                f"its sha-256 is {found[:12]}..., the program was made of {name!r} with "
                f"{digest[:12]}...",
                place=str(path),
                remedy="give the ONNX file that was compiled, or compile this one",
            )
        return path
    if not (name and digest):
        raise UsageError(
            "the program does not say which model it was made of",
            place="--model",
            remedy="give the ONNX file with --model",
        )
    others = []
    for folder in dict.fromkeys((Path(near or "."), Path("."))):
        path = folder / name
        if path.is_file():
            if _sha256(path) == digest:
                return path
            others.append(str(path))
    seen = f" ({', '.join(others)}: another sha-256)" if others else ""
    raise UsageError(
        f"the model {name!r} (sha-256 {digest[:12]}...) lies neither beside the program nor "
        f"here{seen}",
        place="--model",
        remedy="give the ONNX file that was compiled with --model",
    )


def reference_network(program: Program, path: Path) -> Network:
    """The float network as the compiler saw it: imported, and the same passes applied.

    Raises
    ------
    ModelError
        The file is no model, its external data are not those that were compiled, or it takes
        samples of another shape.
    """
    imported = load_network(path, recorded_output(program))
    external = program.recorded("model").get("external_sha256")
    known = dict(external) if isinstance(external, Mapping) else {}
    if external is not None and known != dict(imported.external_sha256):
        raise ModelError(
            "its external data are not those that the program was made of",
            place=str(path),
            remedy="put the original weight files beside it, or compile again",
        )
    l4 = program.recorded("options").get("l4") is True
    fan_in = program.recorded("passes").get("largest_fan_in")
    network = prepared(
        imported.network,
        scheme_of(program),
        l4=l4,
        largest_fan_in=fan_in if type(fan_in) is int else None,
    )
    shape = network.shapes[network.input.name]
    if shape != program.encoder.sample_shape:
        raise ModelError(
            f"takes samples of shape {shape}, the program {program.encoder.sample_shape}",
            place=str(path),
            remedy="give the ONNX file that was compiled",
        )
    return network


def recorded_output(program: Program) -> str | None:
    """The model's output that was compiled; None where the program does not say."""
    output = program.recorded("model").get("output")
    return output if isinstance(output, str) and output else None


def _recorded(program: Program) -> tuple[str, str]:
    """Name (never a path) and sha-256 of the model; empty where the program does not say."""
    model = program.recorded("model")
    name, digest = model.get("file"), model.get("sha256")
    name = name if isinstance(name, str) and Path(name).name == name else ""
    return name, digest if isinstance(digest, str) else ""


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()
