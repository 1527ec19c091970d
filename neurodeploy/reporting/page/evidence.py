"""What a report is made of: the runs, done once and shared by its sections."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError
from neurodeploy.ledger import Explanation, explain
from neurodeploy.ledger.activation_code import top_of
from neurodeploy.ledger.source_model import find_ann
from neurodeploy.metrics import Labels, Task, read_labels
from neurodeploy.metrics.label_checks import look_at_labels
from neurodeploy.program import INPUT, Program
from neurodeploy.reporting.page import sample_budget
from neurodeploy.reporting.page.early_readout import EarlyReadout
from neurodeploy.reporting.results import Reference
from neurodeploy.sample_checks import look_at_samples
from neurodeploy.samples import Samples
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import Activity, activity
from neurodeploy.simulator.closed_form import is_window_coded
from neurodeploy.simulator.input_messages import messages_by_input
from neurodeploy.simulator.recording import Recording, record
from neurodeploy.simulator.result import Result
from neurodeploy.simulator.simulation import simulate
from neurodeploy.simulator.threads import default_threads
from neurodeploy.warning import Warn, quiet

__all__ = ["Evidence", "Stage", "collect", "told"]

#: Called with the name of a stage, the work done and the work there is.
Stage = Callable[[str, int, int], None]
_BATCH = 8


@dataclass(frozen=True, eq=False)
class Evidence:
    """Runs of a program on samples.

    Attributes
    ----------
    x, labels
        The samples that were simulated, and their labels as the task has them.
    task
        What the outputs are, by program and labels.
    steps, early
        Steps of the readout's window, and (steps, n, *prediction): what each would have said.
    sent
        By population, the input among them, int64 (neurons,): messages over all samples.
    said
        By population, float64 (neurons,): mean of what a neuron says, as a share of the largest
        it can say (a spike at every step; the earliest spike).
    index, label, recording
        The sample that was recorded, and its label where there is one.
    ann
        The ANN's outputs. None where the model is not there.
    ledger
        None where it could not be made; then `missing` says why, and what to do.
    """

    program: Program
    x: np.ndarray
    labels: Labels | None
    task: Task
    available: int
    result: Result
    steps: tuple[int, ...]
    early: np.ndarray
    sent: dict[str, np.ndarray]
    said: dict[str, np.ndarray]
    index: int
    label: int | None
    recording: Recording
    model: Path | None = None
    ann: Reference | None = None
    ledger: Explanation | None = None
    missing: str = ""
    names: dict[str, str] = field(default_factory=dict)


def collect(
    program: Program,
    samples: Samples,
    *,
    model: str | Path | None,
    near: str | Path | None,
    limit: int | None,
    index: int,
    threads: int | None,
    names: dict[str, str],
    progress: Stage,
    warn: Warn,
    task: str | None,
) -> Evidence:
    """Run everything there is to run.

    Parameters
    ----------
    model
        The ONNX file; must be the right one. None: looked for, and done without if not found.
    limit
        Samples to simulate; default: by the size of the program.
    index
        The sample to record.
    task
        What the outputs are; default: as program and labels say.

    Raises
    ------
    NeuroDeployError
        Samples that do not fit, a program that cannot be run sample by sample, a wrong `model`.
    """
    available = len(encoding.check_samples(samples.x, program.encoder.sample_shape))
    if not 0 <= index < available:
        raise DataError(
            f"there is no sample {index}: the file holds {available}",
            place="--sample",
            remedy=f"give a number from 0 to {available - 1}",
        )
    judged = Task.of(program, task)
    every = None if samples.y is None else read_labels(judged, samples.y, available)
    if every is not None:
        judged = every.task
    path, missing = _model(program, model, near)
    shown = encoding.check_samples(samples.x[index : index + 1], program.encoder.sample_shape)
    part = samples.limit(limit or sample_budget.simulated(program))
    x = encoding.check_samples(part.x, program.encoder.sample_shape)
    look_at_samples(program, x, warn)
    threads = threads or default_threads()
    coded = is_window_coded(program)
    n = len(x)
    labels = None if every is None else every[:n]
    look_at_labels(labels, warn)
    outputs_a_sample = program.population(program.decoder.population).size
    # only what is read at the window's end can be read before it
    can_read_early = program.decoder.code.membranes == "last" and not program.decoder.tail
    steps = (
        sample_budget.checkpoints(program.period, n * outputs_a_sample) if can_read_early else []
    )

    def advance(stage: str, total: int) -> Callable[[int], None]:
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            progress(stage, done, total)

        return add

    sent: dict[str, np.ndarray] = {}
    if coded:
        result, _ = simulate(program, x, threads=threads, progress=advance("simulate", n))
        sent, said, early = _coded(program, judged, x, steps, threads, advance("read early", n))
    else:
        result, outputs = simulate(
            program,
            x,
            threads=threads,
            checkpoints=steps,
            sent=sent,
            progress=advance("simulate", n),
        )
        said = {name: total / (n * program.period) for name, total in sent.items()}
        read = zip(outputs[: len(steps)], steps, strict=True)
        early = np.array([judged.predict(_whole(program, judged, *at)) for at in read])
    result = replace(result, task=judged)
    # batch by batch: the integers of all samples would take their memory once more
    sent[INPUT] = np.zeros(prod(program.encoder.shape), np.int64)
    for first in range(0, n, _BATCH):
        level = encoding.levels(program.encoder, x[first : first + _BATCH])
        sent[INPUT] += messages_by_input(program, level, first)
    watched = [p.name for p in program.populations if sample_budget.traced(program, p.size)]
    recording = record(
        program, encoding.levels(program.encoder, shown)[0], index, _watch(program, watched)
    )
    ann, ledger = None, None
    if path is not None:
        try:
            few = min(n, sample_budget.explained(program))
            ledger = explain(
                program,
                x[:few],
                None if labels is None else labels[:few],
                model=path,
                task=task,
                threads=threads,
                progress=progress,
                warn=quiet,  # the report's own samples, looked at already
            )
            progress("run the ANN", 0, 1)
            ann = Reference.compute(str(path), program, Samples(x, None))
            progress("run the ANN", 1, 1)
        except NeuroDeployError as error:
            if model is not None:
                raise
            missing = told(error)
    return Evidence(
        program=program,
        x=x,
        labels=labels,
        task=judged,
        available=available,
        result=result,
        steps=tuple(steps),
        early=early,
        sent=sent,
        said=said,
        index=index,
        label=int(every.values[index])
        if every is not None and judged.kind in ("binary", "classification")
        else None,
        recording=recording,
        model=path,
        ann=ann,
        ledger=ledger,
        missing=missing,
        names=names,
    )


def told(error: NeuroDeployError) -> str:
    """The message and the remedy in one sentence."""
    return error.message + (f"; {error.remedy}" if error.remedy else "")


def _model(
    program: Program, model: str | Path | None, near: str | Path | None
) -> tuple[Path | None, str]:
    """The ONNX file, or why there is none; one that was named has to be right."""
    try:
        return find_ann(program, model, near), ""
    except NeuroDeployError as error:
        if model is not None:
            raise
        return None, told(error)


def _watch(program: Program, allowed: list[str]) -> list[str]:
    """Populations whose membranes are shown: first, middle and last of those that fire."""
    inner = [
        p.name
        for p in program.order
        if p.neuron.fires and p.neuron.membrane_scale is not None and p.name in allowed
    ]
    chosen = {0, len(inner) // 2, len(inner) - 1} & set(range(len(inner)))
    return [inner[i] for i in sorted(chosen)]


def _whole(program: Program, task: Task, outputs: np.ndarray, step: int) -> np.ndarray:
    """Outputs of a rate code read at a step, as if the window ended there."""
    if task.kind == "regression" or task.threshold:  # else only their order and sign matter
        return outputs * np.float32(program.period / step)
    return outputs


def _coded(
    program: Program,
    task: Task,
    x: np.ndarray,
    steps: list[int],
    threads: int,
    advance: Callable[[int], None],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """Of a window code: messages, what neurons say in the mean, and what outputs say read early."""
    readout = EarlyReadout(program) if steps else None
    sent = {p.name: np.zeros(p.size, np.int64) for p in program.populations}
    sums = {p.name: np.zeros(p.size, np.int64) for p in program.populations}
    kind = np.float32 if task.kind == "regression" else np.int64
    early = np.zeros((len(steps), len(x), *task.predicted_shape), kind)
    unit = program.decoder.unit

    def work(first: int) -> tuple[int, Activity]:
        level = encoding.levels(program.encoder, x[first : first + _BATCH])
        found = activity(program, level, first)
        if readout is not None:
            membranes = readout.membranes(level, first, found.fired, steps)
            for row, membrane in zip(early, membranes, strict=True):
                row[first : first + _BATCH] = task.predict((membrane * unit).astype(np.float32))
        return len(level), found

    with ThreadPoolExecutor(threads) as pool:
        for count, found in pool.map(work, range(0, len(x), _BATCH)):
            for name, fired in found.fired.items():
                sent[name] += found.sent[name].sum(0)
                sums[name] += fired.sum(0)
            advance(count)
    top = {p.name: len(x) * top_of(p, program.period) for p in program.populations}
    return sent, {name: total / top[name] for name, total in sums.items()}, early
