"""Training of integrate-and-fire networks: epochs, learning rate, checkpoints, accuracy.

What is random depends on the seed and the epoch alone, so a run that is resumed is the run.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.nn import functional

from neurodeploy.errors import DataError, UsageError
from neurodeploy.files import read_bytes, write_atomically
from neurodeploy.training.fostdgd.inputs import TrainingSamples
from neurodeploy.training.fostdgd.integrate_and_fire import Reset
from neurodeploy.training.fostdgd.network import IntegrateAndFireNetwork
from neurodeploy.training.fractional_sgd import Form, FractionalSGD

__all__ = ["Fitted", "Settings", "accuracy", "fit"]

#: The read-out times this are the logits of the cross-entropy.
LOGIT_SCALE = 10.0
#: Samples that are evaluated together.
_BATCH = 500
#: Largest checkpoint that is read.
_LARGEST = 2**33


@dataclass(frozen=True)
class Settings:
    """What a run is made of, besides its samples.

    Attributes
    ----------
    layers, reset, gain
        Of the network.
    order, lr, eps, max_step, delayed, form
        Of `FractionalSGD`.
    schedule
        ``constant``, or a learning rate that falls to 0 as half a ``cosine``.
    epochs, batch, seed
        Passes over the samples, samples of a step, and what all that is random depends on.
    """

    layers: str
    order: float = 1.9
    lr: float = 1e-3
    reset: Reset = "zero"
    eps: float = 1e-3
    max_step: float | None = None
    delayed: bool = False
    form: Form = "literal"
    schedule: Literal["constant", "cosine"] = "cosine"
    epochs: int = 8
    batch: int = 100
    gain: float = 1.0
    seed: int = 0


@dataclass
class Fitted:
    """A trained network and how it came to be.

    Attributes
    ----------
    losses, accuracies
        Mean loss of each epoch; accuracy in percent on the test samples behind each, where there
        are some.
    cpu_seconds
        Of training and evaluation, all threads together.
    """

    network: IntegrateAndFireNetwork
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


def fit(
    settings: Settings,
    samples: TrainingSamples,
    test: TrainingSamples | None = None,
    *,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    evaluate: Literal["every", "last"] = "every",
    progress: Callable[[int, int], None] = lambda done, total: None,
    said: Callable[[str], None] = lambda line: None,
) -> Fitted:
    """Train a network.

    Parameters
    ----------
    test
        Samples to evaluate on.
    checkpoint
        File that is written behind each epoch.
    resume
        Go on from `checkpoint`, where it is there.
    evaluate
        On the test samples behind ``every`` epoch, or the ``last``.
    progress
        Called with the batches done and all there are.
    said
        Called with a line an epoch.

    Raises
    ------
    UsageError
        Options outside their range; a loss that is not finite; a checkpoint of other settings.
    DataError
        Fewer samples than a batch has; a checkpoint that cannot be read.
    """
    for name in ("epochs", "batch"):
        if getattr(settings, name) < 1:
            raise UsageError(f"{getattr(settings, name)} is below 1", place=name)
    if len(samples) < settings.batch:
        raise DataError(f"{len(samples)} samples, and a batch has {settings.batch}")
    network = IntegrateAndFireNetwork(
        settings.layers, reset=settings.reset, gain=settings.gain, seed=settings.seed
    )
    optimizer = FractionalSGD(
        network.parameters(), settings.lr, settings.order, settings.eps, settings.max_step,
        settings.delayed, settings.form,
    )  # fmt: skip
    fitted = Fitted(network)
    if resume and checkpoint is not None and Path(checkpoint).exists():
        _restore(Path(checkpoint), settings, fitted, optimizer)
    batches = len(samples) // settings.batch
    total = settings.epochs * batches
    for epoch in range(len(fitted.losses), settings.epochs):
        cpu, clock = time.process_time(), time.perf_counter()
        loss = _epoch(settings, samples, network, optimizer, epoch, total, progress)
        line = f"epoch {epoch + 1}/{settings.epochs}: loss {loss:.4f}"
        if test is not None and (evaluate == "every" or epoch + 1 == settings.epochs):
            fitted.accuracies.append(accuracy(network, test))
            line += f", {fitted.accuracies[-1]:.2f} % of the test samples"
        fitted.losses.append(loss)
        fitted.cpu_seconds += time.process_time() - cpu
        said(f"{line}, {time.perf_counter() - clock:.1f} s")
        if checkpoint is not None:
            _store(Path(checkpoint), settings, fitted, optimizer)
    return fitted


def _epoch(
    settings: Settings,
    samples: TrainingSamples,
    network: IntegrateAndFireNetwork,
    optimizer: FractionalSGD,
    epoch: int,
    total: int,
    progress: Callable[[int, int], None],
) -> float:
    """One pass over the samples in a random order; what is left of the last batch is left out."""
    order = np.random.default_rng([settings.seed, epoch]).permutation(len(samples))
    random = torch.Generator().manual_seed(settings.seed * 2**20 + epoch)
    size, sum_of_losses = settings.batch, 0.0
    batches = len(samples) // size
    for k in range(batches):
        done = epoch * batches + k
        if settings.schedule == "cosine":
            for group in optimizer.param_groups:
                group["lr"] = settings.lr * (0.5 + 0.5 * math.cos(math.pi * done / total))
        x, steps, labels = samples.batch(order[k * size : (k + 1) * size], random)
        loss = functional.cross_entropy(LOGIT_SCALE * network(x, steps), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sum_of_losses += loss.item()
        if not math.isfinite(sum_of_losses):
            raise UsageError(
                f"the loss is not finite behind step {done + 1} of {total}",
                place="lr",
                remedy="use a smaller learning rate, a larger eps, or max_step",
            )
        progress(done + 1, total)
    return sum_of_losses / batches


@torch.no_grad()
def accuracy(network: IntegrateAndFireNetwork, samples: TrainingSamples, seed: int = 999) -> float:
    """Share of the samples whose class has the largest read-out, in percent."""
    random = torch.Generator().manual_seed(seed)
    right = 0
    for begin in range(0, len(samples), _BATCH):
        index = np.arange(begin, min(begin + _BATCH, len(samples)))
        x, steps, labels = samples.batch(index, random)
        right += int((network(x, steps).argmax(1) == labels).sum())
    return 100 * right / len(samples)


def _store(path: Path, settings: Settings, fitted: Fitted, optimizer: FractionalSGD) -> None:
    stream = io.BytesIO()
    torch.save(
        {
            "settings": asdict(settings),
            "losses": fitted.losses,
            "accuracies": fitted.accuracies,
            "cpu_seconds": fitted.cpu_seconds,
            "network": fitted.network.state_dict(),
            "optimizer": optimizer.state_dict(),
        },
        stream,
    )
    write_atomically(path, stream.getvalue())


def _restore(path: Path, settings: Settings, fitted: Fitted, optimizer: FractionalSGD) -> None:
    content = read_bytes(path, _LARGEST)
    try:
        held: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
        theirs = held["settings"]
        ours = asdict(settings)
        changed = sorted(name for name in ours if ours[name] != theirs[name])
        if not changed:
            fitted.network.load_state_dict(held["network"])
            optimizer.load_state_dict(held["optimizer"])
            fitted.losses, fitted.accuracies = list(held["losses"]), list(held["accuracies"])
            fitted.cpu_seconds = float(held["cpu_seconds"])
    except Exception as error:  # torch and pickle tell damage as errors of many types
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f"is no checkpoint of this training ({told})", place=str(path)) from None
    if changed:
        raise UsageError(
            f"was made with other settings: {', '.join(changed)}",
            place=str(path),
            remedy="give the same options, or another --checkpoint",
        )
