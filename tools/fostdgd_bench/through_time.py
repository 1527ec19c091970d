"""The same network trained by back-propagation through time, with SpikingJelly's neurons."""

from __future__ import annotations

import numpy as np
import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import nn
from torch.nn import functional as losses

from neurodeploy.training.fostdgd.fitting import LOGIT_SCALE
from neurodeploy.training.fostdgd.inputs import TrainingSamples
from neurodeploy.training.fostdgd.network import IntegrateAndFireNetwork

__all__ = ["ThroughTime", "fit_through_time"]


class ThroughTime(nn.Module):
    """Dense layers of integrate-and-fire neurons, a surrogate gradient (arctan) at every step.

    Weights begin as those of an `IntegrateAndFireNetwork`. SpikingJelly's neuron fires on ``>=``,
    ours on ``>``: they differ where a membrane meets the threshold exactly.
    """

    def __init__(self, twin: IntegrateAndFireNetwork) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        self.neurons = nn.ModuleList()
        for k, synapses in enumerate(twin.synapses):
            weight = synapses.weight.detach().clone()
            layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
            layer.weight = nn.Parameter(weight)
            self.layers.append(layer)
            if k + 1 < len(twin.synapses):
                self.neurons.append(
                    neuron.IFNode(
                        v_threshold=twin.threshold,
                        v_reset=0.0 if twin.reset == "zero" else None,
                        surrogate_function=surrogate.ATan(),
                        detach_reset=False,
                        step_mode="m",
                    )
                )

    def forward(self, x: torch.Tensor, steps: int | None = None) -> torch.Tensor:
        """As `IntegrateAndFireNetwork.forward`."""
        functional.reset_net(self)
        current = self.layers[0](x.to(self.layers[0].weight.dtype))
        if steps is not None:
            current = current.expand(steps, *current.shape)
        for layer, neurons in zip(self.layers[1:], self.neurons, strict=True):
            spikes = neurons(current)
            current = layer(spikes)
        return current.mean(0)


def fit_through_time(
    twin: IntegrateAndFireNetwork, samples: TrainingSamples, epochs: int, batch: int, lr: float,
    seed: int,
) -> ThroughTime:  # fmt: skip
    """Train with Adam; samples come in the order that `fit` takes them in."""
    network = ThroughTime(twin)
    optimizer = torch.optim.Adam(network.parameters(), lr)
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(samples))
        random = torch.Generator().manual_seed(seed * 2**20 + epoch)
        for k in range(len(samples) // batch):
            x, steps, labels = samples.batch(order[k * batch : (k + 1) * batch], random)
            loss = losses.cross_entropy(LOGIT_SCALE * network(x, steps), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network
