"""The command `explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import DATA, JSON, MODEL, TASK, THREADS, limit_option, program_samples

if TYPE_CHECKING:
    from neurodeploy.ledger import Explanation
    from neurodeploy.ledger.spiking import SpikingExplanation

__all__ = ["explain"]


@click.command(
    epilog=examples(
        "neurodeploy explain model.ndp --data test.npz",
        "neurodeploy explain model.ndp --data test.npz --model model.onnx --try-seconds 0",
    ),
)
@click.argument("program", type=click.Path())
@DATA
@MODEL
@TASK
@limit_option(256)  # enough of most networks, in seconds
@click.option(
    "--try-seconds",
    type=click.FloatRange(0),
    default=20,
    show_default=True,
    help="How long advice may be tried; 0: it is given untried.",
)
@THREADS
@JSON
def explain(
    program: str,
    data: str,
    model: str | None,
    task: str | None,
    limit: int,
    try_seconds: float,
    threads: int | None,
    as_json: bool,
) -> None:
    """Say which layer of a program loses what, and which to blame first (docs/explain.md)."""
    from neurodeploy.explaining import explain as run
    from neurodeploy.ledger.spiking import SpikingExplanation
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.console import Progress, print_json, warn

    loaded = load(program)
    samples = program_samples(loaded, data, limit)
    with Progress().running() as progress:
        found = run(
            loaded,
            samples.x,
            samples.y,
            model=model,
            near=Path(program).parent,
            task=task,
            threads=threads,
            try_seconds=try_seconds,
            progress=progress.stage,
            warn=warn,
        )
    if as_json:
        print_json(found.to_dict())
    elif isinstance(found, SpikingExplanation):
        _show_spiking(program, found)
    else:
        _show(program, found)


def _show(program: str, found: Explanation) -> None:
    """Two tables, the outputs from stage to stage, and the blame."""
    from neurodeploy.ledger.report import CAUSES
    from neurodeploy.reporting.console import say, table
    from neurodeploy.reporting.results import with_interval

    # relays repeat what their source says
    rows = [row for row in found.rows if row.kind != "relay"]
    causes = [cause for cause in CAUSES if any(row.alone[cause] for row in rows)]
    table(
        f"{program}: error against the ANN (%), {found.samples:,} samples",
        ("layer", *causes, "| clips only", "+ steps", "+ weights", "as run", "| at the output"),
        [
            (
                row.name,
                *(_percent(row.alone[cause]) for cause in causes),
                *(_percent(e) for e in (row.clipped, row.stepped, row.weighed, row.real)),
                _percent(row.at_output),
            )
            for row in rows
        ],
    )
    table(
        "activity (%)",
        ("layer", "lambda", "ANN's peak", "above", "saturated", "silent", "lost", "dead", "mean"),
        [
            (
                row.name,
                row.level,
                row.peak,
                *(
                    _percent(share)
                    for share in (
                        row.above, row.saturated, row.silent, row.lost, row.dead, row.rate
                    )
                ),
            )
            for row in rows
            if row.level
        ],
    )  # fmt: skip
    for row in rows:
        if row.wrapped or row.clipped_membranes:
            say(
                f"{row.name}: {row.wrapped:,} currents wrapped, "
                f"{row.clipped_membranes:,} membranes clipped"
            )
    counts = [(row.unsettled, row.neurons) for row in found.rows if row.unsettled is not None]
    if counts:
        wrong, settling = (sum(column) for column in zip(*counts, strict=True))
        say(f"neurons that had not settled: {wrong:,} of {settling * found.samples:,}")
    last = found.summary[-1].scores
    columns = [(key, title) for key, title in _SCORES if key in last]
    table(
        f"output, as {found.task} ({found.task_reason}), n = {found.samples:,}",
        ("", *(title for _, title in columns), "error (%)"),
        [
            (stage.stage, *(stage.scores[key] for key, _ in columns), _percent(stage.error))
            for stage in found.summary
        ],
    )
    if found.summary[0].agreement is not None:
        chain = (f"{stage.stage} {stage.agreement:.1f}" for stage in found.summary)
        say(f"agreement (%): {' -> '.join(chain)}")
    for key, name in (("accuracy", "accuracy"), ("agreement", "agreement with the ANN")):
        interval = last.get(f"{key}_interval")
        if interval is not None:
            say(f"{name} of the program: {with_interval(last[key], interval, found.samples)}")
    if found.verdict:
        say(found.verdict)
    say(found.blame.sentence)


def _show_spiking(program: str, found: SpikingExplanation) -> None:
    """A row a layer: spikes, how many are at the same step, and what was rounded."""
    from neurodeploy.reporting.console import say, table

    def percent(share: float | None) -> float | str:
        return "" if share is None else round(100 * share, 3)

    table(
        f"{program}: the network's float steps and the program, {found.samples:,} samples",
        ("layer", "neurons", "spikes a sample", "program", "same (%)", "kept (%)", "own (%)",
         "membrane", "weights", "threshold", "leak"),
        [
            (
                row.name, row.neurons, round(row.network, 1), round(row.program, 1),
                percent(row.same), percent(row.kept), percent(row.own), percent(row.membrane),
                percent(row.weights), percent(row.threshold), percent(row.leak),
            )
            for row in found.rows
        ],
    )  # fmt: skip
    say("own: same, where the layer is given the network's spikes; the last four are errors in %")
    if found.accuracy is not None:
        network, ours = (100 * a for a in found.accuracy)
        say(f"accuracy: network {network:.1f} %, program {ours:.1f} %")
    say(f"same largest output: {100 * found.agreement:.1f} %")
    say(found.sentence)


def _percent(share: float) -> float:
    return round(100 * share, 2)


#: What is shown of the outputs, where the task has it.
_SCORES = (
    ("accuracy", "accuracy (%)"),
    ("top5_accuracy", "top-5 accuracy (%)"),
    ("mean_iou", "mean IoU (%)"),
    ("rms_error", "RMS error"),
    ("max_error", "largest error"),
    ("r2", "R2"),
    ("agreement", "agreement (%)"),
    ("agreement_mean_iou", "mean IoU with the ANN (%)"),
    ("rms_difference", "RMS from the ANN"),
    ("max_difference", "largest from the ANN"),
)
