"""Hardware as data: one TOML file a target, checked when it is read."""

from neurodeploy.targets.loading import load_target, target_names, target_of
from neurodeploy.targets.target import (
    COST_EVENTS,
    Core,
    CostTable,
    Fact,
    Memory,
    Mesh,
    Target,
)

__all__ = [
    "COST_EVENTS",
    "Core",
    "CostTable",
    "Fact",
    "Memory",
    "Mesh",
    "Target",
    "load_target",
    "target_names",
    "target_of",
]
