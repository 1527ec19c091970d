"""The one place that knows the order: ONNX to Program, Program to results."""

from __future__ import annotations

import hashlib
import operator
import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

import neurodeploy
from neurodeploy.errors import (
    CompileWarning,
    ConversionError,
    DataWarning,
    NeuroDeployError,
    ProgramError,
    RunWarning,
    UsageError,
)
from neurodeploy.metrics.task import Task
from neurodeploy.program import Encoding, Preprocessing, Program
from neurodeploy.program.bounds import bounds
from neurodeploy.sample_checks import check_calibration, look_at_samples
from neurodeploy.sample_scale import ScaleChoice, choose_scale
from neurodeploy.samples import read_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.simulator.result import warn_of_overflow
from neurodeploy.targets import Target, load_target
from neurodeploy.warning import Warn, quiet, warner

if TYPE_CHECKING:
    from neurodeploy.conversion.balance import Balance
    from neurodeploy.conversion.rate import ResetMode
    from neurodeploy.importing import Imported, Report
    from neurodeploy.importing.sources import Model
    from neurodeploy.ledger import Trial
    from neurodeploy.network import Network
    from neurodeploy.simulator.result import Result

__all__ = ["SCHEMES", "Overflow", "Stage", "Warn", "check", "compile", "simulate"]

#: Conversion schemes by name.
SCHEMES = ("rate", "ttfs")
Overflow = Literal["off", "warn", "error"]
#: Of non-zero activations, for thresholds of the rate code; lowered where a trial asks for it.
DEFAULT_PERCENTILE = 99.9
#: Called with the name of a stage, the work done and the work there is.
Stage = Callable[[str, int, int], None]


def _quiet(*_: object) -> None:
    """Ignore progress."""


