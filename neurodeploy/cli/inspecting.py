"""The command `inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON

if TYPE_CHECKING:
    from neurodeploy.program import Program

__all__ = ["inspect"]


@click.command(
    epilog=examples(
        "neurodeploy inspect model.ndp",
        "neurodeploy inspect model.ndp --json",
    ),
)
@click.argument("program", type=click.Path())
@JSON
def inspect(program: str, as_json: bool) -> None:
    """Show what a program (.ndp) holds."""
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import print_json, table
    from neurodeploy.reporting.inspection import describe
    from neurodeploy.reporting.results import frames_of

    loaded = load(program)
    about = describe(loaded)
    if as_json:
        print_json(about)
        return
    rows = [
        (
            p["name"],
            "x".join(map(str, p["shape"])),
            p["neurons"],
            p["neuron"],
            p["runs_as"],
            ", ".join(f"{key} {value}" for key, value in p["parameters"].items()),
            p["phase"],
            p["spike_value"],
            "excluded" if p["cannot_overflow"] else "possible",
        )
        for p in about["populations"]
    ]
    columns = (
        "population",
        "shape",
        "neurons",
        "kind",
        "runs as",
        "parameters",
        "phase",
        "spike value",
        "overflow",
    )
    table(program, columns, rows)
    rows2 = [
        (
            c["source"],
            c["target"],
            c["kind"],
            "x".join(map(str, c["weights"])),
            c["synapses"],
            c["delay"],
            "graded" if c["graded"] else "binary",
        )
        for c in about["connections"]
    ]
    table(
        "connections",
        ("source", "target", "kind", "weights", "synapses", "delay", "messages"),
        rows2,
    )
    needed = [(p["process"], p["use"], p["count"], p["by"]) for p in about["processes"]]
    table("what it needs on a chip", ("process", "for", "how many", "shipped by"), needed)
    if about["choices"]:
        made = [
            (
                c["layer"],
                c["chosen"],
                _cost(c["cost"]),
                c["instead"],
                _cost(c["cost_instead"]),
                c["because"],
            )
            for c in about["choices"]
        ]
        heads = ("layer", "chosen", "costs", "instead of", "would cost", "because")
        table("what was chosen", heads, made)
    i = about["input"]
    facts = [
        ("hardware", about["fidelity"]),
        ("scheme", f"{about['scheme']}, {about['steps']} steps, {_input(i)}"),
        ("input integers", f"{i['low']}..{i['high']}, {i['unit']:.6g} each"),
        ("integer samples", f"(x * {i['scale']:.6g} - {i['mean']}) / {i['std']}"),
        ("latency", f"{about['latency_steps']} steps; a sample every {about['steps']}"),
        *([] if about["refresh"] == 1 else [("samples", frames_of(about["refresh"]))]),
        (
            "size",
            f"{about['neurons']:,} neurons, {about['synapses']:,} synapses, "
            f"{about['weight_bytes']:,} weight bytes",
        ),
        ("model", _source(loaded)),
        ("options", _options(loaded)),
    ]
    table("program", ("", ""), facts)


def _cost(counts: dict[str, int]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in counts.items())


def _source(program: Program) -> str:
    """Which model a program was made of; a program of another maker may not say."""
    model = program.recorded("model")
    if not {"file", "sha256"} <= set(model):
        return "unknown"
    return f"{model['file'] or 'given in memory'} (sha-256 {str(model['sha256'])[:12]}...)"


def _options(program: Program) -> str:
    options = program.recorded("options")
    return ", ".join(f"{key} {value}" for key, value in options.items()) or "unknown"


def _input(about: dict[str, Any]) -> str:
    """How it comes in."""
    planes = about["bit_planes"]
    lines = f" ({planes} bit plane{'s' * (planes > 1)}, and a line for the rest)" if planes else ""
    return f"{about['encoding']} input{lines}"
