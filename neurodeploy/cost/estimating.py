"""From a program and samples to what a sample costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from neurodeploy.cost.ann import ann_cost
from neurodeploy.cost.counts import counted
from neurodeploy.cost.energy import estimate
from neurodeploy.cost.firing import Firing, firing
from neurodeploy.cost.models import choose
from neurodeploy.cost.report import Cost
from neurodeploy.errors import DataWarning, UsageError
from neurodeploy.event_samples import samples_for
from neurodeploy.log import logged
from neurodeploy.mapping.mapping import Mapping
from neurodeploy.program import Program
from neurodeploy.program.type_check import check_program
from neurodeploy.sample_checks import look_at_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.targets import Target, target_of
from neurodeploy.warning import Warn, warner

__all__ = ["estimate_cost"]


@logged
def estimate_cost(
    program: Program,
    x: Any,
    target: str | Target | None = None,
    *,
    mapping: Mapping | Literal["auto", "none"] = "auto",
    energy_model: str | None = None,
    model: str | Path | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
    warn: Warn | None = None,
) -> Cost:
    """Count what a program does on samples, and what that costs by a cited model.

    Parameters
    ----------
    program
        Whose work is counted.
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input. An
        array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    target
        Name of a target, or the path of its TOML file; default: the program's.
    mapping
        Where the neurons lie. ``auto``: mapped here, with the spikes counted. ``none``: messages,
        hops and time are not counted.
    energy_model
        Name of a cost model, also of another target; default: the target's own. A target without
        one (loihi2) gets counts and no energy.
    model
        The ONNX file that was compiled: its multiply-accumulates stand beside. Without it the
        program's synapses are counted.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    progress
        Called with the number of samples just finished.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        class ``DataWarning``.

    Returns
    -------
    Cost
        Events a sample, `energy` (joules a sample; None without a model), `seconds`, `lines`.

    Raises
    ------
    NeuroDeployError
        TargetError, UsageError (no such model, a mapping of another program or target),
        DataError, ProgramError, ModelError (another ONNX file).

    References
    ----------
    Davies et al. 2018, "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro
    38(1), p. 82, table 2 (picojoules and nanoseconds an event): the model ``davies2018`` of
    `loihi1`. Each cost model in `targets/` cites its own source.
    """
    check_program(program)
    hardware = target_of(program.target, target)
    # refused before the work, not after it
    if threads is not None and threads < 1:
        raise UsageError(f"{threads} is less than one", place="threads")
    choose(hardware, energy_model)
    if not isinstance(mapping, Mapping) and mapping not in ("auto", "none"):
        raise UsageError(f"{mapping!r} is not a Mapping, auto or none", place="mapping")
    if isinstance(mapping, Mapping) and mapping.target != hardware.name:
        raise UsageError(
            f"the mapping is for {mapping.target}, the cost of {hardware.name} is asked for",
            place="mapping",
            remedy="map the program for this target",
        )
    shape = program.encoder.sample_shape
    x = check_samples(samples_for(program, x).x, shape)
    look_at_samples(program, x, warner(warn, DataWarning))
    ann = ann_cost(program, model)
    found = firing(program, x, threads=threads, progress=progress)
    if not isinstance(mapping, Mapping):
        mapped = _mapped(program, hardware, found) if mapping == "auto" else None
    else:
        mapped = mapping
    cost = estimate(program, hardware, counted(program, found, mapped), energy_model, ann)
    if mapped is None or mapped.ok:
        return cost
    broken = [replace(finding, remedy="") for finding in mapped.findings if not finding.ok]
    text = f"the program lies on {hardware.title} although it does not fit: {broken[0]}"
    if len(broken) > 1:
        text += f", and {len(broken) - 1} more (`neurodeploy map`)"
    return replace(cost, assumptions=(*cost.assumptions, text))


def _mapped(program: Program, target: Target, found: Firing) -> Mapping:
    """A mapping made for these spikes, as `neurodeploy map --data` makes it."""
    from neurodeploy.mapping import map_program

    spikes = {name: float(sent.sum()) / found.samples for name, sent in found.sent.items()}
    return map_program(program, target, spikes)
