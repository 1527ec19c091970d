"""Samples as what comes in at each step: a constant current, spikes made of it, or events."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from neurodeploy.errors import DataError, UsageError, shown
from neurodeploy.event_samples import RawEvents, binned, raster, read_events, within
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.samples import load_samples
from neurodeploy.warning import Warn

__all__ = ["Encoding", "TrainingSamples", "read_training_samples", "spikes_of_rates"]

Encoding = Literal["current", "deterministic", "poisson", "events"]


@dataclass(frozen=True, eq=False)
class TrainingSamples:
    """Samples with labels, and how they come in.

    Attributes
    ----------
    x
        (n, *shape); with the encoding ``events`` uint8 (n, steps, *shape).
    labels
        int64 (n,).
    encoding
        ``current``: x at every step. ``deterministic``: evenly paced spikes, as the encoder of a
        program sends them. ``poisson``: a spike at each step with probability x. ``events``: spikes
        as recorded.
    steps
        Steps of a sample.
    scale
        Factor on x of an integer dtype.
    """

    x: np.ndarray
    labels: np.ndarray
    encoding: Encoding
    steps: int
    scale: float = 1 / 255

    def __len__(self) -> int:
        return len(self.x)

    def batch(
        self, index: np.ndarray, random: torch.Generator
    ) -> tuple[torch.Tensor, int | None, torch.Tensor]:
        """Some samples as `IntegrateAndFireNetwork` takes them, its `steps`, and their labels."""
        labels = torch.from_numpy(self.labels[index])
        rows = torch.from_numpy(self.x[index])
        if self.encoding == "events":
            return rows.transpose(0, 1), None, labels
        if not rows.is_floating_point():
            rows = rows.to(torch.float32) * self.scale
        if self.encoding == "current":
            return rows, self.steps, labels
        if self.encoding == "deterministic":
            return spikes_of_rates(rows, self.steps), None, labels
        drawn = torch.rand((self.steps, *rows.shape), generator=random, dtype=torch.float32)
        return (drawn < rows).to(torch.uint8), None, labels


def spikes_of_rates(rates: torch.Tensor, steps: int) -> torch.Tensor:
    """Evenly paced spikes, uint8 (steps, *rates.shape): those of the encoder ``deterministic``.

    The n-th spike comes as soon as the accumulated rate reaches n - 1/2.
    """
    level = (rates.to(torch.float64) * PROBABILITY_ONE).round().to(torch.int32)
    count = torch.full_like(level, PROBABILITY_ONE // 2)
    found = torch.empty((steps, *rates.shape), dtype=torch.uint8)
    for spikes in found:
        count += level
        torch.ge(count, PROBABILITY_ONE, out=spikes)
        count &= PROBABILITY_ONE - 1
    return found


def read_training_samples(
    path: str | Path,
    shape: tuple[int, ...],
    classes: int,
    encoding: Encoding,
    steps: int,
    bin_us: float | None = None,
    limit: int | None = None,
    scale: float = 1 / 255,
    warn: Warn | None = None,
) -> TrainingSamples:
    """The samples of a file.

    Parameters
    ----------
    path
        ``.npz`` with x (n, ...) and y, or events as `docs/spiking-networks.md` lists them.
    shape
        What the network reads; samples of as many numbers in another shape are read flat.
    classes
        Of the network.
    bin_us
        Microseconds a step, for raw events.
    limit
        Only the first so many.
    warn
        Told of events that are lost.

    Raises
    ------
    DataError, UsageError
    """
    place = str(path)
    if encoding not in get_args(Encoding):
        raise UsageError(
            f"{shown(encoding)} is none of {', '.join(get_args(Encoding))}", place="--input"
        )
    if encoding == "events":
        x, y = _events(path, shape, steps, bin_us, limit, warn)
    else:
        samples = load_samples(path).limit(limit)
        x, y = samples.x, samples.y
        if x.dtype.kind not in "biuf" or prod(x.shape[1:]) != prod(shape) or not len(x):
            raise DataError(
                f"x is {x.dtype} {x.shape}, not numbers (n, {', '.join(map(str, shape))})",
                place=place,
            )
        if x.dtype.kind == "f":
            x = x.astype(np.float32)
        factor = 1.0 if x.dtype.kind == "f" else scale
        low, high = float(x.min()) * factor, float(x.max()) * factor
        if encoding != "current" and not 0 <= low <= high <= 1 + 1e-6:
            raise DataError(
                f"x is {low:g}..{high:g}, and a rate lies in 0..1",
                place=place,
                remedy="scale the samples (--scale), or use --input current",
            )
        x = np.array(x).reshape(len(x), *shape)
    if y is None or y.shape != (len(x),) or y.dtype.kind not in "iu":
        told = "no labels" if y is None else f"labels {y.dtype} {y.shape}"
        raise DataError(f"{told} for {len(x)} samples", place=place, remedy="give classes 0, 1 ...")
    labels = y.astype(np.int64)
    if labels.min() < 0 or labels.max() >= classes:
        raise DataError(
            f"labels run from {labels.min()} to {labels.max()}, the network has {classes} classes",
            place=place,
        )
    return TrainingSamples(x, labels, encoding, steps, scale)


def _events(
    path: str | Path,
    shape: tuple[int, ...],
    steps: int,
    bin_us: float | None,
    limit: int | None,
    warn: Warn | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rasters uint8 (n, steps, *shape) of a file of events, and labels."""
    events = read_events(path, limit)
    if events is None:
        raise DataError("holds no events", place=str(path), remedy="see docs/spiking-networks.md")
    if isinstance(events, RawEvents):
        if bin_us is None:
            raise UsageError("raw events, and nobody said how long a step is", place="--bin")
        sensor = shape if len(shape) == 3 else _sensor(events, shape)
        events = binned(events, (sensor[0], sensor[1], sensor[2]), bin_us, str(path))
    if int(events.input.max(initial=0)) >= prod(shape):
        raise DataError(f"input {events.input.max()} of {prod(shape)}", place=str(path))
    events, line = within(events, steps)
    if line and warn is not None:
        warn(line)
    return raster(events, steps, prod(shape), False).reshape(-1, steps, *shape), events.label


def _sensor(events: RawEvents, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The square sensor of two polarities that has so many inputs."""
    side = round((prod(shape) / 2) ** 0.5)
    if 2 * side**2 != prod(shape):
        raise UsageError(
            f"{prod(shape)} inputs are no square sensor of two polarities",
            place="--layers",
            remedy="state the sensor as the input: 2x34x34-...",
        )
    return 2, side, side
