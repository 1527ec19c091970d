"""What the importer says of a whole file, as a report or as one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from neurodeploy.display import Displayed
from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.report.findings import Finding
from neurodeploy.importing.report.summary import Summary

__all__ = ["SHOWN", "Report", "refusal"]


@dataclass(frozen=True, repr=False)
class Report(Displayed):
    """Findings over a whole file.

    Attributes
    ----------
    path
        The file, as given.
    findings
        One a node, in the file's order, then those of nodes within its functions that say
        something; if the file cannot be read, one about the file. What concerns no single node
        comes last.
    summary
        What the findings add up to, and the sizes that are known.
    nodes
        Number of findings that, from the first on, belong to the nodes of the file's main graph,
        one each; 0 if the file cannot be read.
    hardware
        What the target's rules say of the program, ``layer: rule: value, limit, what to change``:
        those that are broken, then each rule where it is tightest. Empty without a program.
    fits
        Whether every one of those rules holds; None without a program. A program that does not fit
        is still a program: `ok` does not depend on it.
    """

    path: str
    findings: tuple[Finding, ...]
    summary: Summary
    nodes: int = 0
    hardware: tuple[str, ...] = ()
    fits: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was refused, and so nothing left unexamined."""
        return not any(finding.verdict in ("refused", "unknown") for finding in self.findings)

    @property
    def refused(self) -> tuple[Finding, ...]:
        """The findings that stop the import."""
        return tuple(finding for finding in self.findings if finding.verdict == "refused")

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {
            "model": self.path,
            "ok": self.ok,
            "nodes": self.nodes,
            "refused": len(self.refused),
            "fits": self.fits,
        }

    def records(self) -> list[dict[str, Any]]:
        """A row a finding.

        Returns
        -------
        list of dict
            Node, operator, verdict, reason and remedy.
        """
        return [asdict(finding) for finding in self.findings]

    def to_dict(self) -> dict[str, Any]:
        """All of it, as `check --json` has it.

        Returns
        -------
        dict
            JSON-like; `docs/schemas/check.json` says its keys.
        """
        return {
            "model": self.path,
            "ok": self.ok,
            "summary": asdict(self.summary),
            "findings": self.records(),
            "fits": self.fits,
            "hardware": list(self.hardware),
        }


#: Refusals spelled out in one message; a hostile file could have thousands.
SHOWN = 20


def refusal(path: str, refused: Sequence[Finding]) -> ModelError:
    """One error that lists every refused node."""
    lines = [
        f"node {finding.node!r} ({finding.op_type}): {finding.reason}"
        + (f"\n    remedy: {finding.remedy}" if finding.remedy else "")
        for finding in refused[:SHOWN]
    ]
    if len(refused) > SHOWN:
        lines.append(f"... and {len(refused) - SHOWN} more")
    count = "1 node" if len(refused) == 1 else f"{len(refused)} nodes"
    return UnsupportedError(
        f"{count} cannot become spikes\n  " + "\n  ".join(lines),
        place=path,
        remedy="change the nodes listed above and export again",
    )
