"""Multi-layer networks of integrate-and-fire neurons with the spike-timing-dependent gradient.

The gradient needs no back-propagation through time: the error of the read-out goes back layer by
layer, weighted at each step by the slope of the rate of the interval that holds the step.

    v = mean_t W_L s(t)                        the read-out never fires
    e = dLoss/dv
    dW_L = e^T mean_t s_{L-1}(t)
    d_{L-1}(t) = (e W_L) * slope_{L-1}(t) / T
    dW_l = sum_t d_l(t)^T s_{l-1}(t)
    d_{l-1}(t) = (d_l(t) W_l) * slope_{l-1}(t)

Steps are taken in blocks, forwards and backwards, so memory in T is what the spikes take: one byte
a neuron, sample and step (two from 256 steps on), and nothing for the input where it is constant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import torch
from torch import nn

from neurodeploy.errors import DataError, UsageError, shown
from neurodeploy.training.fostdgd.firing_rate import SlopesBackwards
from neurodeploy.training.fostdgd.integrate_and_fire import Population, Reset, interval_type
from neurodeploy.training.fostdgd.synapses import Synapses, layers_of

__all__ = ["BLOCK", "IntegrateAndFireNetwork"]

#: Steps that are computed together: products of matrices are then large enough to be fast.
BLOCK = 32


@dataclass(frozen=True, eq=False)
class _Activity:
    """What a layer did: intervals (steps, batch, *shape) of all steps, and its state at the end."""

    intervals: torch.Tensor
    population: Population


@dataclass(frozen=True, eq=False)
class _Run:
    """The mean of what the read-out reads, and what each layer did where that is kept.

    Not the read-out itself: its graph holds this, and a circle would be freed late.
    """

    arrived: torch.Tensor
    activities: list[_Activity]


class IntegrateAndFireNetwork(nn.Module):
    """Layers of integrate-and-fire neurons without bias, and a read-out that never fires.

    Parameters
    ----------
    layers
        As `layers_of` takes it: ``784-300-10``.
    threshold
        Of all neurons, above 0.
    reset
        What a spike does: set the membrane to ``zero``, or ``subtract`` the threshold.
    gain
        Factor on the standard deviation of the weights.
    seed
        Of the weights.

    Attributes
    ----------
    synapses
        Of each layer, the read-out's last.

    Raises
    ------
    UsageError
    """

    synapses: list[Synapses]

    def __init__(
        self,
        layers: str,
        threshold: float = 1.0,
        reset: Reset = "zero",
        gain: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not threshold > 0:
            raise UsageError(f"{shown(threshold)} is not above 0", place="threshold")
        if reset not in get_args(Reset):
            raise UsageError(f"{shown(reset)} is neither zero nor subtract", place="reset")
        generator = torch.Generator().manual_seed(seed)
        self.layers, self.threshold, self.reset = layers, threshold, reset
        self.input_shape, synapses = layers_of(layers, generator, gain)
        self.synapses = nn.ModuleList(synapses)  # type: ignore[assignment]

    def forward(self, x: torch.Tensor, steps: int | None = None) -> torch.Tensor:
        """The mean of the read-out's input over the steps: (batch, classes).

        Its gradient is the spike-timing-dependent one; gradients for `x` there are none.

        Parameters
        ----------
        x
            With `steps`, a constant current (batch, *input shape). Without, what comes in at each
            step: (steps, batch, *input shape), spikes or currents of any dtype.
        steps
            Time steps, 1..32767.
        """
        self._check(x, steps)
        weights = [layer.weight for layer in self.synapses]
        if not (torch.is_grad_enabled() and any(w.requires_grad for w in weights)):
            return self.run(x, steps, keep=False)[0]
        readout: torch.Tensor = _SpikeTiming.apply(self, x, steps, *weights)  # type: ignore[no-untyped-call]
        return readout

    @torch.no_grad()
    def spike_counts(self, x: torch.Tensor, steps: int | None = None) -> list[torch.Tensor]:
        """Spikes of each neuron of each layer over the steps: int64 (batch, *shape)."""
        self._check(x, steps)
        _, run = self.run(x, steps, keep=True)
        return [(a.intervals > 0).sum(0) for a in run.activities]

    def run(self, x: torch.Tensor, steps: int | None, keep: bool) -> tuple[torch.Tensor, _Run]:
        """The read-out, and what its gradient needs: with `keep`, what each layer did."""
        total, batch = (steps, len(x)) if steps is not None else x.shape[:2]
        *hidden, head = self.synapses
        like = head.weight
        steady = hidden[0](x.to(like.dtype)) if steps is not None and hidden else None
        populations = [
            Population(torch.Size((batch, *s.shape)), like, total, self.threshold, self.reset)
            for s in hidden
        ]
        kept = [
            torch.empty(
                (total if keep else BLOCK, *p.membrane.shape),
                dtype=interval_type(total),
                device=like.device,
            )
            for p in populations
        ]
        arrived: Any = 0
        for part in _blocks(total):
            sent = None if steady is not None else self._input(x, steps, part)
            for k, (synapses, population) in enumerate(zip(hidden, populations, strict=True)):
                intervals = kept[k][part if keep else slice(part.stop - part.start)]
                current = None if sent is None else synapses(sent)
                for t, interval in enumerate(intervals):
                    population.step(steady if current is None else current[t], interval)  # type: ignore[arg-type]
                sent = (intervals > 0).to(like.dtype)
            assert sent is not None
            arrived = arrived + sent.sum(0)
        activities = [_Activity(k, p) for k, p in zip(kept, populations, strict=True)]
        arrived = arrived / total
        return head(arrived), _Run(arrived, activities if keep else [])

    def gradients(
        self, x: torch.Tensor, steps: int | None, run: _Run, error: torch.Tensor
    ) -> list[torch.Tensor]:
        """The gradient of each layer's weights, from that of the read-out."""
        activities = run.activities
        total = steps if steps is not None else len(x)
        *hidden, head = self.synapses
        slopes = [SlopesBackwards(a.population) for a in activities]
        found: list[Any] = [0] * len(hidden)
        onto_steady: Any = 0
        spread = head.transposed(error / total)
        for part in reversed(list(_blocks(total))) if hidden else ():
            d = spread
            for k in range(len(hidden) - 1, -1, -1):
                intervals = activities[k].intervals[part]
                d = slopes[k](intervals).mul_(d)
                if k:
                    sent = (activities[k - 1].intervals[part] > 0).to(error.dtype)
                elif steps is not None:  # a constant input: its errors add up before the product
                    onto_steady = onto_steady + d.sum(0)
                    break
                else:
                    sent = self._input(x, steps, part)
                found[k] = found[k] + hidden[k].weight_gradient(d, sent)
                if k:
                    d = hidden[k].transposed(d)
        if hidden and steps is not None:
            found[0] = hidden[0].weight_gradient(onto_steady, x.to(error.dtype))
        return [*found, head.weight_gradient(error, run.arrived)]

    def _input(self, x: torch.Tensor, steps: int | None, part: slice) -> torch.Tensor:
        """What comes in at some steps: (steps, batch, *input shape), floating."""
        rows = x[part] if steps is None else x.expand(part.stop - part.start, *x.shape)
        return rows.to(self.synapses[-1].weight.dtype)

    def _check(self, x: torch.Tensor, steps: int | None) -> None:
        axes = 1 if steps is not None else 2
        if x.ndim <= axes or tuple(x.shape[axes:]) != self.input_shape or 0 in x.shape:
            before = "(batch, " if steps is not None else "(steps, batch, "
            raise DataError(
                f"shape {tuple(x.shape)} is not {before}{', '.join(map(str, self.input_shape))})",
                place="x",
                remedy="give `steps` for a constant current, and an axis of steps without",
            )
        interval_type(steps if steps is not None else len(x))


class _SpikeTiming(torch.autograd.Function):
    """The read-out, with the spike-timing-dependent gradient in place of the derivative."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, network: Any, x: torch.Tensor, steps: int | None, *weights: torch.Tensor
    ) -> torch.Tensor:
        readout: torch.Tensor
        readout, run = network.run(x, steps, keep=True)
        ctx.network, ctx.x, ctx.steps, ctx.run = network, x, steps, run
        ctx.save_for_backward(*weights)  # torch tells if they change before the gradient is taken
        return readout

    @staticmethod
    def backward(ctx: Any, error: torch.Tensor) -> Any:  # type: ignore[override]
        _ = ctx.saved_tensors
        with torch.no_grad():
            found = ctx.network.gradients(ctx.x, ctx.steps, ctx.run, error)
        return None, None, None, *found


def _blocks(total: int) -> Iterator[slice]:
    for begin in range(0, total, BLOCK):
        yield slice(begin, min(begin + BLOCK, total))
