"""`compare`: programs side by side, what they hold and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.display import Displayed
from neurodeploy.errors import DataError, UsageError
from neurodeploy.program import Program
from neurodeploy.program.storage import load
from neurodeploy.simulating import simulate
from neurodeploy.warning import Warn

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, repr=False)
class Comparison(Displayed):
    """Programs side by side.

    Attributes
    ----------
    names
        Of the programs, in order.
    rows
        By what is compared, one value a program; texts, numbers, or None where it has none. Shares
        are percent; `largest_difference` is of the largest output of the first program.
    """

    names: tuple[str, ...]
    rows: dict[str, tuple[Any, ...]]

    @property
    def differing(self) -> tuple[str, ...]:
        """What is not the same in all programs."""
        return tuple(name for name, values in self.rows.items() if len(set(values)) > 1)

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {"programs": ", ".join(self.names), "differing": ", ".join(self.differing)}

    def records(self) -> list[dict[str, Any]]:
        """A row for each thing compared, a column a program.

        Returns
        -------
        list of dict
        """
        return [
            {"": key, **dict(zip(self.names, values, strict=True))}
            for key, values in self.rows.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """A mapping a program, and what differs, as `compare --json` has it.

        Returns
        -------
        dict
            JSON-like; `docs/schemas/compare.json` says its keys.
        """
        programs = [
            {"name": name, **{key: values[index] for key, values in self.rows.items()}}
            for index, name in enumerate(self.names)
        ]
        return {"programs": programs, "differing": list(self.differing)}


def compare(
    programs: Mapping[str, Program | str | Path],
    x: Any = None,
    labels: Any = None,
    *,
    threads: int | None = None,
    warn: Warn | None = None,
) -> Comparison:
    """Set programs side by side.

    Parameters
    ----------
    programs
        By name, two or more; a program, or the path of its ``.ndp``.
    x
        Samples (n, *input shape) that all of them are run on, as for `simulate`; None: none is run.
    labels
        (n, ...), as for `Result.scores`; None: no accuracy.
    threads
        As for `neurodeploy.simulate`.
    warn
        As for `neurodeploy.simulate`.

    Returns
    -------
    Comparison
        With `x` also accuracy against `labels` and agreement with the first program (percent),
        spikes and synaptic operations a sample.

    Raises
    ------
    NeuroDeployError
        UsageError: fewer than two programs. DataError: samples that one of them does not take.
        StorageError: a file that is no program.
    """
    if len(programs) < 2:
        raise UsageError("there is nothing to compare with", place="programs")
    held = {
        name: given if isinstance(given, Program) else load(given)
        for name, given in programs.items()
    }
    said = [_held(program) for program in held.values()]
    rows = {key: tuple(each[key] for each in said) for key in said[0]}
    options = [dict(program.recorded("options")) for program in held.values()]
    for key in dict.fromkeys(key for each in options for key in each):
        values = tuple(_text(each.get(key)) for each in options)
        if len(set(values)) > 1:
            rows[f"option_{key}"] = values
    if x is not None:
        rows |= _run(held, x, labels, threads, warn)
    return Comparison(tuple(held), rows)


def _held(program: Program) -> dict[str, Any]:
    """What a program says of itself."""
    return {
        "scheme": program.scheme,
        "target": program.target,
        "model_sha256": str(program.recorded("model").get("sha256") or "")[:12] or None,
        "latency_steps": program.latency,
        "steps_between_samples": program.period,
        "neurons": program.neurons,
        "synapses": program.synapses,
        "weight_bytes": program.weight_bytes,
        "needs_microcode": program.needs_microcode,
    }


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _run(
    held: Mapping[str, Program], x: Any, labels: Any, threads: int | None, warn: Warn | None
) -> dict[str, tuple[Any, ...]]:
    """What they answer to the same samples."""
    results = [simulate(program, x, threads=threads, warn=warn) for program in held.values()]
    first = results[0]
    for name, result in zip(held, results, strict=True):
        if result.outputs.shape != first.outputs.shape:
            raise DataError(
                f"its outputs are {result.outputs.shape[1:]}, those of the first program "
                f"{first.outputs.shape[1:]}",
                place=name,
            )
    rows: dict[str, tuple[Any, ...]] = {"samples": tuple(r.samples for r in results)}
    if labels is not None:
        rows["accuracy"] = tuple(r.scores(labels).accuracy for r in results)
    shares = tuple(r.against(first.outputs).accuracy for r in results)
    rows["agreement_with_first"] = shares
    spread = float(np.abs(first.outputs).max()) or 1.0
    rows["largest_difference"] = tuple(
        round(100 * float(np.abs(r.outputs - first.outputs).max()) / spread, 3) for r in results
    )
    rows["spikes_per_sample"] = tuple(round(r.spikes_per_sample, 1) for r in results)
    rows["synaptic_operations_per_sample"] = tuple(
        round(r.synaptic_operations_per_sample, 1) for r in results
    )
    return rows
