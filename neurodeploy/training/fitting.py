"""The training loop: stochastic gradient descent with checkpoints that resume to the bit.

Feng et al. 2022 (arXiv 2210.06386) train with momentum 0.9, weight decay 1e-4, batches of 64, a
rate of 0.1 and cross-entropy on the mean over time steps; a one-cycle schedule gets there in fewer
epochs.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from neurodeploy.errors import DataError, UsageError
from neurodeploy.files import read_bytes, write_atomically
from neurodeploy.training.images import Images

__all__ = ["Recipe", "accuracy", "fit", "read_checkpoint"]

#: Called with the name of what is done, the work done and the work there is.
Progress = Callable[[str, int, int], None]
#: Images at a time where nothing is learnt.
_EVALUATED = 250


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes
    ----------
    rate
        Largest learning rate.
    schedule
        ``one-cycle`` (Smith & Topin 2018); ``steps``: the rate falls tenfold every 40 epochs, as in
        the paper.
    crop
        Pixels of zeros around an image, of which a random part of its size is taken.
    flip
        Whether half of the images are mirrored.
    """

    epochs: int = 12
    batch: int = 64
    rate: float = 0.1
    schedule: Literal["one-cycle", "steps"] = "one-cycle"
    weight_decay: float = 1e-4
    crop: int = 0
    flip: bool = True
    seed: int = 0


def fit(
    network: nn.Module,
    images: Images,
    recipe: Recipe,
    checkpoint: Path | None = None,
    *,
    about: dict[str, Any] | None = None,
    resume: bool = False,
    stop_after: int | None = None,
    tested: Literal["always", "last"] = "always",
    device: str = "cpu",
    progress: Progress = lambda *_: None,
    told: Callable[[dict[str, float]], None] = lambda _: None,
) -> list[dict[str, float]]:
    """Train a network in place.

    The order of the images and what is done to them come from a generator of `recipe.seed`, whose
    state is in the checkpoint: a run that was interrupted ends as one that was not, bit for bit, on
    the same machine and number of threads.

    Parameters
    ----------
    checkpoint
        Written after each epoch.
    about
        What the checkpoint should say of the network; a checkpoint that says something else is not
        resumed from.
    stop_after
        End after so many epochs of the recipe, in the middle of its schedule.
    tested
        Whether the accuracy is computed after each epoch, or after the last alone; NaN elsewhere.
    told
        Called after each epoch with `epoch`, `loss`, `accuracy` (percent of the images to test
        with) and `seconds`.

    Returns
    -------
    list
        What `told` was told, from the first epoch on.

    Raises
    ------
    DataError
        The checkpoint cannot be read.
    UsageError
        It is of another network or recipe.
    """
    network.to(device)
    optimiser = torch.optim.SGD(
        network.parameters(), recipe.rate, momentum=0.9, weight_decay=recipe.weight_decay
    )
    batches = -(-len(images.train_x) // recipe.batch)
    schedule: torch.optim.lr_scheduler.LRScheduler
    if recipe.schedule == "one-cycle":
        # torch would let the momentum fall to 0.85 where the rate is high; the paper's stays
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, recipe.rate, total_steps=recipe.epochs * batches, cycle_momentum=False
        )
    else:
        schedule = torch.optim.lr_scheduler.StepLR(optimiser, 40 * batches, 0.1)
    chance = torch.Generator().manual_seed(recipe.seed)
    history: list[dict[str, float]] = []
    made_of = {**(about or {}), "recipe": asdict(recipe), "images": len(images.train_x)}
    if resume and checkpoint is not None and checkpoint.exists():
        kept = read_checkpoint(checkpoint)
        if kept["about"] != made_of:
            raise UsageError(
                "is of another network or recipe",
                place=str(checkpoint),
                remedy="name another folder, leave out --resume, or give the same options",
            )
        network.load_state_dict(kept["network"])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        chance.set_state(kept["chance"])
        history = kept["history"]
    mixed = device.startswith("cuda")
    last = recipe.epochs if stop_after is None else min(stop_after, recipe.epochs)
    for epoch in range(len(history), last):
        begun, total = time.perf_counter(), 0.0
        network.train()
        for done, (x, y) in enumerate(_batches(images, recipe, chance)):
            with torch.autocast("cuda", torch.bfloat16, enabled=mixed):
                loss = nn.functional.cross_entropy(network(x.to(device)).float(), y.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
            progress(f"epoch {epoch + 1} of {recipe.epochs}", done + 1, batches)
        test = tested == "always" or epoch + 1 == last
        history.append(
            {
                "epoch": epoch + 1,
                "loss": total / batches,
                "accuracy": accuracy(network, images.test_x, images.test_y, device)
                if test
                else float("nan"),
                "seconds": time.perf_counter() - begun,
            }
        )
        told(history[-1])
        if checkpoint is not None:
            _write(
                checkpoint,
                {
                    "about": made_of,
                    "network": network.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "chance": chance.get_state(),
                    "history": history,
                },
            )
    network.eval()
    return history


@torch.no_grad()
def accuracy(network: nn.Module, x: np.ndarray, y: np.ndarray, device: str = "cpu") -> float:
    """Top-1 accuracy in percent on uint8 images."""
    network.eval()
    right = 0
    for begin in range(0, len(x), _EVALUATED):
        end = begin + _EVALUATED
        predicted = network(_real(torch.from_numpy(x[begin:end])).to(device)).argmax(1)
        right += int((predicted.cpu().numpy() == y[begin:end]).sum())
    return 100 * right / len(x)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of `fit`.

    Raises
    ------
    DataError
        It is none.
    """
    try:
        kept = torch.load(io.BytesIO(read_bytes(path)), map_location="cpu", weights_only=True)
        missing = {"about", "network", "optimiser", "schedule", "chance", "history"} - set(kept)
    except Exception as error:  # an unpickler on any file
        raise DataError(
            f"is no checkpoint: {str(error).splitlines()[0][:200]}", place=str(path)
        ) from error
    if missing:
        raise DataError(f"has no {sorted(missing)[0]!r}", place=str(path))
    found: dict[str, Any] = kept
    return found


def _write(path: Path, content: dict[str, Any]) -> None:
    stream = io.BytesIO()
    torch.save(content, stream)
    write_atomically(path, stream.getvalue())


def _real(x: Tensor) -> Tensor:
    """Pixels as the network takes them."""
    return x.float() / 255


def _batches(
    images: Images, recipe: Recipe, chance: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """All images once, in random order, cropped and mirrored at random."""
    order = torch.randperm(len(images.train_x), generator=chance)
    for pick in order.split(recipe.batch):
        index = pick.numpy()
        x = torch.from_numpy(images.train_x[index])
        if recipe.crop:
            x = _cropped(x, recipe.crop, chance)
        if recipe.flip:
            mirrored = torch.rand(len(x), generator=chance) < 0.5
            x = torch.where(mirrored[:, None, None, None], x.flip(-1), x)
        yield _real(x), torch.from_numpy(images.train_y[index])


def _cropped(x: Tensor, by: int, chance: torch.Generator) -> Tensor:
    """Each image moved by up to so many pixels, zeros where it left."""
    rows, columns = x.shape[-2:]
    wide = nn.functional.pad(x, (by, by, by, by))
    top, left = torch.randint(0, 2 * by + 1, (2, len(x)), generator=chance)
    parts = [
        image[:, i : i + rows, j : j + columns]
        for image, i, j in zip(wide, top.tolist(), left.tolist(), strict=True)
    ]
    return torch.stack(parts)
