"""The one place that knows the order of the compiler: ONNX to Program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from neurodeploy.errors import (
    CompileWarning,
    ConversionError,
    DataWarning,
    NeuroDeployError,
    UnsupportedError,
    UsageError,
)
from neurodeploy.option_values import ends, one_of, whole
from neurodeploy.program import Program
from neurodeploy.program.bounds import overflow_findings
from neurodeploy.sample_checks import check_calibration
from neurodeploy.sample_scale import choose_preprocessing
from neurodeploy.samples import read_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.targets import load_target
from neurodeploy.warning import Warn, warner

if TYPE_CHECKING:
    from neurodeploy.conversion import Scheme
    from neurodeploy.importing.reading.sources import Model
    from neurodeploy.ledger import Trial
    from neurodeploy.network import Network
    from neurodeploy.targets import Target

__all__ = ["Overflow", "Stage", "Warn", "compile"]

Overflow = Literal["off", "warn", "error"]
#: Called with the name of a stage, the work done and the work there is.
Stage = Callable[[str, int, int], None]


def _seed(given: int) -> int:
    seed = whole("--seed", given)
    if not 0 <= seed < 2**63:
        raise UsageError(f"{seed!r} is outside 0..2**63 - 1", place="--seed")
    return seed


def _quiet(*_: object) -> None:
    """Ignore progress."""


def compile(
    model: Model | Network,
    calibration: Any = None,
    scheme: str | Scheme = "rate",
    steps: int | None = None,
    target: str = "loihi2",
    reset: str | None = None,
    encoding: str | None = None,
    balance: str | None = None,
    l4: bool | None = None,
    seed: int = 0,
    *,
    percentile: float | None = None,
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
    **others: Any,
) -> Program:
    """Compile a trained ReLU network, or one that spikes already (NIR), to a spiking program.

    Parameters
    ----------
    model
        Path of the ONNX file, its bytes, an ``onnx.ModelProto`` or an ``onnx_ir.Model``; or the
        path or bytes of a NIR graph or of a lava-dl file (`.net`), or a
        `neurodeploy.network.Network` that spikes (`docs/spiking-networks.md`); these need no
        samples.
    calibration
        Samples (n, *input shape): float32 as the model takes them, or integers such as uint8
        images (then `scale`, `mean` and `std` say what the model takes). An array, the path of a
        `.npz` (array `x`) or `.npy` file, or an iterable of batches. Without samples, bounds are
        used. Of a network that spikes: (n, steps, *input shape), for the input's range alone.
    scheme
        Name of a scheme (`neurodeploy schemes` lists them), or one with its options, such as
        ``nd.Rate(steps=32, reset="zero")``. ``"auto"``: every scheme that the target can run and
        that has the options stated is tried on 128 calibration samples, and the one of shortest
        latency among those nearest to the ANN is taken, and said (docs/schemes.md).
    steps, reset, encoding, balance, percentile, others
        Options of the scheme by name (``steps=32``); None for its default. `neurodeploy schemes`
        lists them with ranges and defaults. Where the rate code keeps the ANN's class of fewer
        than 95 % of 64 samples and no percentile is stated, lower ones are tried as well; the best
        is taken, and said.
    target
        ``loihi1``, ``loihi2``, or the path of a target's TOML file.
    l4
        L4-norm correction; default: with Poisson input only, where it helps.
    seed
        Of the Poisson encoder.
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
    from neurodeploy.calibration.calibrating import calibrate
    from neurodeploy.conversion import AUTO, make_scheme
    from neurodeploy.conversion.converting import Conversion
    from neurodeploy.conversion.levels import notes_on_levels
    from neurodeploy.conversion.preparing import prepared
    from neurodeploy.conversion.provenance import provenance_of
    from neurodeploy.conversion.resolution import lost_channels
    from neurodeploy.importing import load_network
    from neurodeploy.importing.lava_dl import is_lava_dl
    from neurodeploy.importing.nir import is_nir
    from neurodeploy.importing.notes import notes_on
    from neurodeploy.importing.reading.spiking_models import is_spiking_onnx
    from neurodeploy.ledger.alternatives import best_alternative
    from neurodeploy.ledger.program_trial import run_trial
    from neurodeploy.mapping.mapper import limits_broken
    from neurodeploy.metrics.task_from_network import infer_task
    from neurodeploy.network import Network
    from neurodeploy.network.stages import stages as cut

    if is_lava_dl(model):
        from neurodeploy.compiling_lava_dl import compile_lava_dl

        if calibration is not None or scale is not None or mean != (0.0,) or std != (1.0,):
            raise UsageError(
                "calibration samples, scale, mean and std beside a lava-dl file, which is integers",
                place="--calibration",
                remedy="leave them out",
            )
        given = dict(others, steps=steps, reset=reset, encoding=encoding, balance=balance)
        return compile_lava_dl(
            model, scheme, {**given, "percentile": percentile, "l4": l4}, target,
            overflow=overflow, task=task, progress=progress, warn=warner(warn, CompileWarning),
        )  # fmt: skip
    if isinstance(model, Network) or is_nir(model) or is_spiking_onnx(model):
        from neurodeploy.compiling_spiking import compile_spiking

        given = dict(others, steps=steps, reset=reset, encoding=encoding, balance=balance)
        return compile_spiking(
            model, calibration, scheme, {**given, "percentile": percentile, "l4": l4}, target,
            seed=_seed(seed), scale=scale, mean=mean, std=std, input_range=input_range,
            overflow=overflow, output=output, task=task,
            progress=progress, warn=warner(warn, CompileWarning),
        )  # fmt: skip
    data_warn, warn = warner(warn, DataWarning), warner(warn, CompileWarning)
    hardware = load_target(target)
    given = dict(others, steps=steps, reset=reset, encoding=encoding, balance=balance)
    given["percentile"] = percentile
    if isinstance(scheme, str) and scheme == AUTO:
        make = partial(
            compile, target=target, l4=l4, seed=seed, scale=scale, mean=mean, std=std,
            input_range=input_range, overflow=overflow, output=output, task=task, try_samples=0,
        )  # fmt: skip
        program, trial, lines = _chosen(make, model, calibration, given, hardware, output, progress)
        for line in lines:
            warn(line)
        if whole("--try", try_samples, low=0):
            tried(trial)
            if trial.warning:
                warn(trial.warning)
        return program
    plan = make_scheme(scheme, given, hardware)
    one_of("--overflow", overflow, ("off", "warn", "error"))
    one_of("--l4", l4, (None, True, False))
    seed, try_samples = _seed(seed), whole("--try", try_samples, low=0)
    stated_range = ends("--input-range", input_range)

    progress("import", 0, 1)
    imported = load_network(model, output)
    for note in notes_on(imported):
        warn(note)
    shape = imported.network.shapes[imported.network.input.name]
    if calibration is not None:
        calibration = read_samples(calibration, shape, "calibration").x
        calibration = check_samples(calibration, shape, "calibration")
    preprocessing, chosen = choose_preprocessing(imported, calibration, scale, mean, std)
    if chosen.line:
        data_warn(chosen.line)
    l4 = plan.uses_noise if l4 is None else l4
    network = prepared(imported.network, plan, l4=l4)
    stages = cut(network, max_pooling=plan.max_pooling)
    plan.check_stages(stages)
    progress("import", 1, 1)

    for line in notes_on_levels(stages, plan):
        warn(line)
    preprocessing.check(shape)
    if calibration is not None:
        check_calibration(calibration, preprocessing, scale is not None, stated_range, data_warn)
    known = calibrate(network, stages, calibration, preprocessing, stated_range, progress, warn)
    seen = known.output_range if known.samples else None
    judged = infer_task(imported.network, imported.decoder, imported.class_axis, seen)
    if task is not None:
        judged = judged.as_kind(task)
    options, about = {"l4": l4, "seed": seed}, judged.as_dict()
    provenance = provenance_of(imported, calibration, known, chosen.reason, options, about)
    work = Conversion(stages, shape, known, hardware, preprocessing, seed, provenance)
    program = work.program(plan)
    stated = {name for name, value in given.items() if value is not None}
    others_worth = plan.alternatives(stated) if calibration is not None else ()
    if others_worth:
        made = {other.told(plan): partial(work.program, other) for other in others_worth}
        program, line = best_alternative(program, made, imported.network, calibration)
        if line:
            warn(line)
    findings = overflow_findings(program)
    if findings and overflow == "error":
        raise ConversionError(
            "an accumulator may overflow:\n  " + "\n  ".join(findings),
            remedy="use --overflow warn, fewer --steps, or --reset subtract",
        )
    for line in findings if overflow == "warn" else ():
        warn(line)
    for line in lost_channels(stages, program, known):
        warn(line)
    for line in limits_broken(program, hardware):
        warn(line)
    progress("convert", 1, 1)
    if try_samples and calibration is not None:
        progress("try", 0, 1)
        trial = run_trial(program, imported.network, network, calibration, try_samples)
        tried(trial)
        if trial.warning:
            warn(trial.warning)
        progress("try", 1, 1)
    return program


