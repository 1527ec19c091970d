"""The ledger from a program, its ONNX file and samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.conversion import scheme_of
from neurodeploy.errors import DataWarning, UsageError
from neurodeploy.ledger.advice import advise
from neurodeploy.ledger.batch_runs import Batch, Runner
from neurodeploy.ledger.blame import Errors, Sample, causes_at_output, layers_at_output
from neurodeploy.ledger.error_sums import Tally
from neurodeploy.ledger.matching import match
from neurodeploy.ledger.remedies import remedies
from neurodeploy.ledger.remedy_trials import try_remedies, untried
from neurodeploy.ledger.report import Explanation
from neurodeploy.ledger.source_model import find_model, reference_network
from neurodeploy.metrics import Labels, Task, read_labels
from neurodeploy.metrics.label_checks import look_at_labels
from neurodeploy.network import Network
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.program import INPUT, Program
from neurodeploy.program.partial_sums import joined
from neurodeploy.sample_checks import look_at_samples
from neurodeploy.samples import read_labels as load_labels
from neurodeploy.samples import read_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.simulator.threads import default_threads
from neurodeploy.warning import Warn, warner

__all__ = ["explain", "explain_against"]

Progress = Callable[[str, int, int], None]
Recompiler = Callable[[Program, Path, Mapping[str, Any], np.ndarray], Program]
#: Samples that blame is measured on, at most.
_BLAMED = 64
#: Values of one quantity held at once, over all populations: a batch holds about ten quantities.
_BATCH_VALUES = 2_000_000
#: Of those that are kept for blame.
_KEPT_VALUES = 50_000_000


def _quiet(*_: object) -> None:
    """Ignore progress."""


def explain(
    program: Program,
    x: Any,
    labels: Any = None,
    *,
    model: str | Path | None = None,
    near: str | Path | None = None,
    task: str | None = None,
    threads: int | None = None,
    recompile: Recompiler | None = None,
    seconds: float = 20.0,
    progress: Progress = _quiet,
    warn: Warn | None = None,
) -> Explanation:
    """Say which layer loses what between the ANN and the program, and which to blame first.

    Parameters
    ----------
    program
        Compiled from an ONNX file.
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input. An
        array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    labels
        (n, ...), as for `Result.scores`, for accuracies or errors (docs/metrics.md); default:
        those that come with `x`.
    model
        The ONNX file that was compiled; default: the file of the name that the program holds, in
        the folder `near` or the working directory, if its sha-256 is right.
    near
        Folder of the program's file.
    task
        What the outputs are, one of `metrics.KINDS`; default: as program and labels say.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    recompile
        Compiles a model again: program, path of the model, changed options, samples for
        calibration. With it advice is tried before it is given; without, it says that it was not.
    seconds
        Seconds that trying may take.
    progress
        Called with the name of a stage, the work done and the work there is.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        class ``DataWarning``.

    Returns
    -------
    Explanation

    Raises
    ------
    NeuroDeployError
        The model is missing, is another one, or does not fit the program; bad samples.
    """
    shape = program.encoder.sample_shape
    given = read_samples(x, shape, labels=labels is None)
    x = check_samples(given.x, shape)
    labels = (
        labels if isinstance(labels, Labels) else given.y if labels is None else load_labels(labels)
    )
    warn = warner(warn, DataWarning)
    look_at_samples(program, x, warn)
    if program.is_stream:
        warn("these are frames of a stream; each is explained alone, as after a refresh")
    judged = Task.of(program, task)
    known = None if labels is None else read_labels(judged, labels, len(x))
    if known is not None:
        judged = known.task
    look_at_labels(known, warn)
    if threads is not None and threads < 1:
        raise UsageError(f"{threads} is less than one", place="threads")
    path = find_model(program, model, near)
    network = reference_network(program, path)
    found = explain_against(
        program, network, x, known, judged, model=str(path), threads=threads, progress=progress
    )
    if found.blame.cause == "none":
        return found
    if recompile is None or seconds <= 0:
        return replace(found, blame=untried(found.blame, "`neurodeploy explain` tries it"))
    part = program.encoder.preprocessing.apply(x)
    candidates = remedies(
        found.blame.cause,
        at_input=found.blame.layer == INPUT,
        scheme=program.scheme,
        options=program.recorded("options"),
        input_range=(float(part.min()), float(part.max())),
    )
    blame = try_remedies(
        found.blame,
        candidates,
        partial(recompile, program, path),
        Evaluator(network),
        x,
        judged,
        seconds=seconds,
        threads=threads,
        progress=progress,
    )
    return replace(found, blame=blame)


def explain_against(
    program: Program,
    network: Network,
    x: np.ndarray,
    known: Labels | None = None,
    task: Task | None = None,
    *,
    model: str = "",
    threads: int | None = None,
    progress: Progress = _quiet,
) -> Explanation:
    """`explain` where the network, after the passes, is at hand; arguments are taken as right."""
    judged = task or Task.of(program)
    program = scheme_of(program).by_layer(joined(program))
    twin = match(program, network)
    runner = Runner(twin)
    values = program.neurons + twin.entrance.neurons
    threads = threads or default_threads()
    # not by the number of threads: results are the same for any
    size = max(1, min(16, _BATCH_VALUES // values))
    keep = max(1, min(_BLAMED, _KEPT_VALUES // (2 * values)))

    def work(first: int) -> tuple[Tally, Sample | None]:
        part = program.encoder.preprocessing.apply(x[first : first + size])
        with np.errstate(all="ignore"):  # what is not finite is refused below
            batch = runner.run(part, first)
            truth = None if known is None else known[first : first + size]
            return Tally.of(twin, batch, judged, truth), _kept(batch, keep - first)

    tally = Tally(twin, judged)
    samples: list[Sample] = []
    with ThreadPoolExecutor(threads) as pool:
        for counted, sample in pool.map(work, range(0, len(x), size)):
            tally.add(counted)
            samples += [sample] if sample is not None else []
            progress("compare", tally.samples, len(x))
        tally.check()

        def apply(function: Callable[[Sample], Errors], items: list[Sample]) -> Iterator[Errors]:
            for done, result in enumerate(pool.map(function, items), 1):
                yield result
                progress("blame", done, len(items))

        at_output = layers_at_output(twin, samples, apply)
        worst = max(at_output, key=lambda name: at_output[name])
        part = next(part for part in twin.parts if part.name == worst)
        causes = causes_at_output(twin, samples, part, apply)
    rows = tally.rows(at_output)
    (row,) = (row for row in rows if row.name == worst)
    return Explanation(
        samples=len(x),
        scheme=program.scheme,
        steps=program.period,
        model=model,
        summary=tally.summary(known),
        rows=rows,
        blame=advise(twin, part, row, causes, samples),
        task=judged.kind,
        task_reason=judged.reason,
    )


def _kept(batch: Batch, count: int) -> Sample | None:
    """The first `count` samples of a batch, for blame."""
    if count <= 0:
        return None
    nothing = np.zeros((1, 1), np.float32)
    return Sample(
        {name: value[:count] for name, value in batch.exact.items()},
        {name: value[:count] if value.any() else nothing for name, value in batch.late.items()},
    )
