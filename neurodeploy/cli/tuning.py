"""The command `tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import ENERGY_MODEL, JSON, OUTPUT_NAME, THREADS, numbers

if TYPE_CHECKING:
    from neurodeploy.tuning import Tuning

__all__ = ["tune"]


@click.command(
    epilog=examples(
        "neurodeploy tune model.onnx --calibration train.npz --agreement 99",
        "neurodeploy tune model.onnx --calibration train.npz --latency 40",
        "neurodeploy tune model.onnx --calibration train.npz --energy --target loihi1",
        "neurodeploy tune model.onnx --calibration train.npz --plot pareto.png",
    )
)
@click.argument("model", type=click.Path())
@click.option(
    "--calibration", required=True, type=click.Path(), help=".npz with x: 12 samples or more."
)
@click.option(
    "--agreement",
    type=float,
    default=99.0,
    show_default=True,
    help="Percent of samples that have to keep the ANN's class.",
)
@click.option("--latency", type=click.IntRange(1), help="At most so many steps: take the nearest.")
@click.option("--energy", is_flag=True, help="Take the least energy in place of the fastest.")
@ENERGY_MODEL
@click.option("--target", default="loihi2", show_default=True, help="loihi1, loihi2 or a .toml.")
@click.option("--only", help="Schemes to try, like graded,radix; default: all that can be run.")
@click.option("--scale", type=float, help="As for compile.")
@click.option("--mean", default="0", help="As for compile.")
@click.option("--std", default="1", help="As for compile.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=240,
    show_default=True,
    help="After so many nothing further is begun.",
)
@click.option("--plot", type=click.Path(), help="Draw latency and agreement (.png, .svg, .pdf).")
@OUTPUT_NAME
@THREADS
@click.option("-o", "--output", type=click.Path(), help="Default: MODEL.ndp in this folder.")
@JSON
def tune(
    model: str,
    calibration: str,
    agreement: float,
    latency: int | None,
    energy: bool,
    energy_model: str | None,
    target: str,
    only: str | None,
    scale: float | None,
    mean: str,
    std: str,
    seconds: float,
    plot: str | None,
    output_name: str | None,
    threads: int | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Find the scheme, bits or steps, and percentile of MODEL.onnx that a goal asks for.

    The calibration samples are split: a part converts, a part chooses, and a part that no choice
    has seen says how the program does. The best program is written (docs/tune.md).

    Exit code 0 if the agreement is reached on the held-out samples, 1 if not; the program is
    written in both cases.
    """
    from neurodeploy.files import check_output
    from neurodeploy.reporting.console import Progress, print_json, say, warn
    from neurodeploy.samples import load_samples
    from neurodeploy.tuning import tune as run

    path = Path(output) if output is not None else Path(Path(model).name).with_suffix(".ndp")
    check_output(path, model, calibration)
    if plot is not None:
        from neurodeploy.plot import check_format

        check_output(plot, model, calibration)
        check_format(plot)
    with Progress().running() as progress:
        found = run(
            model,
            load_samples(calibration, labels=False).x,
            agreement,
            latency,
            energy,
            target,
            only=tuple(only.split(",")) if only else (),
            energy_model=energy_model,
            seconds=seconds,
            output=output_name,
            threads=threads,
            progress=progress.stage,
            warn=warn,
            scale=scale,
            mean=numbers(mean, "--mean"),
            std=numbers(std, "--std"),
        )
    found.program.save(path)
    if plot is not None:
        from neurodeploy.plot import pareto

        figure: Any = pareto(found).figure
        figure.savefig(plot)
    if as_json:
        print_json({"program": str(path), "plot": plot, **found.to_dict()})
    else:
        _show(model, found)
        say(f"{path}: {found.sentence}")
    if not found.reached:
        raise SystemExit(1)


def _show(model: str, found: Tuning) -> None:
    """All candidates, fastest first."""
    from neurodeploy.reporting.console import table

    pareto = {candidate.name for candidate in found.pareto}
    priced = any(candidate.energy is not None for candidate in found.candidates)
    rows = [
        (
            "*" if c.name == found.best.name else "+" if c.name in pareto else "",
            c.name,
            c.latency or "-",
            f"{c.agreement:.2f}" if c.samples else "-",
            c.samples,
            f"{c.operations:,.0f}" if c.samples else "-",
            *((_micro(c.energy),) if priced else ()),
            "-" if c.held_out is None else f"{c.held_out:.2f}",
            c.note,
        )
        for c in sorted(found.candidates, key=lambda c: (c.latency, c.agreement, c.operations))
    ]
    heads = ("", "candidate", "latency", "agreement (%)", "samples", "operations")
    tail = ("held out (%)", "note")
    energy = ("energy (uJ)",) if priced else ()
    table(f"{model}: {found.goal.sentence} (* taken, + Pareto)", (*heads, *energy, *tail), rows)


def _micro(energy: float | None) -> str:
    return "-" if energy is None else f"{energy * 1e6:,.1f}"
