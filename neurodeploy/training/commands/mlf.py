"""`python -m neurodeploy.training mlf`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from neurodeploy.cli.options import JSON
from neurodeploy.errors import UsageError

__all__ = ["command"]


@click.command("mlf")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of images.")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder that is written to."
)
@click.option(
    "--network",
    type=click.Choice(["small", "tiny", "cifar10"]),
    default="small",
    show_default=True,
    help="Widths, depth and channels; `cifar10` are the paper's.",
)
@click.option("--depth", type=click.IntRange(8), help="6 n + 2 layers, in place of the network's.")
@click.option("--kind", type=click.Choice(["ds", "plain"]), default="ds", show_default=True)
@click.option("--levels", type=click.IntRange(1, 8), default=3, show_default=True, help="K.")
@click.option("--steps", type=click.IntRange(1, 64), default=4, show_default=True, help="T.")
@click.option("--stem-stride", type=click.IntRange(1, 4), default=1, show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=12, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option("--rate", type=float, default=0.1, show_default=True, help="Largest learning rate.")
@click.option(
    "--schedule",
    type=click.Choice(["one-cycle", "steps"]),
    default="one-cycle",
    show_default=True,
    help="`steps`: tenfold less every 40 epochs.",
)
@click.option("--crop", type=click.IntRange(0), default=0, show_default=True, help="Pixels.")
@click.option("--flip/--no-flip", default=True, show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Train with the first so many images only.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on where the folder's checkpoint ends.")
@click.option("--stop-after", type=click.IntRange(1), help="End after so many of the epochs.")
@click.option(
    "--begin-with",
    type=click.Path(path_type=Path),
    help="A checkpoint whose weights the network begins with, in place of random ones.",
)
@click.option("--nir", "as_nir", is_flag=True, help="Write model.nir, too (needs the extra nir).")
@click.option("--device", help="Default: an accelerator where there is one.")
@click.option("--threads", type=click.IntRange(1), help="Default: torch's own.")
@JSON
def command(
    data: Path,
    out: Path,
    network: str,
    depth: int | None,
    kind: str,
    levels: int,
    steps: int,
    stem_stride: int,
    limit: int | None,
    resume: bool,
    stop_after: int | None,
    begin_with: Path | None,
    as_nir: bool,
    device: str | None,
    threads: int | None,
    as_json: bool,
    **recipe: Any,
) -> None:
    """Multi-level firing in a spiking ResNet (Feng et al. 2022); writes checkpoint.pt and
    model.onnx."""
    import torch

    from neurodeploy.reporting.console import Progress, print_json, say
    from neurodeploy.training.fitting import Recipe, fit, read_checkpoint
    from neurodeploy.training.images import read_images
    from neurodeploy.training.spiking_nir import save_nir
    from neurodeploy.training.spiking_onnx import export
    from neurodeploy.training.spiking_resnet import SpikingResNet, preset

    images = read_images(data).limited(limit)
    changes: dict[str, Any] = {"kind": kind, "levels": levels, "stem_stride": stem_stride}
    changes |= {} if depth is None else {"depth": depth}
    design = preset(network, **changes, channels=images.train_x.shape[1])
    if threads:
        torch.set_num_threads(threads)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe["seed"])
    made = SpikingResNet(design, steps)
    about: dict[str, Any] = {"design": design.as_dict(), "steps": steps}
    if begin_with is not None:
        kept = read_checkpoint(begin_with)
        if {key: kept["about"].get(key) for key in about} != about:
            raise UsageError("is of another network", place=f"--begin-with {begin_with}")
        made.load_state_dict(kept["network"])
        about["begun_with"] = kept["about"] | {"epochs": len(kept["history"])}
    out.mkdir(parents=True, exist_ok=True)
    bars = Progress()

    def told(epoch: dict[str, float]) -> None:
        line = "epoch {epoch:.0f}: loss {loss:.4f}, test {accuracy:.2f} %, {seconds:.0f} s"
        sys.stderr.write(line.format(**epoch) + "\n")
        sys.stderr.flush()

    with bars.running():
        history = fit(
            made,
            images,
            Recipe(**recipe),
            out / "checkpoint.pt",
            about=about,
            resume=resume,
            stop_after=stop_after,
            device=device,
            progress=bars.stage,
            told=told,
        )
    export(made.cpu(), images.train_x.shape[1:], out / "model.onnx")
    if as_nir:
        save_nir(made, images.train_x.shape[1:], out / "model.nir")
    found = {
        "parameters": sum(p.numel() for p in made.parameters()),
        "accuracy": history[-1]["accuracy"],
        "seconds": sum(epoch["seconds"] for epoch in history),
        "history": history,
        "model": str(out / "model.onnx"),
    }
    if as_json:
        print_json(found)
    else:
        say(
            f"{found['parameters']:,} parameters, {history[-1]['accuracy']:.2f} % of "
            f"{len(images.test_y):,} test images, {found['seconds']:.0f} s: {found['model']}"
        )
