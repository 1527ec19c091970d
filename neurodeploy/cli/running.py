"""Commands that run a program: simulate, deploy."""

from __future__ import annotations

from typing import Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import DATA, JSON, TASK, THREADS, limit_option

__all__ = ["deploy", "simulate"]

BIN = click.option(
    "--bin",
    metavar="TIME",
    help="Time of a step, like 1ms, where the data are raw events; default: --dt of the program.",
)


def _load(program: str, data: str, limit: int | None, bin: str | None) -> tuple[Any, Any]:
    from neurodeploy.event_samples import samples_for
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import warn
    from neurodeploy.simulator.encoding import check_samples

    loaded = load(program)
    samples = samples_for(loaded, data, limit, bin, warn, labels=True)
    check_samples(samples.x, loaded.encoder.sample_shape, data)
    return loaded, samples


@click.command(
    epilog=examples(
        "neurodeploy simulate model.ndp --data test.npz",
        "neurodeploy simulate model.ndp --data test.npz --model model.onnx --limit 1000",
        "neurodeploy simulate model.ndp --data test.npz --record spikes.npz --limit 3",
        "neurodeploy simulate model.ndp --data test.npz --journal run.journal",
    )
)
@click.argument("program", type=click.Path())
@DATA
@limit_option()
@click.option("--model", type=click.Path(), help="The ONNX model: how it does on the same samples.")
@TASK
@click.option("-o", "--output", type=click.Path(), help="Write outputs and predictions (.npz).")
@THREADS
@click.option(
    "--workers",
    metavar="URL",
    help="Run on a dask cluster: its scheduler's address, like tcp://host:8786.",
)
@click.option(
    "--memory",
    metavar="LIMIT",
    help="Limit for the simulation's buffers, like 2GiB; default: half of what is available.",
)
@click.option(
    "--record",
    "record_to",
    type=click.Path(),
    help="Write every spike of every population (.npz: spikes/NAME, (n, steps, ...)).",
)
@click.option(
    "--journal",
    type=click.Path(),
    help="Note finished samples in this file: an interrupted run goes on where it was.",
)
@click.option("--record-membranes", is_flag=True, help="With --record: every membrane as well.")
@BIN
@JSON
def simulate(
    program: str,
    data: str,
    limit: int | None,
    model: str | None,
    task: str | None,
    output: str | None,
    threads: int | None,
    workers: str | None,
    memory: str | None,
    record_to: str | None,
    record_membranes: bool,
    bin: str | None,
    journal: str | None,
    as_json: bool,
) -> None:
    """Run samples through a program on the CPU, here or on the machines of a cluster."""
    from neurodeploy.files import check_output
    from neurodeploy.reporting.console import Progress, warn
    from neurodeploy.reporting.results import Reference, judged, show_result, write_outputs
    from neurodeploy.simulating import simulate as run

    for path in (output, record_to):
        if path is not None:
            check_output(path, program, data, model, journal)
    if journal is not None:
        check_output(journal, program, data, model)
    if record_membranes and record_to is None:
        raise click.UsageError("--record-membranes goes with --record")
    loaded, samples = _load(program, data, limit, bin)
    reference = None if model is None else Reference.compute(model, loaded, samples)
    with Progress().running() as progress:
        result = run(
            loaded,
            samples.x,
            threads=threads,
            workers=workers,
            memory=memory,
            task=task,
            journal=journal,
            progress=progress.counter("simulate", len(samples.x)),
            warn=warn,
        )
    result, labels = judged(result, samples.y)
    if output is not None:
        write_outputs(output, result)
    if record_to is not None:
        _record(loaded, samples.x, record_to, record_membranes, memory)
    show_result(loaded, result, labels, reference, as_json, checksum=True)


def _record(program: Any, x: Any, path: str, membranes: bool, memory: str | None) -> None:
    """Write spikes, and membranes where they are wanted, as an `.npz`."""
    from neurodeploy.files import write_arrays
    from neurodeploy.recording import record

    names = [p.name for p in program.populations] if membranes else []
    arrays: dict[str, Any] = dict(record(program, x, membranes=names, memory=memory).arrays())
    write_arrays(path, **arrays)


@click.command(
    epilog=examples(
        "neurodeploy deploy model.ndp --data test.npz --limit 3 --verify",
        "neurodeploy deploy model.ndp --data test.npz --verify --membranes --stock",
    )
)
@click.argument("program", type=click.Path())
@click.option("--data", required=True, type=click.Path(), help=".npz with x and, optionally, y.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Only the first so many samples.",
)
@click.option("--verify", is_flag=True, help="Compare every spike with the simulator.")
@click.option("--membranes", is_flag=True, help="With --verify: compare every membrane as well.")
@click.option(
    "--stock",
    is_flag=True,
    help="Lava's own models of its connections and neurons, not our fast ones.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds; default: by the size of the work.",
)
@TASK
@BIN
@JSON
def deploy(
    program: str,
    data: str,
    limit: int,
    verify: bool,
    membranes: bool,
    stock: bool,
    timeout: float | None,
    task: str | None,
    bin: str | None,
    as_json: bool,
) -> None:
    """Run samples on Intel's Lava runtime.

    Exit code 0, or 1 where --verify found a difference.
    """
    from neurodeploy.lava.deploy import deploy as run
    from neurodeploy.reporting.console import Progress, warn
    from neurodeploy.reporting.results import show_result

    loaded, samples = _load(program, data, limit, bin)
    with Progress().running() as progress:
        result = run(
            loaded,
            samples.x,
            verify=verify,
            membranes=membranes,
            stock=stock,
            timeout=timeout,
            task=task,
            progress=lambda done, total: progress.stage("lava", done, total),
            warn=warn,
        )
    show_result(loaded, result, samples.y, None, as_json)
    if result.first_mismatch is not None:
        raise SystemExit(1)
