"""The command `compile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import FITS, JSON, OUTPUT_NAME, TASK, numbers
from neurodeploy.cli.scheme_options import SchemeCommand

if TYPE_CHECKING:
    from neurodeploy.ledger import Trial

__all__ = ["compile_command"]


@click.command(
    name="compile",
    cls=SchemeCommand,
    epilog=examples(
        "neurodeploy compile model.onnx --calibration train.npz",
        "neurodeploy compile model.onnx --calibration train.npz --scheme graded -o graded.ndp",
        "neurodeploy compile model.onnx --calibration train.npz --scheme auto",
        "neurodeploy compile model.onnx --calibration images.npz --scale 0.00392157 \\",
        "    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
    ),
)
@click.argument("model", type=click.Path())
@click.option("--calibration", type=click.Path(), help=".npz with x: samples for thresholds.")
@click.option("--target", default="loihi2", show_default=True, help="loihi1, loihi2 or a .toml.")
@click.option("--l4/--no-l4", default=None, help="L4-norm correction; default: with Poisson input.")
@click.option("--seed", default=0, show_default=True, help="Of the Poisson encoder.")
@click.option(
    "--scale",
    type=float,
    help="Integer samples are (x * scale - mean) / std; default: docs/samples.md.",
)
@click.option("--mean", default="0", help="One number, or one a channel: 0.49,0.48,0.45.")
@click.option("--std", default="1", help="Likewise.")
@click.option("--input-range", help="LOW,HIGH of the network's input; default: from the samples.")
@click.option(
    "--overflow",
    type=click.Choice(["off", "warn", "error"]),
    default="warn",
    show_default=True,
    help="Where no overflow is not proved.",
)
@click.option(
    "--try",
    "try_samples",
    type=click.IntRange(0),
    default=128,
    show_default=True,
    metavar="N",
    help="Run N calibration samples on program and ANN and say how often they agree; 0: none.",
)
@OUTPUT_NAME
@FITS
@TASK
@click.option("-o", "--output", type=click.Path(), help="Default: MODEL.ndp in this folder.")
@JSON
def compile_command(
    model: str,
    calibration: str | None,
    output: str | None,
    output_name: str | None,
    as_json: bool,
    mean: str,
    std: str,
    input_range: str | None,
    fits: bool,
    **options: Any,
) -> None:
    """Compile MODEL.onnx to a spiking program (.ndp).

    A program that does not fit its target is written all the same, with a warning; with --fits it
    is refused.
    """
    from neurodeploy.files import check_output
    from neurodeploy.pipeline import compile as compile_model
    from neurodeploy.reporting.console import Progress, print_json, say, warn
    from neurodeploy.reporting.inspection import describe
    from neurodeploy.samples import load_samples

    ends = None if input_range is None else numbers(input_range, "--input-range")
    if ends is not None and len(ends) != 2:
        raise click.BadParameter("give two numbers, like 0,1", param_hint="--input-range")
    path = Path(output) if output is not None else Path(Path(model).name).with_suffix(".ndp")
    check_output(path, model, calibration)
    samples = None if calibration is None else load_samples(calibration, labels=False).x
    trials: list[Trial] = []
    with Progress().running() as progress:
        program = compile_model(
            model,
            samples,
            mean=numbers(mean, "--mean"),
            std=numbers(std, "--std"),
            input_range=None if ends is None else (ends[0], ends[1]),
            output=output_name,
            progress=progress.stage,
            tried=trials.append,
            warn=warn,
            **options,
        )
    if fits:
        _require_fit(program, options["target"])
    program.save(path)
    if as_json:
        tried = trials[0].as_dict() if trials else None
        print_json({"program": str(path), **describe(program), "trial": tried})
    else:
        say(
            f"{path}: {program.neurons:,} neurons, {len(program.connections)} connections, "
            f"{program.period} steps a sample, latency {program.latency} steps"
        )
        for trial in trials:
            if trial.found:
                say(trial.sentence)


def _require_fit(program: Any, target: str) -> None:
    """Refuse a program that breaks a rule of its target, before it is written."""
    from neurodeploy.errors import TargetError
    from neurodeploy.mapping import map_program

    mapping = map_program(program, target, placement="layers")
    broken = [str(finding) for finding in mapping.findings if not finding.ok]
    if broken:
        raise TargetError(
            "the program does not fit:\n  " + "\n  ".join(broken[:20]),
            place=mapping.target,
            remedy="change what each line names, or leave --fits out to simulate it all the same",
        )
