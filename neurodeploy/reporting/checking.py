"""A check's report as tables or JSON."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from neurodeploy.conversion import AUTO, scheme_named
from neurodeploy.conversion.options import options_of
from neurodeploy.importing import Report, Summary
from neurodeploy.reporting.annotation import VERDICTS
from neurodeploy.reporting.console import print_json, say, table

__all__ = ["show_report"]

#: Options of `compile` that need not be written out.
_DEFAULTS = {"scheme": "rate", "target": "loihi2", "output-name": None}


def show_report(
    report: Report, asked: Mapping[str, Any], annotated: str | None, as_json: bool
) -> None:
    """Print a report.

    Parameters
    ----------
    asked
        Options of the check, by their names on the command line.
    annotated
        Where the annotated model was written.
    """
    if as_json:
        options = {key: value for key, value in asked.items() if key != "output-name"}
        said = report.to_dict()
        print_json({"model": said.pop("model"), **options, **said, "annotated": annotated})
        return
    rows = [
        (
            f.node,
            f.op_type,
            VERDICTS[f.verdict],
            f.reason + (f" -> {f.remedy}" if f.remedy else ""),
        )
        for f in report.findings
    ]
    table(report.path, ("node", "operator", "verdict", "reason"), rows)
    summary = report.summary
    if summary.operators:
        kinds = [(o.op_type, o.nodes, *o.verdicts.values()) for o in summary.operators]
        kinds.append(("all", summary.nodes, *summary.verdicts.values()))
        heads = ("operator", "nodes", *(VERDICTS[verdict] for verdict in summary.verdicts))
        table("operators", heads, kinds)
        table("summary", ("", ""), _facts(summary, str(asked["scheme"])))
    for line in report.hardware:
        say(f"{asked['target']}: {line}")
    if annotated is not None:
        say(f"verdicts written to {annotated}")
    if report.fits is False:
        say(
            f"does not fit {asked['target']}: the rules that come first above are broken; "
            "the program can be simulated all the same"
        )
    if report.ok:
        if not scheme_named(str(asked["scheme"])).spiking:
            say("accuracy: not looked at; compile with samples says what is left of it")
        say(f"compiles; next: {_next(report.path, asked)}")
    else:
        say(f"does not compile: {len(report.refused)} refused")


def _facts(summary: Summary, scheme: str) -> list[tuple[str, str]]:
    """What is known, in words."""
    facts = []
    if summary.coverage is not None:
        examined = summary.nodes - summary.verdicts["unknown"]
        good = examined - summary.verdicts["refused"]
        left = f", {summary.nodes - examined} not examined" if examined < summary.nodes else ""
        facts.append(
            ("coverage", f"{100 * summary.coverage:.1f} %: {good} of {examined} nodes{left}")
        )
    facts.append(("input", _named(summary.input, summary.input_shape)))
    facts.append(("output", _named(summary.output, summary.output_shape)))
    if summary.other_outputs:
        names = ", ".join(summary.other_outputs)
        facts.append(("outputs left out", f"{names} (choose with --output-name)"))
    if summary.file_parameters is not None:
        facts.append(("parameters in the file", f"{summary.file_parameters:,}"))
    if summary.layers is not None:
        facts.append(
            (
                "network",
                f"{summary.layers} layers, {summary.weights:,} weights, {summary.biases:,} biases",
            )
        )
    if summary.neurons is not None:
        relays = f", and {summary.relays:,} relays or helpers" if summary.relays else ""
        facts.append((f"neurons ({scheme})", f"{summary.neurons:,}{relays}"))
    if summary.not_covered:
        facts.append(("not covered", summary.not_covered))
    return facts


def _named(name: str | None, shape: tuple[int, ...] | None) -> str:
    size = "" if shape is None else " of " + " x ".join(map(str, shape))
    return f"{name}{size}"


def _next(path: str, asked: Mapping[str, Any]) -> str:
    """The command to run now."""
    words = ["neurodeploy", "compile", path]
    scheme = asked["scheme"]
    kind = None if scheme == AUTO else scheme_named(scheme)
    if kind is None or not kind.spiking:
        words += ["--calibration", "SAMPLES.npz"]
    elif asked["steps"] is None:
        words += ["--steps", "STEPS"]
    own = () if kind is None else options_of(kind)
    defaults = _DEFAULTS | {field.name.replace("_", "-"): field.default for field, _ in own}
    for option, value in asked.items():
        if value != defaults.get(option):
            words += [f"--{option}", str(value)]
    return shlex.join(words)