def compile(
    model: Model,
    calibration: Any = None,
    scheme: str = "rate",
    steps: int = 32,
    target: str = "loihi2",
    reset: ResetMode | None = None,
    encoding: Encoding | None = None,
    balance: Balance | None = None,
    l4: bool | None = None,
    seed: int = 0,
    *,
    percentile: float = 99.9,
    scale: float | None = None,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
    input_range: tuple[float, float] | None = None,
    overflow: Overflow = "warn",
    output: str | None = None,
    task: str | None = None,
    try_samples: int = 128,
    tried: Callable[[Trial], None] = _quiet,
    progress: Stage = _quiet,
    warn: Warn | None = None,
) -> Program:
    """Compile a trained ReLU network to a spiking program.

    Parameters
    ----------
    model
        Path of the ONNX file, its bytes, an ``onnx.ModelProto`` or an ``onnx_ir.Model``.
    calibration
        Samples (n, *input shape): float32 as the model takes them, or integers such as uint8
        images (then `scale`, `mean` and `std` say what the model takes). An array, the path of a
        `.npz` (array `x`) or `.npy` file, or an iterable of batches. Without samples, bounds are
        used.
    scheme
        ``rate`` or ``ttfs`` (time to first spike).
    steps
        Time steps a sample; with ``ttfs`` the steps of a layer's window.
    target
        ``loihi1``, ``loihi2``, or the path of a target's TOML file.
    reset
        ``subtract`` or ``zero``; default: ``subtract`` where the target has microcode.
    encoding
        ``current``, ``deterministic`` or ``poisson``; default: ``current`` where the target has
        graded spikes, else ``deterministic``.
    balance
        ``percentile``, ``max`` or ``mmse``; default: percentile for rate, mmse for ttfs.
    l4
        L4-norm correction; default: with Poisson input only, where it helps.
    seed
        Of the Poisson encoder.
    percentile
        Of `balance` percentile, over non-zero activations. Where neither is stated and the rate
        code keeps the ANN's class of fewer than 95 % of 64 samples, 99 and 98 are tried
        as well; the best is taken, and said.
    scale, mean, std
        ``(raw * scale - mean) / std`` for samples of an integer dtype, stored in the program.
        The default scale is 1/255 where model and calibration say that these are images, else
        1 (`docs/samples.md`); a warning says which.
    input_range
        Lowest and highest network input; default: from the samples, else 0..1.
    overflow
        What to do where the compiler cannot prove that nothing overflows.
    output
        Name of the model's output to compute, where it has several; default: the first.
    task
        What the outputs are, one of `metrics.KINDS`; default: inferred (docs/metrics.md).
    try_samples
        So many calibration samples are run on the program and on the ANN, for about two seconds;
        who keeps less than 95 % of the ANN's classes is warned (`docs/trial.md`). 0: none.
    tried
        Called with the outcome, a `neurodeploy.ledger.Trial`. It never changes the program.
    progress
        Called with the name of a stage, the work done and the work there is.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        classes ``CompileWarning`` and ``DataWarning``.

    Returns
    -------
    Program

    Raises
    ------
    NeuroDeployError
        ModelError, UnsupportedError, DataError, TargetError, UsageError or ConversionError.

    References
    ----------
    Rueckauer et al. 2017 (threshold balancing); Allred & Roy 2021 (L4 norm).
    """
    data_warn, warn = warner(warn, DataWarning), warner(warn, CompileWarning)
    hardware = load_target(target)
    steps, seed = _whole("--steps", steps), _whole("--seed", seed)
    percentile = _number("--percentile", percentile)
    plan = _scheme(scheme, steps, reset, encoding, balance, percentile, hardware)
    if overflow not in ("off", "warn", "error"):
        raise UsageError(f"{overflow!r} is not off, warn or error", place="--overflow")
    if not 0 <= seed < 2**63:
        raise UsageError(f"{seed!r} is outside 0..2**63 - 1", place="--seed")
    try_samples = _whole("--try", try_samples)
    if try_samples < 0:
        raise UsageError(f"{try_samples} is less than zero", place="--try")
    if l4 not in (None, True, False):
        raise UsageError(f"{l4!r} is not true, false or None", place="--l4")
    from neurodeploy.importing import load_network

    progress("import", 0, 1)
    imported = load_network(model, output)
    if imported.other_outputs:
        others = imported.other_outputs
        named = ", ".join(map(repr, others[:10])) + (", ..." if len(others) > 10 else "")
        warn(
            f"takes output {imported.output_name!r} of {1 + len(others)}; the others ({named}) "
            "are left out; choose with --output-name"
        )
    if imported.decoder:
        warn(
            f"the final {', '.join(imported.decoder)} is left to the reader: outputs are what "
            "goes into it, their order is the same"
            + (f"; {imported.note}" if imported.note else "")
        )
    if imported.classes and imported.classes != tuple(range(len(imported.classes))):
        warn(_named(imported.classes))
    if calibration is not None:
        shape = imported.network.shapes[imported.network.input.name]
        calibration = read_samples(calibration, shape, "calibration").x
        calibration = check_samples(calibration, shape, "calibration")
    preprocessing, chosen = _preprocessing(imported, calibration, scale, mean, std)
    if chosen.line:
        data_warn(chosen.line)
    if l4 is None:
        l4 = scheme == "rate" and plan.encoding == "poisson"
    network = _passed(imported.network, plan, l4)
    stages = _cut(network, plan)
    progress("import", 1, 1)

    shape = network.shapes[network.input.name]
    preprocessing.check(shape)
    if calibration is not None:
        check_calibration(
            calibration, preprocessing, scale is not None, _ends(input_range), data_warn
        )
    known = _calibrate(network, stages, calibration, preprocessing, input_range, progress, warn)
    options = {
        **{key: value for key, value in asdict(plan).items() if key != "name"},
        "l4": l4,
        "seed": seed,
        "input_range": list(known.input_range),
        "output_range": list(known.output_range),
    }
    from neurodeploy.metrics.inferring import infer_task

    judged = infer_task(
        imported.network,
        imported.decoder,
        imported.class_axis,
        known.output_range if known.samples else None,
    )
    if task is not None:
        judged = judged.as_kind(task)
    provenance: dict[str, Any] = {
        "model": {
            "file": imported.file,
            "sha256": imported.sha256,
            "external_sha256": dict(imported.external_sha256),
            "producer": imported.producer,
            "opset": imported.opset,
            "input": imported.input_name,
            "output": imported.output_name,
            "decoder": list(imported.decoder),
            "classes": list(imported.classes),
        },
        "calibration": {
            "samples": known.samples,
            "sha256": "" if calibration is None else _digest(calibration),
            "dtype": "" if calibration is None else str(calibration.dtype),
            "scale_from": chosen.reason,
        },
        "task": judged.as_dict(),
        "options": options,
        "versions": {"neurodeploy": neurodeploy.__version__, "numpy": np.__version__},
        "platform": platform.machine(),
    }
    program = plan.convert(stages, shape, known, hardware, preprocessing, seed, provenance)
    by_default = scheme == "rate" and balance is None and percentile == DEFAULT_PERCENTILE
    if by_default and calibration is not None:
        from neurodeploy.ledger.percentile import lower_percentile

        def again(percent: float) -> Program:
            changed = {**options, "percentile": percent}
            return replace(plan, percentile=percent).convert(
                stages,
                shape,
                known,
                hardware,
                preprocessing,
                seed,
                {**provenance, "options": changed},
            )

        samples = check_samples(calibration, shape, "calibration")
        program, said = lower_percentile(program, again, imported.network, samples)
        if said:
            warn(said)
    findings = tuple(overflow_findings(program))
    if findings and overflow == "error":
        raise ConversionError(
            "an accumulator may overflow:\n  " + "\n  ".join(findings),
            remedy="use --overflow warn, fewer --steps, or --reset subtract",
        )
    if overflow == "warn":
        for finding in findings:
            warn(finding)
    _warn_of_limits(program, hardware, warn)
    progress("convert", 1, 1)
    if try_samples and calibration is not None:
        progress("try", 0, 1)
        _try(program, imported.network, network, calibration, try_samples, tried, warn)
        progress("try", 1, 1)
    return program


