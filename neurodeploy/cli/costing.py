"""The command `cost`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import (
    ENERGY_MODEL,
    JSON,
    MODEL,
    THREADS,
    limit_option,
    program_samples,
)

if TYPE_CHECKING:
    from neurodeploy.cost import Cost
    from neurodeploy.program import Program

__all__ = ["cost"]


@click.command(
    epilog=examples(
        "neurodeploy cost model.ndp --data test.npz",
        "neurodeploy cost model.ndp --data test.npz --energy-model loihi1-davies2018",
    ),
)
@click.argument("program", type=click.Path())
@click.option("--data", required=True, type=click.Path(), help=".npz with x: the samples.")
@limit_option(256)
@click.option("--target", help="loihi1, loihi2 or a .toml; default: the program's own.")
@ENERGY_MODEL
@MODEL
@click.option("--no-mapping", is_flag=True, help="No cores: messages, hops and time are left out.")
@THREADS
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
    from neurodeploy.cost import estimate_cost
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import Progress, print_json, warn
    from neurodeploy.simulator.encoding import check_samples
    from neurodeploy.targets import target_of

    loaded = load(program)
    samples = program_samples(loaded, data, limit)
    check_samples(samples.x, loaded.encoder.sample_shape, data)
    hardware = target_of(loaded.target, target)
    with Progress().running() as progress:
        found = estimate_cost(
            loaded,
            samples.x,
            hardware,
            mapping="none" if no_mapping else "auto",
            energy_model=energy_model,
            model=_model(loaded, model, Path(program).parent),
            threads=threads,
            progress=progress.counter("count", len(samples.x)),
            warn=warn,
        )
    if as_json:
        print_json(found.to_dict())
    else:
        _show(program, found)


def _model(program: Program, model: str | None, near: Path) -> Path | None:
    """The ONNX file given, or the one that lies beside the program; None if there is none."""
    from neurodeploy.errors import UsageError
    from neurodeploy.ledger.source_model import find_ann

    try:
        return find_ann(program, model, near)
    except UsageError:
        if model is not None:
            raise
        return None


def _show(program: str, found: Cost) -> None:
    """Events with their energies, then totals, the model, what is left out, the ANN."""
    from neurodeploy.reporting.console import table

    # whole events where there are many
    counted = [
        (line.name, round(line.count) if line.count >= 100 else line.count) for line in found.lines
    ]
    if found.model is None:
        columns: tuple[str, ...] = ("", "a sample")
        rows: list[tuple[object, ...]] = [*counted]
    else:
        columns = ("", "a sample", "pJ each", "uJ a sample")
        rows = [
            (*count, _each(line.constant), _micro(line.energy))
            for count, line in zip(counted, found.lines, strict=True)
        ]
    table(f"{program} on {found.target}, mean of {found.samples:,} samples", columns, rows)
    table("a sample", ("", ""), [(name, text) for name, text in _facts(found) if text])


def _facts(found: Cost) -> Iterator[tuple[str, str]]:
    """What is to be said beside the events; empty texts where there is nothing."""
    if found.model is None:
        yield "energy", "none: no energies of single operations are published for this target"
        yield "", "--energy-model takes those of another one, as an assumption"
    else:
        energy, least = _micro(found.energy), _micro(found.least)
        open_ended = f" ({least} if no update is active that need not be)"
        stated = f"{energy} uJ a sample{open_ended if least != energy else ''}"
        yield "energy", "none: the model states none" if found.energy is None else stated
        if found.seconds is not None:
            every = f"a sample every {found.seconds * 1e6:,.1f} us"
            yield "time", f"{every}: the busiest core's operations and updates, one by one"
        yield "model", f"{found.model}: {found.title}"
        yield "constants", found.source
    for i, text in enumerate(found.assumptions):
        yield "" if i else "assumed", text
    for i, text in enumerate(found.left_out):
        yield "" if i else "left out", text
    if found.ann is not None:
        basis = "the ONNX model" if found.ann.basis == "model" else "one a synapse of the program"
        yield "ANN", f"{found.ann.multiply_accumulates:,} multiply-accumulates a sample ({basis})"
    if found.operations_per_multiply is not None:
        yield "", f"{found.operations_per_multiply:.3g} synaptic operations for each of them"


def _each(constant: float | None) -> str:
    return "-" if constant is None else f"{constant:g}"


def _micro(energy: float | None) -> str:
    if energy is None:
        return "-"
    return f"{energy * 1e6:,.1f}" if energy >= 1e-5 else f"{energy * 1e6:.3g}"
