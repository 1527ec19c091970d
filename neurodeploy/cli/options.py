"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from neurodeploy.program import Program
    from neurodeploy.samples import Samples

__all__ = [
    "DATA",
    "ENERGY_MODEL",
    "FITS",
    "JSON",
    "MODEL",
    "OUTPUT_NAME",
    "TASK",
    "THREADS",
    "limit_option",
    "limited",
    "numbers",
    "program_samples",
]

DATA = click.option(
    "--data", required=True, type=click.Path(), help=".npz with x and, optionally, y."
)
ENERGY_MODEL = click.option(
    "--energy-model",
    metavar="NAME",
    help="A cost model by name, also another chip's; default: the target's own, if it has one.",
)
FITS = click.option(
    "--fits", is_flag=True, help="Exit code 2 as well where the program does not fit the target."
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
MODEL = click.option(
    "--model",
    type=click.Path(),
    help="The ONNX model that was compiled; default: looked for beside the program and here.",
)
OUTPUT_NAME = click.option(
    "--output-name", metavar="NAME", help="Which output of the model; default: its first."
)
TASK = click.option(
    "--task",
    type=click.Choice(["binary", "classification", "multilabel", "segmentation", "regression"]),
    help="What the outputs are; default: told from the model and the labels (docs/metrics.md).",
)
THREADS = click.option("--threads", type=click.IntRange(1), help="Default: all cores.")


def limit_option(
    default: int | None = None, text: str = "Only the first so many samples."
) -> Callable[[Any], Any]:
    """The option `--limit`; without a default its text says what is taken."""
    return click.option(
        "--limit", type=click.IntRange(1), default=default, show_default=True, help=text
    )


def limited(samples: Samples, limit: int) -> Samples:
    """The first `limit` samples; a line on stderr where more are left out that nobody asked for."""
    from neurodeploy.reporting.console import warn

    source = click.get_current_context().get_parameter_source("limit")
    if len(samples.x) > limit and source is ParameterSource.DEFAULT:
        warn(f"the first {limit:,} of {len(samples.x):,} samples (--limit takes more)")
    return samples.limit(limit)


def program_samples(program: Program, data: str, limit: int | None) -> Samples:
    """Samples of a file for a program, the first `limit`: recordings of events as rasters."""
    from neurodeploy.event_samples import samples_for
    from neurodeploy.reporting.console import warn
    from neurodeploy.samples import load_samples

    if program.encoder.code.varies:
        return samples_for(program, data, limit, None, warn, labels=True)
    samples = load_samples(data)
    return samples if limit is None else limited(samples, limit)


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers between commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a list of numbers like 0.5,0.5", param_hint=option
        ) from None
