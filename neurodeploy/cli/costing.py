"""The command `cost`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from neurodeploy.cli.options import JSON

if TYPE_CHECKING:
    from neurodeploy.cost import Cost

__all__ = ["cost"]


@click.command()
@click.argument("program", type=click.Path())
@click.option("--data", required=True, type=click.Path(), help=".npz with x: the samples.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=256,
    show_default=True,
    help="Only the first so many samples.",
)
@click.option("--target", help="Default: the program's own; loihi1, loihi2 or a .toml.")
@click.option(
    "--energy-model",
    metavar="NAME",
    help="A cost model by name, also of another chip; default: the target's own, if it has one.",
)
@click.option(
    "--model",
    type=click.Path(),
    help="The ONNX model that was compiled; default: looked for beside the program and here.",
)
@click.option("--no-mapping", is_flag=True, help="Do not map to cores: no messages, hops, time.")
@click.option("--threads", type=click.IntRange(1), help="Default: all cores.")
@JSON
def cost(
    program: str,
    data: str,
    limit: int,
    target: str | None,
    energy_model: str | None,
    model: str | None,
    no_mapping: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Count what a program does a sample, and what that costs by a cited model (docs/cost.md)."""