def _named(classes: tuple[int | str, ...]) -> str:
    """What the outputs of a classifier stand for, where that is not 0, 1, 2, ..."""
    shown = ", ".join(f"{index} is {label!r}" for index, label in enumerate(classes[:10]))
    more = ", ..." if len(classes) > 10 else ""
    return (
        f"the classes have labels of their own ({shown}{more}): predictions, and the labels that "
        "accuracy is measured with, are their positions"
    )


def _try(
    program: Program,
    ann: Network,
    passed: Network,
    x: np.ndarray,
    count: int,
    tried: Callable[[Trial], None],
    warn: Warn,
) -> None:
    """Say what a program keeps of the ANN; the seconds grow with the samples asked for."""
    from neurodeploy.ledger.trial import FEW, SECONDS, try_program

    x = check_samples(x, program.encoder.sample_shape, "calibration")
    trial = try_program(program, ann, passed, x, count, SECONDS * max(1.0, count / FEW))
    tried(trial)
    if trial.warning:
        warn(trial.warning)


def _warn_of_limits(program: Program, hardware: Target, warn: Warn) -> None:
    """One line where the program does not fit its target: it can still be simulated."""
    from neurodeploy.mapping import map_program

    try:
        mapped = map_program(program, hardware, placement="layers")
    except ProgramError as error:  # too large to be mapped
        warn(f"does not fit {hardware.title}: {error.message}")
        return
    broken = [f for f in mapped.findings if not f.ok]
    if broken:
        more = f" (and {len(broken) - 1} more: `neurodeploy map`)" if len(broken) > 1 else ""
        warn(f"does not fit {hardware.title}: {broken[0]}{more}")


def _passed(network: Network, plan: Any, l4: bool = False) -> Network:
    """The network after the passes."""
    from neurodeploy.passes import L4Correction, run_passes, standard_passes

    network = run_passes(network, standard_passes(max_pooling=plan.max_pooling))
    return L4Correction().apply(network) if l4 else network


def _cut(network: Network, plan: Any) -> tuple[Any, ...]:
    """The stages of a network."""
    from neurodeploy.network.stages import stages as cut

    return cut(network, max_pooling=plan.max_pooling)


