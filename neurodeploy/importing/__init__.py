"""ONNX files to Networks; every node is converted, folded or refused by name, none is skipped."""

from neurodeploy.importing.findings import Finding, Report
from neurodeploy.importing.importer import Imported, check, examine, load_network
from neurodeploy.importing.summary import Summary

__all__ = ["Finding", "Imported", "Report", "Summary", "check", "examine", "load_network"]
