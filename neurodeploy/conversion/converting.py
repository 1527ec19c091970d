"""Everything a scheme needs to make a program of a network, kept together to try several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.scheme import Scheme
from neurodeploy.network.stages import Stage
from neurodeploy.program import Preprocessing, Program
from neurodeploy.targets import Target

__all__ = ["Conversion"]


@dataclass(frozen=True)
class Conversion:
    """What `Scheme.convert` takes; the options of the scheme are added to the provenance."""

    stages: tuple[Stage, ...]
    shape: tuple[int, ...]
    known: Calibration
    hardware: Target
    preprocessing: Preprocessing
    seed: int
    provenance: dict[str, Any]

    def program(self, scheme: Scheme) -> Program:
        """The program of a scheme.

        Raises
        ------
        ConversionError, UsageError
        """
        scheme.check_stages(self.stages)
        options = {**self.provenance["options"], **scheme.options()}
        return scheme.convert(
            self.stages,
            self.shape,
            self.known,
            self.hardware,
            self.preprocessing,
            self.seed,
            {**self.provenance, "options": options},
        )
