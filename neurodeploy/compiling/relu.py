"""The way of a trained ReLU network: ONNX to Network to stages to a Program, and a trial of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from neurodeploy.calibration.calibrating import calibrate
from neurodeploy.compiling.fitting import fitted
from neurodeploy.conversion import make_scheme
from neurodeploy.conversion.converting import Conversion
from neurodeploy.conversion.levels import notes_on_levels
from neurodeploy.conversion.preparing import prepared
from neurodeploy.conversion.provenance import provenance_of
from neurodeploy.conversion.resolution import coarse_channels
from neurodeploy.errors import ConversionError
from neurodeploy.importing import load_network
from neurodeploy.importing.notes import notes_on
from neurodeploy.ledger.alternatives import best_alternative
from neurodeploy.ledger.program_trial import run_trial
from neurodeploy.mapping.mapper import limits_broken
from neurodeploy.metrics.task_from_network import infer_task
from neurodeploy.network.stages import stages as cut
from neurodeploy.option_values import ends, one_of, whole
from neurodeploy.program import Program
from neurodeploy.program.bounds import overflow_findings
from neurodeploy.program.choices import Choice
from neurodeploy.sample_checks import check_calibration
from neurodeploy.sample_scale import choose_preprocessing
from neurodeploy.samples import read_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.targets import Target

if TYPE_CHECKING:
    from neurodeploy.conversion import Scheme
    from neurodeploy.importing.reading.sources import Model
    from neurodeploy.ledger import Trial

__all__ = ["compile_relu"]


def compile_relu(
    model: Model,
    calibration: Any,
    scheme: str | Scheme,
    given: Mapping[str, Any],
    hardware: Target,
    *,
    l4: bool | None,
    seed: int,
    scale: float | None,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    input_range: tuple[float, float] | None,
    overflow: str,
    output: str | None,
    task: str | None,
    try_samples: int,
    tried: Callable[[Trial], None],
    progress: Callable[[str, int, int], None],
    warn: Callable[[str], None],
    data_warn: Callable[[str], None],
) -> Program:
    """See `neurodeploy.compile`; `given` holds the options of the scheme, None where not stated.

    Parameters
    ----------
    warn, data_warn
        Take a line about the program, and one about the samples.
    """
    plan = make_scheme(scheme, given, hardware)
    one_of("--overflow", overflow, ("off", "warn", "error"))
    one_of("--l4", l4, (None, True, False))
    try_samples = whole("--try", try_samples, low=0)
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
    fan_in = hardware.core.largest_fan_in
    choices: list[Choice] = []
    network = prepared(imported.network, plan, l4=l4, largest_fan_in=fan_in, told=choices)
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
    provenance["passes"] = {"largest_fan_in": fan_in}
    provenance["choices"] = [choice.as_dict() for choice in choices]
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
    for line in coarse_channels(stages, program, known):
        warn(line)
    program = fitted(program, hardware, warn)
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
