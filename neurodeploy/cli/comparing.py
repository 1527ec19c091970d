"""The command `compare`."""

from __future__ import annotations

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON, THREADS, limit_option, program_samples

__all__ = ["compare"]

_TITLES = {
    "model_sha256": "model (sha-256)",
    "latency_steps": "latency (steps)",
    "steps_between_samples": "a sample every (steps)",
    "accuracy": "accuracy (%)",
    "agreement_with_first": "same answer as the first (%)",
    "largest_difference": "largest difference of outputs (%)",
    "spikes_per_sample": "spikes a sample",
    "synaptic_operations_per_sample": "synaptic operations a sample",
}


@click.command(
    epilog=examples(
        "neurodeploy compare a.ndp b.ndp",
        "neurodeploy compare a.ndp b.ndp --data test.npz",
    )
)
@click.argument("programs", nargs=-1, required=True, type=click.Path(), metavar="A.ndp B.ndp ...")
@click.option("--data", type=click.Path(), help=".npz with x and, optionally, y: run them as well.")
@limit_option(256, "With --data: only the first so many.")
@THREADS
@JSON
def compare(
    programs: tuple[str, ...], data: str | None, limit: int, threads: int | None, as_json: bool
) -> None:
    """Set programs side by side: size, latency, options and, with --data, what they answer.

    With --data every program is run on the same samples; agreement is how often it gives the same
    answer as the first one.
    """
    from neurodeploy.comparing import compare as run
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import print_json, table, warn

    if len(programs) < 2:
        raise click.UsageError("give two programs or more")
    loaded = {path: load(path) for path in programs}
    samples = None
    if data is not None:
        samples = program_samples(next(iter(loaded.values())), data, limit)
    found = run(
        loaded,
        None if samples is None else samples.x,
        None if samples is None else samples.y,
        threads=threads,
        warn=warn,
    )
    if as_json:
        print_json(found.to_dict())
        return
    rows = [
        (_TITLES.get(name, name.replace("_", " ")), *("-" if v is None else v for v in values))
        for name, values in found.rows.items()
    ]
    table("programs", ("", *found.names), rows)
