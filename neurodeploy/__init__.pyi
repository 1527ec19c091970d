"""What type checkers see; the names are resolved on first use, `__init__.py` says from where."""

from neurodeploy import plot as plot
from neurodeploy.checking import check as check
from neurodeploy.comparing import compare as compare
from neurodeploy.conversion import RateScheme as Rate
from neurodeploy.conversion import TtfsScheme as Ttfs
from neurodeploy.cost import estimate_cost as estimate_cost
from neurodeploy.errors import CompileWarning as CompileWarning
from neurodeploy.errors import DataWarning as DataWarning
from neurodeploy.errors import NeuroDeployError as NeuroDeployError
from neurodeploy.errors import NeuroDeployWarning as NeuroDeployWarning
from neurodeploy.errors import RunWarning as RunWarning
from neurodeploy.explaining import explain as explain
from neurodeploy.exporting import export as export
from neurodeploy.image_folders import image_folder as image_folder
from neurodeploy.lava.deploy import deploy as deploy
from neurodeploy.mapping import map as map
from neurodeploy.network import SpikingLayer as SpikingLayer
from neurodeploy.network import spiking_network as spiking_network
from neurodeploy.pipeline import compile as compile
from neurodeploy.program import Program as Program
from neurodeploy.program.storage import load as load
from neurodeploy.recording import record as record
from neurodeploy.reporting.page import report as report
from neurodeploy.simulating import simulate as simulate
from neurodeploy.tuning import tune as tune

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

__version__: str
