"""The command `report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import (
    DATA,
    ENERGY_MODEL,
    JSON,
    MODEL,
    TASK,
    THREADS,
    limit_option,
    program_samples,
)

__all__ = ["report"]

_SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".json": "json"}


@click.command(
    epilog=examples(
        "neurodeploy report model.ndp --data test.npz -o report.html",
        "neurodeploy report model.ndp --data test.npz --format md > report.md",
    )
)
@click.argument("program", type=click.Path())
@DATA
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    help="Default: report.html here; md and json go to stdout.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "md", "json"]),
    help="Default: by the output's suffix, else html.",
)
@MODEL
@click.option("--target", help="Map to this target; default: the program's own.")
@ENERGY_MODEL
@limit_option(text="Simulate the first so many samples; default: by the program's size, 16 to 512.")
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The sample whose spikes and membranes are drawn.",
)
@click.option(
    "--compare-schemes",
    is_flag=True,
    help="Compile the model in every scheme that the target can run, too, and compare them.",
)
@TASK
@THREADS
@JSON
def report(
    program: str,
    data: str,
    output: str | None,
    kind: str | None,
    model: str | None,
    target: str | None,
    energy_model: str | None,
    limit: int | None,
    sample: int,
    compare_schemes: bool,
    task: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Write one page that tells all about a program (docs/report.md).

    With --json and no output the whole content goes to stdout, as --format json; with an output
    only its name, form and size do.
    """
    from neurodeploy.explaining import recompile
    from neurodeploy.files import check_output, write_atomically
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import Progress, print_json, say, warn
    from neurodeploy.reporting.page import report as run

    kind = "json" if as_json and output is None and kind is None else _format(output, kind)
    if output is None and kind == "html":
        output = "report.html"
    if output is not None:
        check_output(output, program, data, model)
    loaded = load(program)
    samples = program_samples(loaded, data, None)
    with Progress().running() as progress:
        made = run(
            loaded,
            samples.x,
            samples.y,
            model=model,
            near=Path(program).parent,
            target=target,
            energy_model=energy_model,
            limit=limit,
            sample=sample,
            task=task,
            compare=recompile if compare_schemes else None,
            threads=threads,
            names={"program": Path(program).name, "data": Path(data).name},
            progress=progress.stage,
            warn=warn,
        )
    text = {"html": made.html, "md": made.markdown, "json": made.json}[kind]()
    if output is None:
        # HTML and Markdown have a form of their own for what the terminal's encoding has not
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "xmlcharrefreplace").decode(encoding))
        return
    written = text.encode()
    write_atomically(output, written)
    if as_json:
        print_json({"output": output, "format": kind, "bytes": len(written)})
    else:
        say(f"{output}: {len(written):,} bytes")


def _format(output: str | None, kind: str | None) -> str:
    """The format asked for, or else that of the output's suffix, or else html.

    Refused: a suffix that is another format's; viewers go by it.
    """
    from neurodeploy.errors import UsageError

    named = None if output is None else _SUFFIXES.get(Path(output).suffix.lower())
    if kind is not None and named not in (None, kind):
        raise UsageError(
            f"{kind} is asked for, but {output!r} is the name of a file of {named}",
            place="--format",
            remedy=f"give an output that ends in .{kind}, or leave --format out",
        )
    return kind or named or "html"
