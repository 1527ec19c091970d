"""`explain` with its advice tried: the ledger below, the compiler that tries it here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.conversion import scheme_named, schemes
from neurodeploy.conversion.options import options_of
from neurodeploy.errors import UsageError
from neurodeploy.ledger import Explanation
from neurodeploy.ledger import explain as run
from neurodeploy.ledger.source_model import recorded_output
from neurodeploy.pipeline import compile as compile_model
from neurodeploy.program import Program
from neurodeploy.targets import target_names
from neurodeploy.warning import Warn, quiet

__all__ = ["explain", "recompile"]


def explain(
    program: Program,
    x: Any,
    labels: Any = None,
    *,
    model: str | Path | None = None,
    near: str | Path | None = None,
    task: str | None = None,
    threads: int | None = None,
    try_seconds: float = 20.0,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    warn: Warn | None = None,
) -> Explanation:
    """Say which layer loses what between the ANN and the program, and what helps against it.

    Parameters
    ----------
    program, x, labels, model, near, task, threads, progress, warn
        As for `neurodeploy.ledger.explain`.
    try_seconds
        Seconds for which advice may be tried: the model is compiled again with the advised
        options, on some of the samples, and run on the others. 0: advice is marked as not tried.

    Returns
    -------
    Explanation
        `blame.tried` has every attempt with what it brought.

    Raises
    ------
    NeuroDeployError
        The model is missing, is another one, or does not fit the program; bad samples.
    """
    if not try_seconds >= 0:
        raise UsageError(f"{try_seconds!r} is not a number of seconds", place="--try-seconds")
    return run(
        program,
        x,
        labels,
        model=model,
        near=near,
        task=task,
        threads=threads,
        recompile=recompile,
        seconds=try_seconds,
        progress=progress,
        warn=warn,
    )


def recompile(
    program: Program, model: Path, changed: Mapping[str, Any], calibration: np.ndarray
) -> Program:
    """The model of a program compiled again: its options, but for those that are changed.

    Raises
    ------
    NeuroDeployError
        The program does not say how it was compiled, or the options are not possible.
    """
    known = program.recorded("options")
    if not known:
        raise UsageError("the program does not say how it was compiled")
    scheme = scheme_named(changed.get("scheme", program.scheme))
    of_schemes = {field.name for kind in schemes().values() for field, _ in options_of(kind)}
    taken = set(inspect.signature(compile_model).parameters) - of_schemes
    own, before = (
        {field.name: field.default for field, _ in options_of(kind)}
        for kind in (scheme, scheme_named(program.scheme))
    )
    # what another scheme would choose otherwise is left to it
    same = scheme.name == program.scheme
    taken |= {name for name in own if same or before.get(name, object()) == own[name]}
    options = {key: value for key, value in known.items() if key in taken}
    options |= {"target": program.target, **changed, "scheme": scheme.name}
    if options["target"] not in target_names():
        raise UsageError(f"target {program.target!r} is a file that is not at hand")
    preprocessing = program.encoder.preprocessing
    return compile_model(
        str(model),
        calibration,
        scale=preprocessing.scale,
        mean=preprocessing.mean,
        std=preprocessing.std,
        output=recorded_output(program),
        overflow="off",
        try_samples=0,
        warn=quiet,
        **options,
    )
