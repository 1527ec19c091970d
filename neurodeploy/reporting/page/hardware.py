"""The program on the cores of a target, and what it costs there; either may be out of reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurodeploy.errors import NeuroDeployError
from neurodeploy.reporting.page.evidence import Evidence, Stage
from neurodeploy.targets import load_target

__all__ = ["Hardware", "place"]


@dataclass(frozen=True, eq=False)
class Hardware:
    """A mapping and a cost; None where there is none, and then why."""

    mapping: Any
    cost: Any
    unmapped: str = ""
    uncosted: str = ""


def place(evidence: Evidence, target: str | None, progress: Stage) -> Hardware:
    """Map and estimate.

    Parameters
    ----------
    target
        Default: the one that the program was compiled for.

    Raises
    ------
    TargetError
        `target` is named and cannot be read.
    """
    program = evidence.program
    try:
        hardware = load_target(target or program.target)
    except NeuroDeployError as error:
        if target is not None:
            raise
        return Hardware(None, None, _told(error), _told(error))
    mapping, cost, unmapped, uncosted = None, None, "", ""
    progress("map", 0, 2)
    try:
        from neurodeploy.mapping.mapper import map_program

        mapping = map_program(program, hardware)
    except NeuroDeployError as error:
        unmapped = _told(error)
    except ImportError:
        unmapped = "this version of neurodeploy has no mapper"
    progress("map", 1, 2)
    try:
        from neurodeploy.cost import estimate

        cost = estimate(program, hardware, evidence.result, mapping, model=evidence.model)
    except NeuroDeployError as error:
        uncosted = _told(error)
    except ImportError:
        uncosted = "this version of neurodeploy has no cost model"
    progress("map", 2, 2)
    return Hardware(mapping, cost, unmapped, uncosted)


def _told(error: NeuroDeployError) -> str:
    return error.message + (f"; {error.remedy}" if error.remedy else "")
