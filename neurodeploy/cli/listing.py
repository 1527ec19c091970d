"""Commands that list what there is: targets, schemes, neurons."""

from __future__ import annotations

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON

__all__ = ["neurons", "schemes", "targets"]


@click.command(epilog=examples("neurodeploy targets", "neurodeploy targets loihi2"))
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


@click.command(epilog=examples("neurodeploy schemes", "neurodeploy schemes graded"))
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


@click.command(epilog=examples("neurodeploy neurons", "neurodeploy neurons lif"))
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
