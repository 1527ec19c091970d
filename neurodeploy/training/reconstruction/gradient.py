"""Surrogate-gradient training of one branch: the baseline, and a source and a user of dictionaries.

LIF units and their surrogate are SpikingJelly's: ``v <- beta v + x W + s U``, reset by subtraction
(detached), arctangent. They fire at ``v >= theta``, ours at ``v > theta``: ties only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import nn

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.branches import Branches, Layer
from neurodeploy.training.reconstruction.fitting import Reading

__all__ = ["GradientNetwork", "Training", "network_of", "scores_of", "trained"]


@dataclass(frozen=True)
class Training:
    """Adam with a cosine schedule down to zero over `epochs`.

    Attributes
    ----------
    epochs, rate, batch
        Passes over the data, the learning rate at the start, samples of a batch.
    """

    epochs: int = 10
    rate: float = 2e-3
    batch: int = 128


class GradientNetwork(nn.Module):
    """One branch of LIF layers and a linear readout.

    Parameters
    ----------
    inputs, widths, outputs
        Sizes.
    recurrent
        Whether each layer feeds back into itself.
    beta, theta
        Of all units; beta in 0.01..0.999.
    reading
        What the readout sees.
    gain
        Standard deviation of the weights at the start; None: torch's.
    """

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        outputs: int,
        *,
        recurrent: bool = False,
        beta: float = 0.99,
        theta: float = 1.0,
        reading: Reading,
        gain: float | None = None,
    ) -> None:
        super().__init__()
        if not 0.01 <= beta <= 0.999:
            raise UsageError(f"beta {beta} is outside 0.01..0.999", place="beta")
        self.forward_weights = nn.ModuleList()
        self.recurrent_weights = nn.ModuleList()
        self.units = nn.ModuleList()
        for width in widths:
            layer = nn.Linear(inputs, width, bias=False)
            if gain is not None:
                nn.init.normal_(layer.weight, std=gain)
            self.forward_weights.append(layer)
            if recurrent:
                back = nn.Linear(width, width, bias=False)
                nn.init.normal_(back.weight, std=0.3 / width**0.5)
                self.recurrent_weights.append(back)
            self.units.append(
                neuron.LIFNode(
                    tau=1 / (1 - beta),
                    decay_input=False,
                    v_threshold=theta,
                    v_reset=None,
                    surrogate_function=surrogate.ATan(),
                    detach_reset=True,
                )
            )
            inputs = width
        self.readout = nn.Linear(inputs, outputs)
        self.beta, self.theta, self.reading = beta, theta, reading

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, outputs), or (n T, outputs) where every step is read, of x (n, T, inputs)."""
        functional.reset_net(self)
        last: list[torch.Tensor | None] = [None] * len(self.units)
        trace: torch.Tensor | float = 0.0
        read = []
        for t in range(x.shape[1]):
            message = x[:, t]
            for k, (weights, unit) in enumerate(zip(self.forward_weights, self.units, strict=True)):
                current = weights(message)
                spikes = last[k]
                if len(self.recurrent_weights) and spikes is not None:
                    current = current + self.recurrent_weights[k](spikes)
                last[k] = message = unit(current)
            if self.reading.feature == "trace":
                message = trace = self.reading.trace_beta * trace + message
            read.append(message)
        if self.reading.every_step:
            stacked = torch.stack(read, 1)
            return self.readout(stacked.reshape(-1, stacked.shape[2]))
        return self.readout(read[-1])

    def branches(self) -> Branches:
        """The hidden units: one branch of all, or one a unit where nothing joins them."""
        layers = []
        alone = len(self.units) == 1 and not len(self.recurrent_weights)
        for k, weights in enumerate(self.forward_weights):
            w = _array(weights)
            back = None
            if len(self.recurrent_weights):
                back = _array(self.recurrent_weights[k])[None]
            w = w.T[:, :, None] if alone else w[None]
            shape = (len(w), w.shape[2])
            layers.append(
                Layer(
                    np.ascontiguousarray(w),
                    back,
                    np.full(shape, self.beta, np.float32),
                    np.full(shape, self.theta, np.float32),
                )
            )
        return Branches(tuple(layers))


def _array(layer: nn.Module) -> np.ndarray:
    """Weights of a linear layer as float32 (inputs, outputs)."""
    return layer.get_parameter("weight").detach().numpy().T.astype(np.float32)


def network_of(
    branches: Branches, coefficients: np.ndarray, intercept: np.ndarray, reading: Reading
) -> GradientNetwork:
    """A network to train on, from one-unit feed-forward branches of one beta and theta.

    Raises
    ------
    UsageError
        Other branches.
    """
    (layer, *others) = branches.layers
    betas, thetas = np.unique(layer.beta), np.unique(layer.theta)
    if others or layer.recurrent is not None or len(betas) > 1 or len(thetas) > 1:
        raise UsageError(
            "gradient training goes on from one feed-forward layer of one beta and theta",
            place="branches",
        )
    weight = layer.weight.transpose(0, 2, 1).reshape(branches.units, branches.inputs)
    made = GradientNetwork(
        branches.inputs,
        [branches.units],
        coefficients.shape[1],
        beta=float(betas[0]),
        theta=float(thetas[0]),
        reading=reading,
    )
    with torch.no_grad():
        (first,) = made.forward_weights
        first.get_parameter("weight").copy_(torch.from_numpy(weight))
        made.readout.weight.copy_(torch.from_numpy(coefficients.T.astype(np.float32)))
        made.readout.bias.copy_(torch.from_numpy(intercept.astype(np.float32)))
    return made


def trained(
    network: GradientNetwork,
    x: np.ndarray,
    y: np.ndarray,
    training: Training,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> GradientNetwork:
    """The network, trained in place with cross-entropy.

    Parameters
    ----------
    x
        (n, T, inputs).
    y
        Classes (n,), or (n, T) where every step is read.
    """
    sequences = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    labels = torch.from_numpy(np.asarray(y, np.int64))
    optimiser = torch.optim.Adam(network.parameters(), lr=training.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.epochs)
    generator = torch.Generator().manual_seed(seed)
    network.train()
    for epoch in range(training.epochs):
        total = 0.0
        for chosen in torch.randperm(len(sequences), generator=generator).split(training.batch):
            scores = network(sequences[chosen])
            loss = nn.functional.cross_entropy(scores, labels[chosen].reshape(-1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += float(loss.detach()) * len(chosen)
        schedule.step()
        progress(f"epoch {epoch + 1} of {training.epochs}, loss {total / len(sequences):.3f}")
    return network


@torch.no_grad()
def scores_of(network: GradientNetwork, x: np.ndarray, batch: int = 1000) -> np.ndarray:
    """Scores float32, as `GradientNetwork.forward` orders them."""
    network.eval()
    sequences = torch.from_numpy(np.ascontiguousarray(x, np.float32))
    return torch.cat([network(part) for part in sequences.split(batch)]).numpy()
