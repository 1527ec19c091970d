"""`python -m neurodeploy.training reconstruct`: sequences in, a certified program out."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["command"]


@click.command("reconstruct")
@click.argument("samples", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The .ndp to write.")
@click.option("--test", type=click.Path(), help=".npz of samples that are not trained on.")
@click.option(
    "--dictionary",
    type=click.Choice(["grid", "gaussian"]),
    default="grid",
    show_default=True,
    help="Recurrent branches of small integers, or LIF branches of Gaussian weights.",
)
@click.option("--units", type=click.IntRange(1), default=3, show_default=True, help="Of a branch.")
@click.option("--thetas", default="0.5", show_default=True, help="Thresholds that are drawn from.")
@click.option("--betas", default="0", show_default=True, help="Shares of the membrane kept.")
@click.option(
    "--feature",
    type=click.Choice(["last", "trace"]),
    default="last",
    show_default=True,
    help="What is read of a unit: its last step, or a leaky sum of its spikes.",
)
@click.option(
    "--trace-beta", type=click.FloatRange(0, 1), default=1.0, help="Share of the sum kept."
)
@click.option(
    "--loss",
    type=click.Choice(["cross-entropy", "logistic", "squared"]),
    default="cross-entropy",
    show_default=True,
)
@click.option("--rho", default=0.003, show_default=True, help="Weight of the regulariser.")
@click.option("--group", is_flag=True, help="Group LASSO: a unit serves all classes or none.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Of drawing.")
@click.option(
    "--candidates", type=click.IntRange(1), default=6000, show_default=True, help="A round."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--target", default="loihi2", show_default=True, help="loihi2, or a .toml.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    samples: str,
    output: str,
    test: str | None,
    thetas: str,
    betas: str,
    seed: int,
    target: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Parameter reconstruction: a threshold network by convex optimisation (Udupi et al. 2026).

    SAMPLES is an .npz of x (n, T, inputs), integers, and y (n,) or (n, T), classes. The trained
    network is compiled as it is and written as a program.
    """
    import numpy as np

    from neurodeploy.cli.options import numbers
    from neurodeploy.errors import DataError
    from neurodeploy.files import check_output
    from neurodeploy.reporting.console import Progress, print_json, say, table, warn
    from neurodeploy.samples import load_samples
    from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
    from neurodeploy.training.reconstruction.compiling import (
        certificate,
        compiled,
        program_score,
    )

    check_output(output, samples, test)
    data = {"training": load_samples(samples)}
    if test is not None:
        data["test"] = load_samples(test)
    for part, held in data.items():
        place = str(samples if part == "training" else test)
        if held.y is None:
            raise DataError("no labels y", place=place)
        if held.x.dtype.kind not in "bui":
            raise DataError(
                f"x of {held.x.dtype}: a program's sequences are integers",
                place=place,
                remedy="round them to a grid, like (x * 255).astype(numpy.uint8)",
            )
    model = ThresholdNetworkClassifier(
        betas=numbers(betas, "--betas"), thetas=numbers(thetas, "--thetas"), random_state=seed,
        **options,
    )  # fmt: skip
    with Progress().running() as progress:
        model.fit(
            data["training"].x,
            data["training"].y,
            progress=lambda done, total: progress.stage("reconstruct", done, total),
        )
    program = compiled(model, data["training"].x, target=target, warn=warn)
    program.save(output)
    result = model.result_
    scores = {}
    for part, held in data.items():
        assert held.y is not None
        scores[part] = {
            "network": model.score(held.x, held.y),
            "program": program_score(model, program, held.x, np.asarray(held.y), warn),
        }
    record = {"output": output, "accuracy": scores} | certificate(model, program)
    if as_json:
        print_json(record)
        return
    rows = [[part, 100 * one["network"], 100 * one["program"]] for part, one in scores.items()]
    table("accuracy (%)", ["samples", "network", "program"], rows)
    say(
        f"{output}: {record['active_units']} active units, {record['neurons']} neurons; objective "
        f"{result.objective:.4g}, at most {result.gap:.2g} above the optimum over its dictionary; "
        f"of {result.certified:,} fresh branches the best violates optimality by a factor of "
        f"{result.violation:.3g}"
    )
