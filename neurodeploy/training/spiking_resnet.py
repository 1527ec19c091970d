"""Spiking residual networks: dormant-suppressed blocks (DS-ResNet), and plain ones beside them.

Feng et al. 2022 (arXiv 2210.06386). A basic block of DS-ResNet adds its shortcut behind the second
neuron, so that a block of zeros is the identity; a plain block (as of ResNet, with neurons for
ReLUs) adds it before that neuron, which may silence what came in:

    DS     y = MLF(BN(conv(MLF(BN(conv(x)))))) + shortcut(x)     shortcut: x, or MLF(BN(conv(x)))
    plain  y = MLF(BN(conv(MLF(BN(conv(x))))) + shortcut(x))     shortcut: x, or BN(conv(x))

Batch norms are SpikingJelly's threshold-dependent ones (tdBN, Zheng et al. 2021): statistics over
time steps, too, and a scale that begins at the first threshold.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from spikingjelly.activation_based import functional, layer
from torch import Tensor, nn

from neurodeploy.training.multi_level_firing import MultiLevelFiring, thresholds_of

__all__ = ["BasicBlock", "Design", "SpikingResNet", "preset"]

Kind = Literal["ds", "plain"]
Coding = Literal["direct", "frames"]


@dataclass(frozen=True)
class Design:
    """What a network is made of.

    Attributes
    ----------
    depth
        Of ResNets for small images: 6 n + 2 layers, three stages of n blocks (8, 14, 20, 32, ...).
    widths
        Channels of the stem and of each stage.
    levels
        K, levels of each neuron.
    kind
        ``ds`` or ``plain``.
    coding
        ``direct``: an image (N, C, H, W) at each of T steps; ``frames``: (T, N, C, H, W), whose
        scale a batch norm without parameters sets.
    stem_stride
        Of the first convolution.
    """

    channels: int = 1
    classes: int = 10
    depth: int = 8
    widths: tuple[int, int, int, int] = (16, 16, 32, 64)
    levels: int = 3
    kind: Kind = "ds"
    coding: Coding = "direct"
    stem_stride: int = 1

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return asdict(self)


#: Of the paper: widths of the stem and the stages.
_PRESETS = {
    "cifar10": {"channels": 3, "widths": (64, 64, 128, 256), "depth": 20},
    "dvs-gesture": {"channels": 2, "widths": (16, 16, 32, 64), "depth": 20, "classes": 11},
    "cifar10-dvs": {"channels": 2, "widths": (32, 32, 64, 128), "depth": 14},
    "small": {"channels": 1, "widths": (16, 16, 32, 64), "depth": 8},
    "tiny": {"channels": 1, "widths": (8, 8, 16, 32), "depth": 8},
}


def preset(name: str, **changes: Any) -> Design:
    """The design of that name: the paper's, ``small`` for 28 x 28, ``tiny`` for tests."""
    values: dict[str, Any] = {"coding": "frames" if "dvs" in name else "direct", **_PRESETS[name]}
    return Design(**{**values, **changes})


class _Conv(nn.Module):
    """A convolution without bias, and its batch norm: over time steps (T, N, *), or one (N, *)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, scale: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = layer.ThresholdDependentBatchNorm2d(1.0, scale, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor
        if x.dim() == 4:
            y = self.norm.super_forward(self.conv(x))
        else:
            y = self.norm(functional.seq_to_ann_forward(x, self.conv))
        return y


class BasicBlock(nn.Module):
    """A block of two 3 x 3 convolutions and a shortcut; see the module's text."""

    def __init__(self, inputs: int, outputs: int, stride: int, levels: int, kind: Kind) -> None:
        super().__init__()
        thresholds = thresholds_of(levels)
        self.first = _Conv(inputs, outputs, 3, stride, thresholds[0])
        self.inner = MultiLevelFiring(thresholds)
        self.second = _Conv(outputs, outputs, 3, 1, thresholds[0])
        self.outer = MultiLevelFiring(thresholds)
        shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            shortcut = _Conv(inputs, outputs, 1, stride, thresholds[0])
            if kind == "ds":
                shortcut = nn.Sequential(shortcut, MultiLevelFiring(thresholds))
        self.shortcut = shortcut
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        way = self.second(self.inner(self.first(x)))
        y: Tensor
        if self.kind == "ds":
            y = self.outer(way) + self.shortcut(x)
        else:
            y = self.outer(way + self.shortcut(x))
        return y


class SpikingResNet(nn.Module):
    """Stem, three stages, global average, a dense layer; its logits are the mean over time.

    Parameters
    ----------
    design
        What it is made of.
    steps
        T. Of a direct code, each step sees the same image.
    """

    def __init__(self, design: Design, steps: int) -> None:
        super().__init__()
        if (design.depth - 2) % 6 or design.depth < 8:
            raise ValueError(f"depth {design.depth} is not 6 n + 2 with n of 1 or more")
        self.design, self.steps = design, steps
        blocks = (design.depth - 2) // 6
        stem, *widths = design.widths
        frames = design.coding == "frames"
        self.entrance: nn.Module = (
            nn.BatchNorm2d(design.channels, affine=False) if frames else nn.Identity()
        )
        thresholds = thresholds_of(design.levels)
        self.stem = _Conv(design.channels, stem, 3, design.stem_stride, thresholds[0])
        self.fires = MultiLevelFiring(thresholds)
        made: list[nn.Module] = []
        inputs = stem
        for stage, outputs in enumerate(widths):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                made.append(BasicBlock(inputs, outputs, stride, design.levels, design.kind))
                inputs = outputs
        self.blocks = nn.Sequential(*made)
        self.head = nn.Linear(inputs, design.classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W), or of frames (T, N, C, H, W)."""
        functional.reset_net(self)
        if self.design.coding == "direct":  # what does not change is computed once
            current = self.stem(x[None])
            current = current.expand(self.steps, *current.shape[1:])
        else:
            current = self.stem(functional.seq_to_ann_forward(x, self.entrance))
        y = self.blocks(self.fires(current))
        logits: Tensor = self.head(y.mean((3, 4))).mean(0)
        return logits

    def one_step(self, image: Tensor) -> Tensor:
        """What a step adds to the logits, for the exporter: neurons are operators there."""
        y = self.blocks(self.fires(self.stem(self.entrance(image))))
        logits: Tensor = self.head(y.mean((2, 3)))
        return logits
