"""Read-outs of a membrane: at the last step, at every step, its mean, its largest value."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neurodeploy.program.decoders.base import Decoding, register_decoding

__all__ = ["EveryStep", "LargestMembrane", "LastMembrane", "MeanMembrane"]


@register_decoding
class LastMembrane(Decoding):
    """The membrane at the window's last step."""

    name: ClassVar[str] = "membrane"
    description: ClassVar[str] = "the membrane at the last step of the window"
    membranes: ClassVar[str] = "last"

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """See `Decoding.integers`."""
        return membranes[:, -1]


@register_decoding
class MeanMembrane(Decoding):
    """The mean of the membrane over the window, for read-outs that leak."""

    name: ClassVar[str] = "membrane_mean"
    description: ClassVar[str] = "the mean of the membrane over the window"
    membranes: ClassVar[str] = "all"

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """See `Decoding.integers`."""
        return membranes.sum(1, dtype=np.int64) / period


@register_decoding
class LargestMembrane(Decoding):
    """The largest value of the membrane over the window."""

    name: ClassVar[str] = "membrane_max"
    description: ClassVar[str] = "the largest membrane of the window"
    membranes: ClassVar[str] = "all"

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """See `Decoding.integers`."""
        return membranes.max(1)


@register_decoding
class EveryStep(Decoding):
    """The membrane at every step: the outputs of a stream."""

    name: ClassVar[str] = "every_step"
    description: ClassVar[str] = "the membrane at every step: an output for each step of a stream"
    membranes: ClassVar[str] = "all"
    every_step: ClassVar[bool] = True

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """See `Decoding.integers`."""
        return membranes
