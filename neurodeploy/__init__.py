"""neurodeploy: trained ReLU networks (ONNX) to spiking programs for Loihi-class chips.

import neurodeploy as nd

program = nd.compile("model.onnx", calibration=x, steps=32)
program.save("model.ndp")
result = nd.simulate(nd.load("model.ndp"), x_test)
result = nd.deploy(program, x_test[:3], verify=True)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

#: Public name -> module, or module:name where that is another one; resolved on first use, so that
#: `import neurodeploy` stays light.
_PUBLIC = {
    "CompileWarning": "neurodeploy.errors",
    "DataWarning": "neurodeploy.errors",
    "NeuroDeployError": "neurodeploy.errors",
    "NeuroDeployWarning": "neurodeploy.errors",
    "Program": "neurodeploy.program",
    "Rate": "neurodeploy.conversion:RateScheme",
    "RunWarning": "neurodeploy.errors",
    "SpikingLayer": "neurodeploy.network",
    "Ttfs": "neurodeploy.conversion:TtfsScheme",
    "check": "neurodeploy.checking",
    "compare": "neurodeploy.comparing",
    "compile": "neurodeploy.pipeline",
    "deploy": "neurodeploy.lava.deploy",
    "estimate_cost": "neurodeploy.cost",
    "explain": "neurodeploy.explaining",
    "export": "neurodeploy.exporting",
    "image_folder": "neurodeploy.image_folders",
    "load": "neurodeploy.program.storage",
    "map": "neurodeploy.mapping",
    "record": "neurodeploy.recording",
    "report": "neurodeploy.reporting.page",
    "simulate": "neurodeploy.simulating",
    "spiking_network": "neurodeploy.network",
    "tune": "neurodeploy.tuning",
}

__all__ = [
    "CompileWarning",
    "DataWarning",
    "NeuroDeployError",
    "NeuroDeployWarning",
    "Program",
    "Rate",
    "RunWarning",
    "SpikingLayer",
    "Ttfs",
    "check",
    "compare",
    "compile",
    "deploy",
    "estimate_cost",
    "explain",
    "export",
    "image_folder",
    "load",
    "map",
    "plot",
    "record",
    "report",
    "simulate",
    "spiking_network",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name == "plot":
        return import_module("neurodeploy.plot")
    if name in _PUBLIC:
        module, _, inside = _PUBLIC[name].partition(":")
        return getattr(import_module(module), inside or name)
    raise AttributeError(f"module 'neurodeploy' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
