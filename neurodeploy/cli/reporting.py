"""The command `report`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["report"]

_SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".json": "json"}


@click.command()
@click.argument("program", type=click.Path())
@click.option("--data", required=True, type=click.Path(), help=".npz with x and, optionally, y.")
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
@click.option(
    "--model",
    type=click.Path(),
    help="The ONNX model that was compiled; default: looked for beside the program and here.",
)
@click.option("--target", help="Map to this target; default: the program's own.")
@click.option(
    "--energy-model",
    metavar="NAME",
    help="A cost model by name, also another chip's; default: the target's own, if it has one.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Simulate the first so many samples; default: by the program's size, 16 to 512.",
)
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The sample whose spikes and membranes are drawn.",
)
@click.option("--threads", type=click.IntRange(1), help="Default: all cores.")
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
    threads: int | None,
) -> None:
    """Write one page that tells all about a program (docs/report.md)."""
    from neurodeploy.files import check_output, write_atomically
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import Progress
    from neurodeploy.reporting.page import report as run
    from neurodeploy.samples import load_samples

    suffix = "" if output is None else Path(output).suffix.lower()
    kind = kind or _SUFFIXES.get(suffix, "html")
    if output is None and kind == "html":
        output = "report.html"
    if output is not None:
        check_output(output, program, data, model)
    loaded, samples = load(program), load_samples(data)
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
            threads=threads,
            names={"program": Path(program).name, "data": Path(data).name},
            progress=progress.stage,
        )
    text = {"html": made.html, "md": made.markdown, "json": made.json}[kind]()
    if output is None:
        sys.stdout.write(text)
        return
    written = text.encode()
    write_atomically(output, written)
    print(f"{output}: {len(written):,} bytes")
