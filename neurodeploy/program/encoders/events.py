"""Recorded spikes, as an event camera or another spiking system sends them."""

from __future__ import annotations

from typing import ClassVar

from neurodeploy.program.encoders.base import register_encoding
from neurodeploy.program.encoders.frames import Frames

__all__ = ["Events"]


@register_encoding
class Events(Frames):
    """A sample is a raster (T, ...): an entry that is not 0 is a spike at that step.

    With integers of -1 ... 1 a negative one is a spike of negative sign. Several events of an
    input within a step are one spike.
    """

    name: ClassVar[str] = "events"
    description: ClassVar[str] = "recorded spikes: a raster with one row a step"
    limit: ClassVar[int] = 1
    graded: ClassVar[bool] = False
