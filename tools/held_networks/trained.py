"""Three kinds of network, trained on Fashion-MNIST in some minutes each.

- ``mobilenetv2``: inverted residuals with linear bottlenecks (Sandler et al. 2018)
- ``all-convolutional``: strides in the place of pooling, a 1x1 convolution in the place of dense
  layers (Springenberg et al. 2015)
- ``robust``: trained against attacks in the direction of the gradient's sign with a random start
  (Wong, Rice & Kolter 2020), which makes activations large where inputs differ little
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from neurodeploy.training.images import Images

__all__ = ["NETWORKS", "accuracy", "channels_first", "train", "write"]


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class _Bottleneck(nn.Module):
    """Expansion, depthwise convolution, projection without an activation; a skip if it fits."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.skip = stride == 1 and inputs == outputs
        self.layers = nn.Sequential(
            _conv(inputs, inner, 1),
            nn.ReLU6(),
            _conv(inner, inner, 3, stride, groups=inner),
            nn.ReLU6(),
            _conv(inner, outputs, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.skip else y


def _mobilenetv2() -> nn.Module:
    rows = [(8, 1, 1), (12, 2, 4), (12, 1, 4), (24, 2, 4), (24, 1, 4), (24, 1, 4), (32, 1, 4)]
    layers: list[nn.Module] = [_conv(1, 8, 3), nn.ReLU6()]
    inputs = 8
    for outputs, stride, expansion in rows:
        layers.append(_Bottleneck(inputs, outputs, stride, expansion))
        inputs = outputs
    layers += [_conv(inputs, 128, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(128, 10))


def _all_convolutional() -> nn.Module:
    layers: list[nn.Module] = []
    inputs = 1
    for outputs, stride in ((16, 1), (16, 2), (32, 1), (32, 2), (64, 1)):
        layers += [_conv(inputs, outputs, 3, stride), nn.ReLU()]
        inputs = outputs
    layers += [nn.Conv2d(inputs, 64, 1), nn.ReLU(), nn.Conv2d(64, 10, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _robust() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


#: How each is made, and how far a pixel of 0..1 is moved by the attack it is trained against.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], float]] = {
    "mobilenetv2": (_mobilenetv2, 0.0),
    "all-convolutional": (_all_convolutional, 0.0),
    "robust": (_robust, 0.1),
}


def train(
    name: str, images: Images, epochs: int, seed: int, told: Callable[[str], None]
) -> nn.Module:
    """Adam with a one-cycle rate; the network in evaluation mode."""
    torch.manual_seed(seed)
    make, far = NETWORKS[name]
    network, batch = make(), 128
    optimiser = torch.optim.Adam(network.parameters(), weight_decay=1e-5)
    steps = len(images.train_x) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * steps)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        order, total = torch.randperm(len(images.train_x)).numpy(), 0.0
        for step in range(steps):
            pick = order[step * batch : (step + 1) * batch]
            x = torch.from_numpy(images.train_x[pick]).float() / 255
            y = torch.from_numpy(images.train_y[pick])
            if far:
                x = _attacked(network, x, y, far)
            optimiser.zero_grad()
            loss = loss_of(network(x), y)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        told(f"{name}: epoch {epoch + 1} of {epochs}, loss {total / steps:.3f}")
    return network.eval()


def _attacked(network: nn.Module, x: Tensor, y: Tensor, far: float) -> Tensor:
    """Images moved by at most `far` so that the loss grows."""
    moved = (torch.rand_like(x) * 2 - 1).mul(far).requires_grad_()
    loss = nn.functional.cross_entropy(network(x + moved), y)
    (gradient,) = torch.autograd.grad(loss, moved)
    moved = (moved + 1.25 * far * gradient.sign()).clamp(-far, far)
    return (x + moved).clamp(0, 1).detach()


def write(network: nn.Module, path: Path, shape: tuple[int, ...]) -> None:
    """ONNX with a batch of any size, by torch's exporter."""
    example = (torch.zeros(2, *shape),)
    torch.onnx.export(
        network, example, str(path), dynamo=True, verbose=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )  # fmt: skip


def accuracy(network: nn.Module, images: Images, far: float = 0.0) -> float:
    """Percent of the images to test with, attacked by at most `far`."""
    right = 0
    for start in range(0, len(images.test_x), 500):
        x = torch.from_numpy(images.test_x[start : start + 500]).float() / 255
        y = torch.from_numpy(images.test_y[start : start + 500])
        if far:
            x = _attacked(network, x, y, far)
        with torch.no_grad():
            right += int((network(x).argmax(1) == y).sum())
    return 100 * right / len(images.test_x)


def channels_first(x: np.ndarray) -> np.ndarray:
    """Images (n, H, W, C) as (n, C, H, W)."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))
