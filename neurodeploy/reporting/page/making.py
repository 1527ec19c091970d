"""A report from a program and samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodeploy.errors import DataWarning, UsageError
from neurodeploy.event_samples import samples_for
from neurodeploy.log import logged
from neurodeploy.program import Program
from neurodeploy.program.type_check import check_program
from neurodeploy.reporting.number_format import quantity
from neurodeploy.reporting.page.blocks import Block, Note, Section
from neurodeploy.reporting.page.evidence import Stage, collect
from neurodeploy.reporting.page.hardware import find_target, place
from neurodeploy.reporting.page.sections import (
    confusion,
    curve,
    energy,
    errors,
    events,
    origin,
    placement,
    processes,
    raster,
    rates,
    schemes,
    summary,
    traces,
)
from neurodeploy.samples import Samples, read_labels
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.warning import Warn, warner

__all__ = ["Report", "report"]

Show = Callable[[dict[str, Any]], list[Block]]
#: Sections in the order of the page: key, title, and what shows which part of the content.
_SECTIONS: tuple[tuple[str, str, dict[str, Show]], ...] = (
    ("summary", "Summary", {"summary": summary.show}),
    ("accuracy", "Accuracy", {"curve": curve.show, "confusion": confusion.show}),
    ("ledger", "Error ledger", {"ledger": errors.show}),
    ("rates", "Spike rates", {"rates": rates.show}),
    ("schemes", "Schemes", {"schemes": schemes.show}),
    ("sample", "One sample", {"events": events.show, "raster": raster.show, "traces": traces.show}),
    (
        "hardware",
        "On the chip",
        {"processes": processes.show, "cores": placement.show, "energy": energy.show},
    ),
    ("origin", "How to make it again", {"origin": origin.show}),
)


def _quiet(*_: object) -> None:
    """Ignore progress."""


@dataclass(frozen=True, repr=False)
class Report:
    """A finished report.

    Attributes
    ----------
    content
        JSON-like, by section; a section without data is ``{"missing": why}``.
    """

    content: dict[str, Any]

    def __repr__(self) -> str:
        missing = [key for key, part in self.content.items() if "missing" in part]
        told = f", without {', '.join(missing)}" if missing else ""
        return f"Report({self.title}{told})"

    def _repr_html_(self) -> str:
        """The summary; the whole page is `html`."""
        from neurodeploy.reporting.page.rendering import html

        return html(self.title, self.sections[:1])

    def to_dict(self) -> dict[str, Any]:
        """The content.

        Returns
        -------
        dict
            JSON-like, by section; `docs/schemas/report-content.json` says its keys.
        """
        return self.content

    @property
    def title(self) -> str:
        """Of the page."""
        name = self.content["summary"]["program"] or self.content["summary"]["model"]
        return f"neurodeploy report: {name}"

    @property
    def sections(self) -> list[Section]:
        """What there is to show."""
        return [
            Section(
                key,
                title,
                [block for part, show in parts.items() for block in self._blocks(part, show)],
            )
            for key, title, parts in _SECTIONS
        ]

    def _blocks(self, part: str, show: Show) -> list[Block]:
        """Of one part of the content; why, where there is nothing to show."""
        data = self.content[part]
        return [Note(data["missing"])] if "missing" in data else show(data)

    def html(self) -> str:
        """One page that needs nothing else: no script, font or picture from elsewhere.

        Returns
        -------
        str
            HTML.
        """
        from neurodeploy.reporting.page.rendering import html

        return html(self.title, self.sections)

    def markdown(self) -> str:
        """The same as tables.

        Returns
        -------
        str
            Markdown.
        """
        from neurodeploy.reporting.page.rendering import markdown

        return markdown(self.title, self.sections)

    def json(self) -> str:
        """The numbers.

        Returns
        -------
        str
            JSON of `content`, with ``"schema": 1``.
        """
        from neurodeploy.reporting.page.rendering import json_text

        return json_text(self.content)


@logged
def report(
    program: Program,
    x: Any,
    labels: Any = None,
    *,
    model: str | Path | None = None,
    near: str | Path | None = None,
    target: str | None = None,
    energy_model: str | None = None,
    limit: int | None = None,
    sample: int = 0,
    task: str | None = None,
    compare: schemes.Compile | None = None,
    threads: int | None = None,
    names: dict[str, str] | None = None,
    progress: Stage = _quiet,
    warn: Warn | None = None,
) -> Report:
    """Run a program on samples and gather what there is to say of it.

    Parameters
    ----------
    program
        Aligned, of one code (rate or time to first spike), as the compiler makes them.
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input. An
        array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    labels
        (n, ...), as for `Result.scores`, for accuracies and confusions, or errors
        (docs/metrics.md); default: those that come with `x`.
    model
        The ONNX file that was compiled, for the error ledger and the ANN's accuracy; default:
        looked for by name and sha-256 in the folder `near` and the working directory.
    near
        Folder of the program's file.
    target
        Hardware to map to; default: the program's own.
    energy_model
        Name of a cost model, also of another target; default: the target's own, if it has one.
    limit
        Samples to simulate; default: by the size of the program, 16 to 512.
    sample
        Index of the one whose spikes and membranes are drawn.
    task
        What the outputs are, one of `metrics.KINDS`; default: as program and labels say.
    compare
        Compiles the model again in another scheme (``neurodeploy.explaining.recompile``); then all
        schemes that the target can run are compared. Default: only what the program holds of it.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    names
        How files are called in the report: ``program`` and ``data``.
    progress
        Called with the name of a stage, the work done and the work there is.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        class ``DataWarning``.

    Returns
    -------
    Report
        `content`, and `html()`, `markdown()`, `json()`.

    Raises
    ------
    NeuroDeployError
        Samples or labels that do not fit; a `model` that is missing or another one; a `target`
        that cannot be read; a program that cannot be run sample by sample.
    """
    check_program(program)
    for option, value in (("limit", limit), ("threads", threads)):
        if value is not None and value < 1:
            raise UsageError(f"{value} is less than one", place=f"--{option}")
    shape = program.encoder.sample_shape
    given = samples_for(program, x, labels=labels is None)
    x = check_samples(given.x, shape)
    labels = given.y if labels is None else read_labels(labels)
    chip, why = find_target(program, target, energy_model)
    evidence = collect(
        program,
        Samples(x, labels),
        model=model,
        near=near,
        limit=limit,
        index=sample,
        threads=threads,
        names=names or {},
        task=task,
        progress=progress,
        warn=warner(warn, DataWarning),
    )
    hardware = place(evidence, chip, why, energy_model, progress)
    content: dict[str, Any] = {
        "summary": summary.gather(evidence),
        "curve": curve.gather(evidence),
        "ledger": errors.gather(evidence),
        "rates": rates.gather(evidence),
        "schemes": schemes.gather(evidence, chip, compare, progress),
        "events": events.gather(evidence),
        "raster": raster.gather(evidence),
        "traces": traces.gather(evidence),
        "processes": processes.gather(program),
        "cores": placement.gather(hardware),
        "energy": energy.gather(hardware),
        "confusion": confusion.gather(evidence),
        "origin": origin.gather(evidence),
    }
    mapping, cost = hardware.mapping, hardware.cost
    content["summary"] |= {
        "cores": None if mapping is None else len(mapping.cores),
        "chips": None if mapping is None else mapping.chips,
        "energy": None if cost is None or cost.energy is None else quantity(cost.energy, "J"),
    }
    return Report(content)
