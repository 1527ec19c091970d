"""`python -m neurodeploy.training fostdgd`."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["command"]

_NUMBER_ABOVE_0 = click.FloatRange(min=0, min_open=True)


@click.command("fostdgd")
@click.option(
    "--data", required=True, type=click.Path(), help=".npz with x and y, or with events, to train."
)
@click.option("--test", type=click.Path(), help="The same, to evaluate on.")
@click.option(
    "--layers", required=True, help="784-300-10, or 2x34x34-8c5s2-100-10 with convolutions."
)
@click.option("-o", "--output", required=True, type=click.Path(), help="The .nir or .onnx file.")
@click.option(
    "--input",
    "encoding",
    type=click.Choice(["current", "deterministic", "poisson", "events"]),
    default="current",
    show_default=True,
    help="How samples come in.",
)
@click.option("--steps", default=20, show_default=True, help="Time steps a sample lasts.")
@click.option("--bin", "bin_", metavar="TIME", help="Time of a step, for raw events: 10ms.")
@click.option("--scale", type=_NUMBER_ABOVE_0, help="Factor on integer samples; default: 1/255.")
@click.option("--order", default=1.9, show_default=True, help="Alpha, inside (0, 2).")
@click.option("--lr", type=_NUMBER_ABOVE_0, default=1e-3, show_default=True, help="Learning rate.")
@click.option("--eps", type=_NUMBER_ABOVE_0, default=1e-3, show_default=True, help="Of the order.")
@click.option("--max-step", type=_NUMBER_ABOVE_0, help="Largest step of a weight.")
@click.option("--delayed", is_flag=True, help="The gradient of the step before.")
@click.option(
    "--form", type=click.Choice(["literal", "stationary"]), default="literal", show_default=True
)
@click.option(
    "--schedule",
    type=click.Choice(["constant", "cosine"]),
    default="cosine",
    show_default=True,
    help="Of the learning rate.",
)
@click.option(
    "--reset",
    type=click.Choice(["zero", "subtract"]),
    default="zero",
    show_default=True,
    help="What a spike does.",
)
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=100, show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Only the first so many samples of --data.")
@click.option("--gain", type=_NUMBER_ABOVE_0, default=1.0, show_default=True, help="Of the start.")
@click.option("--seed", type=click.IntRange(0, 2**40), default=0, show_default=True)
@click.option("--checkpoint", type=click.Path(), help="Written behind each epoch.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, where it is there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    data: str,
    test: str | None,
    output: str,
    encoding: Any,
    steps: int,
    bin_: str | None,
    scale: float | None,
    limit: int | None,
    checkpoint: str | None,
    resume: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Integrate-and-fire networks by fractional-order spike-timing-dependent gradient descent.

    docs/fostdgd.md has the equations, and the control that belongs beside every order.
    """
    import sys
    from functools import partial
    from pathlib import Path

    from neurodeploy.errors import UsageError
    from neurodeploy.event_samples import microseconds
    from neurodeploy.files import check_output
    from neurodeploy.reporting.console import Progress, print_json, say, warn
    from neurodeploy.training.fostdgd.fitting import Settings, fit
    from neurodeploy.training.fostdgd.inputs import read_training_samples
    from neurodeploy.training.fostdgd.network import IntegrateAndFireNetwork
    from neurodeploy.training.fostdgd.spiking_nir import save_nir
    from neurodeploy.training.fostdgd.spiking_onnx import save_onnx
    from neurodeploy.training.fractional_sgd import FractionalSGD, equivalent_factor

    check_output(output, data, test)
    save = {".nir": save_nir, ".onnx": save_onnx}.get(Path(output).suffix.lower())
    if save is None:
        raise UsageError("ends with neither .nir nor .onnx", place=output)
    if checkpoint is not None:
        check_output(checkpoint, data, test, output)
    elif resume:
        raise UsageError("nothing to go on from", place="--resume", remedy="give --checkpoint")
    asked = Settings(**settings)
    trial = IntegrateAndFireNetwork(asked.layers)
    FractionalSGD(trial.parameters(), asked.lr, asked.order)
    read = partial(
        read_training_samples,
        shape=trial.input_shape,
        classes=trial.synapses[-1].shape[0],
        encoding=encoding,
        steps=steps,
        bin_us=None if bin_ is None else microseconds("--bin", bin_),
        scale=1 / 255 if scale is None else scale,
        warn=warn,
    )
    samples = read(data, limit=limit)
    held = None if test is None else read(test)
    with Progress().running() as bars:
        fitted = fit(
            asked,
            samples,
            held,
            checkpoint=checkpoint,
            resume=resume,
            progress=lambda done, total: bars.stage("train", done, total),
            said=lambda line: print(line, file=sys.stderr),
        )
    save(fitted.network, output)
    factor = equivalent_factor(asked.order, asked.eps)
    if as_json:
        print_json(
            {
                "output": output,
                "samples": len(samples),
                "losses": fitted.losses,
                "accuracies": fitted.accuracies,
                "cpu_seconds": fitted.cpu_seconds,
                "equivalent_lr": asked.lr * factor,
            }
        )
        return
    reached = f", {fitted.accuracies[-1]:.2f} % of {len(held)} test samples" if held else ""
    say(f"{output}: {asked.layers}, {len(samples):,} samples{reached}")
    if asked.order != 1 and asked.form == "literal":
        say(
            f"control: --order 1 --lr {asked.lr * factor:.4g} takes the same steps while they are "
            f"far below eps = {asked.eps:g}"
        )
