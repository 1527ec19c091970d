"""A trained network as ONNX: one time step of it."""

from __future__ import annotations

from pathlib import Path

from neurodeploy.training.spiking_resnet import SpikingResNet

__all__ = ["export"]


def export(network: SpikingResNet, shape: tuple[int, ...], path: Path) -> None:
    raise NotImplementedError
