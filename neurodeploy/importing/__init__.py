"""ONNX files to Networks; every node is converted, folded or refused by name, none is skipped.

A file's way: `reading` checks what was given, `cleaning` folds what is constant (`constants`),
`outputs` says where the network ends, `importer` walks the nodes, `operators` builds each one's
part of the Network (with `building`, and `quantized` for integers), `report` tells the verdicts.
"""

from neurodeploy.importing.importer import Imported, check, examine, load_network
from neurodeploy.importing.report.findings import Finding
from neurodeploy.importing.report.report import Report
from neurodeploy.importing.report.summary import Summary

__all__ = ["Finding", "Imported", "Report", "Summary", "check", "examine", "load_network"]
