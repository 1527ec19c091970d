"""The command `check`."""

from __future__ import annotations

from typing import Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import FITS, JSON, OUTPUT_NAME
from neurodeploy.cli.scheme_options import SchemeCommand, taken, with_defaults

__all__ = ["check"]


@click.command(
    cls=SchemeCommand,
    epilog=examples(
        "neurodeploy check model.onnx",
        "neurodeploy check model.onnx --scheme radix --bits 5 --fits",
        "neurodeploy check model.onnx --annotate verdicts.onnx",
    ),
)
@click.argument("model", type=click.Path())
@click.option("--target", default="loihi2", show_default=True, help="loihi1, loihi2 or a .toml.")
@OUTPUT_NAME
@click.option(
    "--annotate",
    type=click.Path(),
    metavar="OUT.onnx",
    help="Write a copy of the model with the verdicts in its metadata, for viewers.",
)
@FITS
@JSON
def check(
    model: str,
    scheme: str,
    target: str,
    output_name: str | None,
    annotate: str | None,
    fits: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Say of every node of MODEL.onnx whether it converts, and if not, why.

    Goes the way of `compile` without samples: importer, passes, thresholds from bounds, conversion
    for the target. What samples change is not covered: with them thresholds are others, and
    whether weights and biases fit the registers is known only then. A network of more than 67
    million synapses is not converted; the summary says so.

    Exit code 0 if the model compiles, 2 if not; with --fits 2 also if the program does not fit the
    target, or is too large for this to be known.
    """
    from neurodeploy.checking import check as examine
    from neurodeploy.conversion.direct import direct_for
    from neurodeploy.files import check_output
    from neurodeploy.importing.lava_dl import is_lava_dl
    from neurodeploy.importing.nir import is_nir
    from neurodeploy.importing.reading.spiking_models import is_spiking_onnx
    from neurodeploy.reporting.checking import show_report

    if annotate is not None:
        check_output(annotate, model)
    given = taken(options)
    if is_nir(model) or is_lava_dl(model) or is_spiking_onnx(model):
        scheme = str(direct_for(scheme, "the network")[0])
    report = examine(model, scheme, target, output=output_name, annotate=annotate, **given)
    asked = {"scheme": scheme, "target": target, **with_defaults(scheme, given)}
    asked["output-name"] = output_name
    show_report(report, asked, annotate, as_json)
    if not report.ok or (fits and report.fits is not True):
        raise SystemExit(2)
