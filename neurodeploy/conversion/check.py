"""What compile would say of an ONNX file: the importer's findings and the scheme's."""

from __future__ import annotations

from dataclasses import replace

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing import Finding, Report, load_network
from neurodeploy.importing import check as check_import
from neurodeploy.network.stages import stages
from neurodeploy.passes import run_passes, standard_passes

__all__ = ["check"]


def check(path: str, max_pooling: bool = False) -> Report:
    """Findings on every node; `ok` where `compile` gets past the network itself.

    Parameters
    ----------
    max_pooling
        Whether the scheme takes max pooling.
    """
    report = check_import(path)
    if not report.ok:
        return report
    try:
        network = run_passes(load_network(path).network, standard_passes())
        stages(network, max_pooling=max_pooling)
    except NeuroDeployError as error:
        return _refused(report, error)
    return report


def _refused(report: Report, error: NeuroDeployError) -> Report:
    """The report with the conversion's refusal in the place of that node's finding."""
    name = error.place.split("'")[1] if "'" in error.place else error.place
    findings, met = [], False
    for finding in report.findings:
        if finding.node == name:
            met = True
            finding = replace(finding, verdict="refused", reason=error.message, remedy=error.remedy)
        findings.append(finding)
    if not met:
        findings.append(Finding(name, "", "refused", error.message, error.remedy))
    return replace(report, findings=tuple(findings))