def _chosen(
    make: Callable[..., Program],
    model: Model,
    calibration: Any,
    given: Mapping[str, Any],
    hardware: Target,
    output: str | None,
    progress: Stage,
) -> tuple[Program, Trial, list[str]]:
    """The program of the scheme that is best for a network and a target, and what to say of it."""
    from neurodeploy.conversion import AUTO, candidates
    from neurodeploy.importing import load_network
    from neurodeploy.ledger.choosing import choose

    taken, left_out = candidates(given, hardware)
    if calibration is None:
        raise UsageError(
            "schemes are compared on calibration samples, and there are none",
            place=f"--scheme {AUTO}",
            remedy=f"give --calibration, or name one of {', '.join(taken)}",
        )
    network = load_network(model, output).network
    x = read_samples(calibration, network.shapes[network.input.name], "calibration").x
    programs: dict[str, Program] = {}
    lines: dict[str, list[str]] = {}
    refusal: NeuroDeployError | None = None
    for done, name in enumerate(taken):
        progress("choose", done, len(taken))
        said: list[str] = []
        try:
            programs[name] = make(model, x, scheme=name, warn=said.append, **given)
        except (ConversionError, UnsupportedError, UsageError) as error:
            left_out[name], refusal = error.message, error
            continue
        lines[name] = said
    if refusal is not None and not programs:
        raise refusal
    choice = choose(programs, network, x)
    progress("choose", len(taken), len(taken))
    if not choice.name:
        notes = "; ".join(f"{name}: {trial.note}" for name, trial in choice.trials.items())
        raise UsageError(
            f"no scheme could be tried on the calibration samples: {notes}",
            place=f"--scheme {AUTO}",
            remedy=f"name one of {', '.join(programs)}",
        )
    line = f"scheme {choice.reason}"
    if left_out:
        line += "; left out: " + "; ".join(f"{n} ({why})" for n, why in left_out.items())
    program = programs[choice.name]
    record = {"choice": choice.as_dict() | {"left_out": left_out, "reason": line}}
    program = replace(program, provenance={**program.provenance, **record})
    return program, choice.trials[choice.name], [line, *lines[choice.name]]
