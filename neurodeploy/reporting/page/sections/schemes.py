"""The schemes side by side on this network: compiled for the report, or when it was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.conversion import candidates, schemes
from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing import load_network
from neurodeploy.ledger.choosing import choose
from neurodeploy.program import Program
from neurodeploy.reporting.number_format import number, percent
from neurodeploy.reporting.page.blocks import Block, Figure, Note, Table
from neurodeploy.reporting.page.evidence import Evidence, Stage
from neurodeploy.reporting.page.plots.bars import Bar, bars
from neurodeploy.targets import Target

__all__ = ["Compile", "gather", "show"]

#: Compiles the model of a program again, with other options, on samples.
Compile = Callable[[Program, Path, Mapping[str, Any], np.ndarray], Program]
#: Samples to compare schemes on, at least.
_LEAST = 8


def gather(
    evidence: Evidence, target: Target | None, compare: Compile | None, progress: Stage
) -> dict[str, Any]:
    """Every scheme that the target can run, near to the ANN or not.

    1. With `compare` each is compiled on one half of the report's samples and run on the other.
    2. Else what `compile --scheme auto` wrote into the program; one of a named scheme has no such.
    """
    program = evidence.program
    if compare is not None:
        if target is None or evidence.model is None:
            why = evidence.missing or "the target's file is not at hand"
            return {"missing": f"Schemes could not be compared: {why}."}
        if len(evidence.x) < _LEAST:
            return {"missing": f"Schemes are compared on {_LEAST} samples at least."}
        return _compared(evidence, target, compare, evidence.model, progress)
    choice = program.recorded("choice")
    tried, left_out = choice.get("from"), choice.get("left_out")
    rows = [_row(*one) for one in tried.items()] if isinstance(tried, Mapping) else []
    known = [row for row in rows if row is not None]
    if not known:
        return {"missing": _alone(program.scheme)}
    left_out = left_out if isinstance(left_out, Mapping) else {}
    return {
        "chosen": str(choice.get("chosen", "")),
        "samples_from": "calibration samples",
        "schemes": known,
        "left_out": {str(name): str(why) for name, why in left_out.items()},
    }


def _compared(
    evidence: Evidence, target: Target, compare: Compile, model: Path, progress: Stage
) -> dict[str, Any]:
    """Each scheme compiled as the program was, with its own default where they differ."""
    own = evidence.program
    taken, left_out = candidates({}, target)
    programs = {}
    for done, name in enumerate(taken):
        progress("compare schemes", done, len(taken))
        try:
            programs[name] = compare(own, model, {"scheme": name}, evidence.x[::2])
        except NeuroDeployError as error:
            left_out[name] = error.message
    progress("compare schemes", len(taken), len(taken))
    if not programs:
        return {"missing": f"No scheme could be compiled: {'; '.join(left_out.values())}."}
    output = own.recorded("model").get("output")
    network = load_network(str(model), output if isinstance(output, str) else None).network
    found = choose(programs, network, evidence.x[1::2]).as_dict()["from"]
    return {
        "chosen": own.scheme,
        "samples_from": "samples of the report (calibrated on others of them)",
        "schemes": [{"name": name, **row} for name, row in found.items()],
        "left_out": left_out,
    }


def _alone(scheme: str) -> str:
    """Why there is nothing to compare."""
    kind = schemes().get(scheme)
    if kind is not None and kind.spiking:
        return "The network spikes already: its code is its own, and there is no other to compare."
    return (
        f"The scheme {scheme} was named, so no other was tried. report --compare-schemes compiles "
        "and tries all that the target can run; so does compile --scheme auto."
    )


def _row(name: object, found: object) -> dict[str, Any] | None:
    """A scheme's figures; None where the file says something else than the compiler writes."""
    if not isinstance(found, Mapping):
        return None
    whole = {key: found.get(key) for key in ("samples", "latency", "interval")}
    shares = {key: found.get(key) for key in ("agreement", "output_error")}
    if not all(type(value) is int and value >= 0 for value in whole.values()):
        return None
    if not all(value is None or type(value) in (int, float) for value in shares.values()):
        return None
    return {"name": str(name), **whole, **shares}


def show(data: dict[str, Any]) -> list[Block]:
    """Latency as bars, everything as a table, and who was left out."""
    rows = sorted(data["schemes"], key=lambda row: (row["latency"], row["interval"]))
    title = "Schemes on this network"
    items = [
        Bar(f"{_name(row, data)}: {_near(row)}", [row["latency"]], number(row["latency"]))
        for row in rows
    ]
    samples = max((row["samples"] for row in rows), default=0)
    reading = (
        "Steps until the answer, and how near it is to the trained network's. Each scheme with "
        f"its default options, on {samples:,} {data['samples_from']}. Of those about as near as "
        "the nearest, the one that answers first is a good choice."
    )
    table = Table(
        "Numbers",
        ("scheme", "samples", "agreement", "output error", "latency (steps)", "a sample every"),
        [
            (
                _name(row, data),
                row["samples"],
                percent(_share(row["agreement"])),
                percent(row["output_error"]),
                row["latency"],
                row["interval"],
            )
            for row in rows
        ],
    )
    figure = Figure(title, reading, bars(title, f"{len(rows)} schemes.", items), table)
    return [figure, *(Note(f"Left out: {name}. {why}") for name, why in data["left_out"].items())]


def _name(row: dict[str, Any], data: dict[str, Any]) -> str:
    return row["name"] + (" (this program)" if row["name"] == data["chosen"] else "")


def _share(points: float | None) -> float | None:
    return None if points is None else points / 100


def _near(row: dict[str, Any]) -> str:
    if row["agreement"] is None:
        return f"error {percent(row['output_error'])}"
    return f"agrees {percent(_share(row['agreement']))}"
