"""The command `export`."""

from __future__ import annotations

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON

__all__ = ["export"]


@click.command(epilog=examples("neurodeploy export model.ndp -o model.nir"))
@click.argument("program", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The .nir to write.")
@click.option("--dt", type=float, help="Seconds a step; default: those of the program, else 1e-3.")
@JSON
def export(program: str, output: str, dt: float | None, as_json: bool) -> None:
    """Write a PROGRAM of spiking neurons (.ndp) as a NIR graph, its integers in real units."""
    from neurodeploy.exporting import export as run
    from neurodeploy.files import check_output
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import print_json, say

    check_output(output, program)
    loaded = load(program)
    run(loaded, output, dt)
    resets = {p.neuron.parameters()["reset"] for p in loaded.populations} - {"none"}
    if as_json:
        print_json({"output": output, "neurons": loaded.neurons, "resets": sorted(resets)})
    else:
        say(f"{output}: {loaded.neurons:,} neurons; reset: {', '.join(sorted(resets)) or 'none'}")
