"""What a conversion scheme is, and the schemes there are."""

from __future__ import annotations

from typing import Any, Protocol

from neurodeploy.calibration import Calibration
from neurodeploy.network.stages import Stage
from neurodeploy.program import Preprocessing, Program
from neurodeploy.targets import Target

__all__ = ["Scheme"]


class Scheme(Protocol):
    """A frozen dataclass of options that turns stages and statistics into a Program."""

    @property
    def name(self) -> str:
        """As ``--scheme`` takes it."""

    @property
    def max_pooling(self) -> bool:
        """Whether max pooling can be a stage of its own."""

    def convert(
        self,
        stages: tuple[Stage, ...],
        input_shape: tuple[int, ...],
        calibration: Calibration,
        target: Target,
        preprocessing: Preprocessing,
        seed: int,
        provenance: dict[str, Any],
    ) -> Program:
        """The integer program."""
