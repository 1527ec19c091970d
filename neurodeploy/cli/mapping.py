"""The command `map`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON, limit_option, program_samples

if TYPE_CHECKING:
    from neurodeploy.mapping import Mapping

__all__ = ["map_command"]


@click.command(
    "map",
    epilog=examples(
        "neurodeploy map model.ndp",
        "neurodeploy map model.ndp --data test.npz --target loihi2",
    ),
)
@click.argument("program", type=click.Path())
@click.option("--target", help="Default: the program's own; loihi1, loihi2, cpu or a .toml.")
@click.option("--data", type=click.Path(), help=".npz with x: count spikes on these samples.")
@limit_option(64, "With --data: only the first so many.")
@click.option(
    "--placement",
    type=click.Choice(["traffic", "layers"]),
    default="traffic",
    show_default=True,
    help="Few hops, or layer order.",
)
@JSON
def map_command(
    program: str,
    target: str | None,
    data: str | None,
    limit: int,
    placement: Any,
    as_json: bool,
) -> None:
    """Cut PROGRAM (.ndp) into parts, give each a core, and check the target's rules.

    Without --data every neuron is taken to spike once a sample.

    Exit code 0 if the program fits, 2 if not.
    """
    from neurodeploy.mapping import map_program
    from neurodeploy.mapping.traffic import spikes_of
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import print_json, warn

    loaded = load(program)
    spikes = None
    if data is not None:
        from neurodeploy.sample_checks import look_at_samples
        from neurodeploy.simulator.encoding import check_samples

        x = program_samples(loaded, data, limit).x
        x = check_samples(x, loaded.encoder.sample_shape, data)
        look_at_samples(loaded, x, warn)
        spikes = spikes_of(loaded, x)
    mapping = map_program(loaded, target, spikes, placement)
    if as_json:
        print_json(mapping.to_dict())
    else:
        _show(program, mapping)
    if not mapping.ok:
        raise SystemExit(2)


def _show(program: str, mapping: Mapping) -> None:
    from collections import Counter

    from neurodeploy.mapping.rules import tightest
    from neurodeploy.reporting.console import table

    first = mapping.cores[0]
    # equal cores share a line
    alike = Counter(
        (
            ", ".join(core.populations),
            *(use.value for use in core.uses),
            f"{core.binding.resource} {100 * core.binding.share:.1f} %"
            if core.binding.limit
            else "nothing",
        )
        for core in mapping.cores
    )
    heads = [
        use.resource if use.limit is None else f"{use.resource} (of {use.limit:,})"
        for use in first.uses
    ]
    rows = [(row[0], count, *row[1:]) for row, count in alike.items()]
    table(f"{program} on {mapping.target}", ("layer", "cores", *heads, "what binds"), rows)
    lines = [
        (
            f.rule,
            f.layer,
            f"{f.value:g}",
            "none" if f.limit is None else f"{f.limit:g}",
            "holds" if f.ok else f.remedy,
        )
        for f in tightest(mapping.findings)
    ]
    table("rules, each where it is tightest", ("rule", "layer", "value", "limit", ""), lines)
    facts = [("cores", f"{len(mapping.cores):,}"), ("chips", f"{mapping.chips:,}")]
    if mapping.flow is not None:
        facts += [
            ("messages a sample", f"{mapping.flow.messages:,.0f}"),
            ("hops a sample", f"{mapping.flow.hops:,.0f}"),
            ("between chips a sample", f"{mapping.flow.crossings:,.0f}"),
        ]
    facts += [("placement", mapping.placement), *(("note", note) for note in mapping.notes)]
    facts.append(("fits", "yes" if mapping.ok else "no"))
    table("summary", ("", ""), facts)
