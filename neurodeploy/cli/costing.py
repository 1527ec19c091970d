"""The command `cost`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from neurodeploy.cli.options import JSON

if TYPE_CHECKING:
    from neurodeploy.cost import Cost
    from neurodeploy.program import Program

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
@click.option("--target", help="loihi1, loihi2 or a .toml; default: the program's own.")
@click.option(
    "--energy-model",
    metavar="NAME",
    help="A cost model by name, also another chip's; default: the target's own, if it has one.",
)
@click.option(
    "--model",
    type=click.Path(),
    help="The ONNX model that was compiled; default: looked for beside the program and here.",
)
@click.option("--threads", type=click.IntRange(1), help="Default: all cores.")
@JSON
def cost(
    program: str,
    data: str,
    limit: int,
    target: str | None,
    energy_model: str | None,
    model: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Count what a program does a sample, and what that costs by a cited model (docs/cost.md)."""
    from neurodeploy.cost import estimate_cost
    from neurodeploy.cost.estimating import costed_target
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import Progress, print_json, warn
    from neurodeploy.samples import load_samples
    from neurodeploy.simulator.encoding import check_samples

    loaded, samples = load(program), load_samples(data)
    if len(samples.x) > limit:
        warn(f"the first {limit:,} of {len(samples.x):,} samples (--limit takes more)")
    samples = samples.limit(limit)
    check_samples(samples.x, loaded.encoder.sample_shape, data)
    hardware = costed_target(loaded, target)
    with Progress().running() as progress:
        found = estimate_cost(
            loaded,
            samples.x,
            hardware,
            energy_model=energy_model,
            model=_model(loaded, model, Path(program).parent),
            threads=threads,
            progress=progress.counter("count", len(samples.x)),
        )
    if as_json:
        print_json(found.as_dict())
    else:
        _show(program, found)


def _model(program: Program, model: str | None, near: Path) -> Path | None:
    """The ONNX file given, or the one that lies beside the program; None if there is none."""
    from neurodeploy.errors import UsageError
    from neurodeploy.ledger.model import find_model

    try:
        return find_model(program, model, near)
    except UsageError:
        return None


def _show(program: str, found: Cost) -> None:
    """Events with their energies, the ANN beside them, the model, and what is left out."""
    from neurodeploy.reporting.console import table

    priced = found.model is not None
    table(
        f"{program} on {found.target}: a sample's mean of {found.samples:,}",
        ("", "a sample", *(("pJ each", "uJ a sample") if priced else ())),
        [
            (
                line.name,
                line.count,
                *((_each(line.constant), _micro(line.energy)) if priced else ()),
            )
            for line in found.lines
        ],
    )
    if found.energy is not None and found.least is not None:
        print(f"energy a sample: {_micro(found.energy)} uJ", end="")
        if found.least < found.energy:
            print(f" (at least {_micro(found.least)} uJ: by how many updates are active)", end="")
        print(f"; {found.energy * 1e12 / found.synaptic_operations:.1f} pJ")
    if found.seconds is not None:
        print(f"a sample every {found.seconds * 1e6:,.1f} us, by the busiest core")
    if priced:
        print(f"model: {found.model}, {found.title}. {found.source}")
    else:
        print("energy: none, no energy an operation is published for this chip (--energy-model)")