def _whole(option: str, value: Any) -> int:
    """A whole number of any integer type."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise UsageError(f"{value!r} is not a whole number", place=option) from None


def _number(option: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{value!r} is not a number", place=option) from None


def _numbers(option: str, values: Any) -> tuple[float, ...]:
    """One number or several."""
    return tuple(_number(option, value) for value in np.atleast_1d(np.asarray(values, object)))


def _known(scheme: str) -> str:
    """The name of a scheme that there is."""
    if scheme not in SCHEMES:
        raise UsageError(
            f"{scheme!r} is not a scheme; there are: {', '.join(SCHEMES)}", place="--scheme"
        )
    return scheme


def _scheme(
    scheme: str,
    steps: int,
    reset: ResetMode | None,
    encoding: Encoding | None,
    balance: Balance | None,
    percentile: float,
    target: Target,
) -> Any:
    from neurodeploy.conversion import RateScheme, TtfsScheme

    if _known(scheme) == "ttfs":
        for option, value in (("--reset", reset), ("--encoding", encoding)):
            if value is not None:
                raise UsageError(
                    f"{value} is an option of the rate scheme",
                    place=option,
                    remedy="leave it out with --scheme ttfs",
                )
        return TtfsScheme(steps=steps, balance=balance or "mmse", percentile=percentile)
    return RateScheme(
        steps=steps,
        reset=reset or ("subtract" if target.microcode else "zero"),
        encoding=encoding or ("current" if target.graded_bits else "deterministic"),
        balance=balance or "percentile",
        percentile=percentile,
    )


def _preprocessing(
    imported: Imported,
    calibration: np.ndarray | None,
    scale: float | None,
    mean: Any,
    std: Any,
) -> tuple[Preprocessing, ScaleChoice]:
    """What integer samples become, as stated or else as model and calibration show."""
    from neurodeploy.network.evaluate import Evaluator

    mean, std = _numbers("--mean", mean), _numbers("--std", std)
    network = imported.network

    def outputs(x: np.ndarray) -> np.ndarray:
        return Evaluator(network).run(x)[network.output.name]

    if scale is None:
        chosen = choose_scale(calibration, imported.integer_input, mean, std, outputs)
    else:
        chosen = ScaleChoice(_number("--scale", scale), "stated")
    try:
        return Preprocessing(chosen.scale, mean, std), chosen
    except ProgramError as error:
        raise UsageError(error.message, place="--scale, --mean, --std") from None


def _ends(input_range: Any) -> tuple[float, float] | None:
    """Lowest and highest input as stated."""
    if input_range is None:
        return None
    ends = _numbers("--input-range", input_range)
    if len(ends) != 2 or not np.isfinite(ends).all() or ends[0] >= ends[1]:
        raise UsageError(f"{input_range} is not a range", place="--input-range")
    return ends[0], ends[1]


def _calibrate(
    network: Network,
    stages: tuple[Any, ...],
    x: np.ndarray | None,
    preprocessing: Preprocessing,
    input_range: tuple[float, float] | None,
    progress: Stage,
    warn: Warn,
) -> Any:
    """Statistics from the samples, or bounds without any."""
    from neurodeploy.calibration import collect, data_free

    input_range = _ends(input_range)
    shape = network.shapes[network.input.name]
    if x is None:
        low, high = input_range or _stated_range(preprocessing)
        warn(
            "no calibration samples: thresholds come from worst-case bounds, which cost most of "
            f"the accuracy (input taken to lie in {low:g}..{high:g}); give --calibration"
        )
        return data_free(stages, shape, low, high)
    x = check_samples(x, shape, "calibration")
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("calibrate", done, 2 * len(x))

    known = collect(network, x, preprocessing.apply, report)
    return known if input_range is None else replace(known, input_range=input_range)


def _stated_range(preprocessing: Preprocessing) -> tuple[float, float]:
    """What 0..255 becomes; the range of an ordinary image."""
    ends = np.array([[0.0], [255.0]]) * preprocessing.scale
    values = (ends - np.array(preprocessing.mean)[None]) / np.array(preprocessing.std)[None]
    return float(values.min()), float(values.max())


def _digest(x: np.ndarray) -> str:
    """SHA-256 of an array's dtype, shape and content."""
    x = np.ascontiguousarray(x)
    digest = hashlib.sha256(f"{x.dtype.str} {x.shape}".encode())
    digest.update(x.data)
    return digest.hexdigest()


def overflow_findings(program: Program) -> list[str]:
    """Accumulators that are not proved to stay in their registers: layer, rule, value, limit."""
    found = []
    for name, proof in bounds(program).items():
        for rule, cannot, extremes in (
            ("current in 24 bit", proof.cannot_wrap, proof.current),
            ("membrane in 24 bit", proof.cannot_clip, proof.membrane),
        ):
            if not cannot and extremes is not None:
                worst = max(-extremes[0], extremes[1])
                found.append(
                    f"{name}: {rule}: worst case {worst} is {worst / 2**23:.1f} times the "
                    f"limit {2**23 - 1} (range {extremes[0]}..{extremes[1]})"
                )
    return found


