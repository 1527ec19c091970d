"""ONNX files to Networks; every node is converted, folded or refused by name, none is skipped."""

from neurodeploy.importing.findings import Finding, Report
from neurodeploy.importing.importer import Imported, check, load_network

__all__ = ["Finding", "Imported", "Report", "check", "load_network"]
