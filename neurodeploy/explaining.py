"""`explain` with its advice tried: the ledger below, the compiler that tries it here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodeploy.compiling.torch_modules import as_file, is_torch_module
from neurodeploy.conversion import scheme_named, scheme_of, schemes
from neurodeploy.conversion.lava_dl import LAVA_DL
from neurodeploy.conversion.options import options_of
from neurodeploy.errors import DataWarning, UsageError
from neurodeploy.event_samples import samples_for
from neurodeploy.ledger import Explanation
from neurodeploy.ledger import explain as run
from neurodeploy.ledger.source_model import find_model, recorded_output
from neurodeploy.ledger.spiking import SpikingExplanation
from neurodeploy.log import logged
from neurodeploy.network import Network
from neurodeploy.pipeline import compile as compile_model
from neurodeploy.program import Program
from neurodeploy.program.type_check import check_program
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.targets import target_names
from neurodeploy.warning import Warn, quiet, warner

if TYPE_CHECKING:
    import torch

__all__ = ["explain", "recompile"]


@logged
def explain(
    program: Program,
    x: Any,
    labels: Any = None,
    *,
    model: str | Path | Network | torch.nn.Module | None = None,
    near: str | Path | None = None,
    task: str | None = None,
    threads: int | None = None,
    try_seconds: float = 20.0,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    warn: Warn | None = None,
) -> Explanation | SpikingExplanation:
    """Say which layer loses what between the ANN and the program, and what helps against it.

    Parameters
    ----------
    program
        Compiled from a model that is at hand.
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input. An
        array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    labels
        (n, ...), as for `Result.scores`, for accuracies or errors (docs/metrics.md); default:
        those that come with `x`.
    model
        What was compiled: the path of the file, the ``torch.nn.Module``, or the `Network`.
        Default: the file of the name that the program holds, in the folder `near` or the working
        directory, if its sha-256 is right.
    near
        Folder of the program's file.
    task
        What the outputs are, one of `metrics.KINDS`; default: as program and labels say.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    try_seconds
        Seconds for which advice may be tried: the model is compiled again with the advised
        options, on some of the samples, and run on the others. 0: advice is marked as not tried.
    progress
        Called with the name of a stage, the work done and the work there is.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        class ``DataWarning``.

    Returns
    -------
    Explanation
        `blame.tried` has every attempt with what it brought. Of a network that spikes already (its
        file, or the `Network`) a `SpikingExplanation`: spike by spike, layer by layer.

    Raises
    ------
    NeuroDeployError
        The model is missing, is another one, or does not fit the program; bad samples.
    """
    check_program(program)
    if is_torch_module(model):
        with as_file(model, program.encoder.sample_shape) as path:
            return explain(
                program, x, labels, model=path, task=task, threads=threads,
                try_seconds=try_seconds, progress=progress, warn=warn,
            )  # fmt: skip
    if scheme_of(program).spiking:
        return _spiking(program, x, labels, model, near, warn)
    if not try_seconds >= 0:
        raise UsageError(f"{try_seconds!r} is not a number of seconds", place="--try-seconds")
    if isinstance(model, Network):
        raise UsageError("a Network beside a program that codes activations", place="model")
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


def _spiking(
    program: Program,
    x: Any,
    labels: Any,
    model: str | Path | Network | None,
    near: str | Path | None,
    warn: Warn | None,
) -> SpikingExplanation:
    """See `explain`: float steps of the network beside the program."""
    from neurodeploy.compiling.spiking import stages_of
    from neurodeploy.ledger.spiking import explain_spiking

    if program.recorded("model").get("producer") == LAVA_DL:
        raise UsageError(
            "a program of a lava-dl file has the file's integers: nothing was rounded",
            place="program",
        )
    path = model if isinstance(model, Network) else find_model(program, model, near)
    given = samples_for(program, x, None, None, warner(warn, DataWarning)).x
    given = check_samples(given, program.encoder.sample_shape)
    found = None if labels is None else np.asarray(labels)
    return explain_spiking(program, stages_of(path, program), given, found)


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
