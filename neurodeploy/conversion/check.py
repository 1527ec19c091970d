"""What the conversion says of a network, told in the importer's findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

from neurodeploy.errors import NeuroDeployError
from neurodeploy.importing import Finding, Report
from neurodeploy.importing.report.report import SHOWN
from neurodeploy.importing.report.summary import count_findings
from neurodeploy.network import Conv, Dense, Network, Pool
from neurodeploy.network.stages import READOUT, Stage
from neurodeploy.program import Program

__all__ = ["MAX_TRIED", "converted", "refusals", "refused", "synapses"]

#: Synapses up to which a check converts: twice those of VGG-16 at 224 x 224, about a minute.
MAX_TRIED = 2**35


def synapses(stages: tuple[Stage, ...]) -> int:
    """Synapses of all connections, counted one by one."""
    total = 0
    for stage in stages:
        for path in stage.paths:
            operator = path.operator
            if isinstance(operator, Conv):
                total += prod(stage.shape) * prod(operator.weight.shape[1:])
            else:
                total += operator.weight.size if isinstance(operator, Dense) else operator.nnz
    return total


def converted(report: Report, stages: tuple[Stage, ...], program: Program | None) -> Report:
    """The report with the numbers of neurons; without a program relays are not known.

    A ttfs program has relays besides the populations of its stages.
    """
    neurons = sum(prod(stage.shape) for stage in stages)
    relays = None if program is None else program.neurons - neurons
    return replace(report, summary=replace(report.summary, neurons=neurons, relays=relays))


def refusals(
    network: Network, error: NeuroDeployError, cut: Callable[[Network], object]
) -> list[NeuroDeployError]:
    """The error, and those that `cut` would raise behind it.

    `compile` ends at the first; a report names all. A max pooling that was refused is taken for an
    average pooling of the same windows, to look at what comes next.

    Parameters
    ----------
    network
        After the passes.
    cut
        Makes the stages of a network, or raises.
    """
    found = [error]
    pools = {
        f"node {node.name!r} (MaxPool)": node
        for node in network
        if isinstance(node, Pool) and node.operation == "max"
    }
    while len(found) < SHOWN and found[-1].place in pools:
        network = network.replace(replace(pools.pop(found[-1].place), operation="average"))
        try:
            cut(network)
        except NeuroDeployError as another:
            found.append(another)
        else:
            break
    return found


def refused(report: Report, errors: Sequence[NeuroDeployError]) -> Report:
    """The report with the conversion's refusals in the places of those nodes' findings.

    1. A part that was made of a node (``name.0``, ``name/whole``) stands for the node.
    2. A refusal of something that is no node of the file, such as the output layer, becomes a
       finding of its own, without a node.
    """
    findings = list(report.findings)
    for error in errors:
        index = _position(findings, error.place)
        if index is None:
            where = f"{error.place}: " if error.place else ""
            findings.append(Finding("", "", "refused", f"{where}{error.message}", error.remedy))
            continue
        findings[index] = replace(
            findings[index], verdict="refused", reason=error.message, remedy=error.remedy
        )
    return replace(
        report, findings=tuple(findings), summary=count_findings(report.summary, findings)
    )


def _position(findings: Sequence[Finding], place: str) -> int | None:
    """Where the node is that an error's place names: bare, or as ``node 'name' (operator)``."""
    if place == READOUT:  # the population of that name, whatever the file calls its nodes
        return None
    named = [(index, finding.node) for index, finding in enumerate(findings) if finding.node]
    for index, node in named:
        if place in (node, f"node {node!r}") or place.startswith(f"node {node!r} ("):
            return index
    quoted = re.match(r"node (['\"])(.*)\1", place)
    bare = quoted.group(2) if quoted else place
    parts = [
        (len(node), index) for index, node in named if bare.startswith((f"{node}.", f"{node}/"))
    ]
    return max(parts)[1] if parts else None
