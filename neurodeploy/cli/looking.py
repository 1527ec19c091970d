"""Commands that look without running: check, doctor, targets, schemes, neurons."""

from __future__ import annotations

from typing import Any

import click

from neurodeploy.cli.options import FITS, JSON, OUTPUT_NAME
from neurodeploy.cli.scheme_options import SchemeCommand, taken

__all__ = ["check", "doctor", "neurons", "schemes", "targets"]


@click.command(cls=SchemeCommand)
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
    from neurodeploy.files import check_output
    from neurodeploy.reporting.checking import show_report

    if annotate is not None:
        check_output(annotate, model)
    given = taken(options)
    report = examine(model, scheme, target, output=output_name, annotate=annotate, **given)
    asked = {"scheme": scheme, "target": target, "output-name": output_name}
    asked |= {name.replace("_", "-"): value for name, value in given.items()}
    show_report(report, asked, annotate, as_json)
    if not report.ok or (fits and report.fits is not True):
        raise SystemExit(2)


@click.command()
@JSON
def doctor(as_json: bool) -> None:
    """Show what is installed here and what is missing."""
    from neurodeploy.reporting.console import print_json, table
    from neurodeploy.reporting.health import examine

    report = examine()
    if as_json:
        print_json(report)
        return
    rows = [(c["name"], "ok" if c["ok"] else "MISSING", c["detail"]) for c in report["checks"]]
    table("neurodeploy doctor", ("part", "state", "detail"), rows)


@click.command()
@click.argument("name", required=False)
@JSON
def targets(name: str | None, as_json: bool) -> None:
    """List the hardware targets; of one (NAME or a .toml), every number with its source."""
    from dataclasses import asdict

    from neurodeploy.reporting.console import print_json, table
    from neurodeploy.targets import load_target, target_names

    found = [load_target(each) for each in (target_names() if name is None else (name,))]
    if as_json:
        print_json({"targets": [asdict(target) for target in found]})
        return
    if name is not None:
        facts = [
            (
                f"{fact.section}.{fact.key}",
                fact.value,
                "inferred" if fact.inferred else "",
                fact.source or "not stated",
                fact.note,
            )
            for fact in found[0].facts
        ]
        table(found[0].title, ("fact", "value", "", "source", "note"), facts)
        return
    rows = [
        (
            t.name,
            t.generation,
            "programmable" if t.microcode else "stock only",
            f"{t.weight_bits} bit",
            f"{t.threshold_bits} bit",
            f"{t.bias_mantissa_bits} bit << 0..{t.bias_exponent_max}",
            f"{t.graded_bits} bit" if t.graded_bits else "binary",
            *(
                "unlimited" if limit is None else f"{limit:,}"
                for limit in (t.mesh.cores, t.core.neurons, t.core.synaptic_words)
            ),
        )
        for t in found
    ]
    columns = (
        "target",
        "generation",
        "neurons",
        "weights",
        "threshold",
        "bias",
        "spikes",
        "cores a chip",
        "neurons a core",
        "words a core",
    )
    table("targets (24-bit state)", columns, rows)


@click.command()
@click.argument("name", required=False)
@JSON
def schemes(name: str | None, as_json: bool) -> None:
    """List the conversion schemes with their options; of one (NAME), its options alone."""
    from neurodeploy.reporting.console import print_json
    from neurodeploy.reporting.listing import scheme_list, show_schemes

    found = scheme_list(name)
    if as_json:
        print_json({"schemes": found})
    else:
        show_schemes(found)


@click.command()
@click.argument("name", required=False)
@JSON
def neurons(name: str | None, as_json: bool) -> None:
    """List the neuron kinds, what they send and keep; of one (NAME), its parameters as well."""
    from neurodeploy.reporting.console import print_json
    from neurodeploy.reporting.listing import neuron_list, show_neurons

    found = neuron_list(name)
    if as_json:
        print_json({"neurons": found})
    else:
        show_neurons(found)