def simulate(
    program: Program,
    x: Any,
    *,
    limit: int | None = None,
    threads: int | None = None,
    workers: str | None = None,
    memory: str | int | None = None,
    task: str | None = None,
    progress: Callable[[int], None] | None = None,
    warn: Warn | None = None,
) -> Result:
    """Run samples through a program on the CPU, bit for bit as `docs/semantics.md` defines.

    Parameters
    ----------
    x
        (n, *input shape): float32 as the ONNX model takes it, or integers (preprocessed as the
        program says). An array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    limit
        Only the first so many.
    threads
        Default: all cores. The result does not depend on it.
    workers
        Address of a dask scheduler, ``tcp://host:8786``: run on the workers of that cluster, on
        all their threads (`docs/simulate.md`). The result does not depend on it.
    memory
        Limit for the buffers of the run, of each worker if there are `workers`: bytes, or a size
        like ``2GiB`` or ``500MB``. Default: half of what is available.
    task
        What the outputs are, one of `metrics.KINDS`; default: as the program says.
    progress
        Called with the number of samples just finished.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        classes ``DataWarning`` and ``RunWarning``.

    Returns
    -------
    Result
        `outputs` (n, *output shape), `predictions`, `scores(labels)`, `spikes_per_sample`,
        `checksum`, ...

    Raises
    ------
    NeuroDeployError
        UsageError, DataError, ProgramError; DeploymentError where `workers` cannot be used.
    """
    from neurodeploy.simulator.memory import parse_size
    from neurodeploy.simulator.simulation import simulate as run

    for option, value in (("limit", limit), ("threads", threads)):
        if value is not None and _whole(option, value) < 1:
            raise UsageError(f"{value} is less than one", place=option)
    most = None if memory is None else parse_size(memory)
    judged = Task.of(program, task)
    shape = program.encoder.sample_shape
    x = check_samples(read_samples(x, shape, limit=limit).x, shape)
    look_at_samples(program, x, warner(warn, DataWarning))
    if workers is None:
        result = run(program, x, threads=threads, memory=most, progress=progress)[0]
    else:
        if threads is not None:
            raise UsageError(
                "the workers decide about threads", place="--threads", remedy="leave it out"
            )
        from neurodeploy.simulator.sharding import simulate_on

        result = simulate_on(workers, program, x, memory=most, progress=progress)
    warn_of_overflow(result, warner(warn, RunWarning))
    return replace(result, task=judged)


def check(
    model: Model,
    scheme: str = "rate",
    target: str = "loihi2",
    steps: int = 32,
    *,
    output: str | None = None,
    annotate: str | Path | None = None,
) -> Report:
    """Every node of an ONNX file with verdict, reason and remedy.

    Goes the way of `compile` without samples and with its other defaults: importer, passes,
    bounds, conversion. `Report.ok` holds exactly if that succeeds. With samples thresholds are
    others, and whether they fit the registers is known only then; the verdicts on nodes stay.
    A network of more than `conversion.check.MAX_TRIED` synapses is cut into populations, but not
    converted; `Report.summary.not_covered` says so.

    Parameters
    ----------
    model, scheme, target, steps, output
        As for `compile`.
    annotate
        Write a copy of the model here, with the verdicts in its metadata.

    Returns
    -------
    Report
        `ok`, `findings` and `summary`.

    Raises
    ------
    NeuroDeployError
        UsageError or TargetError: options that are off or exclude each other, or something that
        is no model by its type. With `annotate`
        also ModelError (not an ONNX file) and StorageError.
    """
    from neurodeploy.importing import examine

    hardware = load_target(target)
    plan = _scheme(scheme, _whole("--steps", steps), None, None, None, 99.9, hardware)
    imported, report = examine(model, output)
    if imported is not None:
        report = _tried(imported.network, report, plan, hardware)
    if annotate is not None:
        from neurodeploy.reporting.annotation import write_annotated

        write_annotated(model, annotate, report, {"scheme": scheme, "target": hardware.name})
    return report


def _tried(network: Network, report: Report, plan: Any, hardware: Target) -> Report:
    """The report after passes and conversion, without samples."""
    from neurodeploy.conversion.check import MAX_TRIED, converted, refusals, refused, synapses

    try:
        network = _passed(network, plan)
        stages = _cut(network, plan)
    except NeuroDeployError as error:
        return refused(report, refusals(network, error, lambda other: _cut(other, plan)))
    report = converted(report, stages, None)
    count = synapses(stages)
    if count > MAX_TRIED:
        reason = (
            f"its {count:,} synapses were not tried against the registers (up to "
            f"{MAX_TRIED:,} are): compile with samples does it"
        )
        return replace(report, summary=replace(report.summary, not_covered=reason))
    preprocessing = Preprocessing()
    shape = network.shapes[network.input.name]
    try:
        known = _calibrate(network, stages, None, preprocessing, None, _quiet, quiet)
        program = plan.convert(stages, shape, known, hardware, preprocessing, 0, {})
    except UsageError:  # options that exclude each other, not a verdict on the model
        raise
    except NeuroDeployError as error:
        return refused(report, [error])
    from neurodeploy.mapping import map_program
    from neurodeploy.mapping.rules import tightest

    try:
        mapping = map_program(program, hardware, placement="layers")
    except ProgramError as error:  # too large to be mapped: it can be compiled all the same
        told = replace(converted(report, stages, program), hardware=(error.message,))
        return replace(told, fits=False)
    rules = tuple(map(str, tightest(mapping.findings)))
    return replace(converted(report, stages, program), hardware=rules, fits=mapping.ok)
