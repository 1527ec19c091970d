"""The command `export`."""

from __future__ import annotations

import click

__all__ = ["export"]


@click.command()
@click.argument("program", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The .nir to write.")
@click.option("--dt", type=float, help="Seconds a step; default: those of the program, else 1e-3.")
def export(program: str, output: str, dt: float | None) -> None:
    """Write a PROGRAM of spiking neurons (.ndp) as a NIR graph, its integers in real units."""
    from neurodeploy.exporting import export as run
    from neurodeploy.files import check_output
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import say

    check_output(output, program)
    loaded = load(program)
    run(loaded, output, dt)
    resets = {p.neuron.parameters()["reset"] for p in loaded.populations} - {"none"}
    say(f"{output}: {loaded.neurons:,} neurons; reset: {', '.join(sorted(resets)) or 'none'}")
