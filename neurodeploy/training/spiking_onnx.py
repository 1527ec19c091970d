"""A trained network as ONNX: one time step of it, batch norms folded, neurons as operators."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from neurodeploy.files import write_atomically
from neurodeploy.training.spiking_resnet import SpikingResNet

__all__ = ["export"]


class _OneStep(nn.Module):
    """What a step adds to the logits of a network: images in, logits out."""

    def __init__(self, network: SpikingResNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.network.one_step(image)
        return logits


def export(network: SpikingResNet, shape: tuple[int, ...], path: Path) -> None:
    """Write the network as ``path``, an ONNX file that `neurodeploy compile` takes.

    The graph is one time step. It has no number of steps: ``--steps`` says it.

    Parameters
    ----------
    shape
        Of an image, (C, H, W).
    """
    step = _OneStep(network).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts
        program = torch.onnx.export(
            step,
            (torch.zeros(2, *shape),),
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    write_atomically(path, program.model_proto.SerializeToString())
