"""The way of a network that spikes already, NIR, ONNX or a Network, to stages to a Program."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodeploy.compiling.fitting import fitted
from neurodeploy.conversion import make_scheme, scheme_of
from neurodeploy.conversion.check import converted, refused
from neurodeploy.conversion.converting import Conversion
from neurodeploy.conversion.direct import DirectScheme, calibration_of, direct_for
from neurodeploy.conversion.provenance import provenance_of
from neurodeploy.conversion.resolution import coarse_neurons
from neurodeploy.errors import ConversionError, DataError, NeuroDeployError, UsageError
from neurodeploy.importing import Imported, Report, examine, load_network
from neurodeploy.importing.in_memory import imported_network
from neurodeploy.importing.nir import Timing, examine_nir, is_nir, load_nir
from neurodeploy.importing.report.summary import Summary, count_findings, count_network
from neurodeploy.mapping import map_program
from neurodeploy.mapping.mapper import limits_broken
from neurodeploy.mapping.partial_sums import fit_sums
from neurodeploy.mapping.rules import tightest
from neurodeploy.metrics.task_from_network import infer_task
from neurodeploy.network import Network, Shape
from neurodeploy.network.stages import READOUT, Stage
from neurodeploy.network.stages import stages as cut
from neurodeploy.option_values import ends, one_of
from neurodeploy.program import Preprocessing, Program
from neurodeploy.program.bounds import overflow_findings
from neurodeploy.program.encoders import encoding_named
from neurodeploy.sample_scale import choose_preprocessing
from neurodeploy.samples import load_samples
from neurodeploy.targets import Target, load_target

if TYPE_CHECKING:
    from neurodeploy.conversion import Scheme

__all__ = ["check_spiking", "compile_spiking", "stages_of"]

#: Samples of integers are the integers.
_AS_THEY_ARE = Preprocessing(scale=1.0)


def compile_spiking(
    model: Any,
    calibration: Any,
    scheme: str | Scheme,
    given: Mapping[str, Any],
    target: str,
    *,
    seed: int,
    scale: float | None,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    input_range: tuple[float, float] | None,
    overflow: str,
    output: str | None,
    task: str | None,
    progress: Callable[[str, int, int], None],
    warn: Callable[[str], None],
) -> Program:
    """Compile a network that spikes already; see `neurodeploy.pipeline.compile`.

    Parameters
    ----------
    model
        A NIR graph, ONNX with operators of `ai.neurodeploy`, or a Network.
    calibration
        Samples (n, steps, *input shape) for the range of the input, or None.
    given
        Options of the scheme by name; None where the user said nothing.

    Raises
    ------
    NeuroDeployError
    """
    hardware = load_target(target)
    plan, line = _plan(model, scheme, given, hardware)
    one_of("--overflow", overflow, ("off", "warn", "error"))
    progress("import", 0, 1)
    recorded = encoding_named(plan.encoding).varies
    if recorded and (scale is not None or mean != (0.0,) or std != (1.0,)):
        raise UsageError(
            "recordings are taken as they are, without scale, mean and std",
            place="--scale, --mean, --std",
            remedy="leave them out",
        )
    if isinstance(model, Network):
        imported = imported_network(model, output)
    elif is_nir(model):
        imported = load_nir(model, _timing(plan), output)
    else:
        imported = load_network(model, output)
    network = imported.network
    shape = network.shapes[network.input.name]
    stages = cut(network)
    plan = _read(plan, model, stages)
    progress("import", 1, 1)
    if calibration is not None and not recorded:
        raise UsageError(
            "calibration samples say the range of recordings (frames) only",
            place="--calibration",
            remedy="leave them out, and state --input-range",
        )
    preprocessing, scale_from = _AS_THEY_ARE, "spikes"
    if not recorded:
        preprocessing, chosen = choose_preprocessing(imported, None, scale, mean, std)
        preprocessing.check(shape)
        scale_from = chosen.reason
    x = None if calibration is None else _samples(calibration, shape)
    if plan.steps is None and x is not None:
        plan = replace(plan, steps=x.shape[1])
    known = calibration_of(plan.encoding, ends("--input-range", input_range), x)
    if line and not isinstance(model, Network):
        warn(line)
    if stages[-1].name == READOUT and plan.decoder != "mean":
        warn("the last layer has no neurons: what it sends is added up over the steps of a sample")
    judged = infer_task(network, imported.decoder, imported.class_axis)
    if task is not None:
        judged = judged.as_kind(task)
    provenance = provenance_of(imported, x, known, scale_from, {"seed": seed}, judged.as_dict())
    work = Conversion(stages, shape, known, hardware, preprocessing, seed, provenance)
    program = work.program(plan)
    for coarse in coarse_neurons(stages, program):
        warn(coarse)
    findings = overflow_findings(program)
    if findings and overflow == "error":
        raise ConversionError(
            "an accumulator may overflow:\n  " + "\n  ".join(findings),
            remedy="use --overflow warn, or fewer --steps",
        )
    for finding in findings if overflow == "warn" else ():
        warn(finding)
    program = fitted(program, hardware, warn)
    for broken in limits_broken(program, hardware):
        warn(broken)
    progress("convert", 1, 1)
    return program


def stages_of(model: str | os.PathLike[str] | Network, program: Program) -> tuple[Stage, ...]:
    """The stages of the network that a program was made of, with the options that it records.

    Raises
    ------
    NeuroDeployError
        Another model, or one that cannot be read.
    """
    plan = scheme_of(program)
    if isinstance(model, Network):
        return cut(model)
    if is_nir(model) and isinstance(plan, DirectScheme):
        return cut(load_nir(model, _timing(plan)).network)
    return cut(load_network(model).network)


def _timing(plan: DirectScheme) -> Timing:
    """What NIR leaves open, as the options say it."""
    return Timing(plan.dt, plan.reset, plan.leak, plan.firing == "reached")


def _samples(given: Any, shape: Shape) -> np.ndarray:
    """Samples of sequences, (n, steps, *shape): only their range and their length are looked at."""
    x = given if isinstance(given, np.ndarray) else None
    if isinstance(given, str | os.PathLike):
        x = load_samples(Path(os.fsdecode(given)), labels=False).x
    if x is None or x.ndim != len(shape) + 2 or x.shape[2:] != shape or x.dtype.kind not in "biuf":
        found = type(given).__name__ if x is None else f"{x.dtype} {x.shape}"
        by = ", ".join(map(str, shape))
        raise DataError(
            f"{found}: samples of this network are (n, steps, {by})", place="calibration"
        )
    if not x.size or (x.dtype.kind == "f" and not np.isfinite(x).all()):
        raise DataError("no samples, or NaN or infinity among them", place="calibration")
    return x


def check_spiking(
    model: Any,
    scheme: str | Scheme,
    given: Mapping[str, Any],
    target: str,
    output: str | None,
) -> Report:
    """Every node of a NIR or ONNX file with verdict and reason; see `neurodeploy.checking.check`.

    What NIR leaves open and `compile` asks for (`dt`, `reset`) is asked for here, too, by the nodes
    that need it.
    """
    hardware = load_target(target)
    plan, _ = _plan(model, scheme, given, hardware)
    imported: Imported | None
    if isinstance(model, Network):
        imported = imported_network(model, output)
        summary = Summary(input=imported.input_name, output=imported.output_name)
        summary = count_network(count_findings(summary, imported.findings), model)
        report = Report("<network>", imported.findings, summary, len(imported.findings))
    elif is_nir(model):
        imported, report = examine_nir(model, _timing(plan), output)
    else:
        imported, report = examine(model, output)
    if imported is None:
        return report
    network = imported.network
    preprocessing = _AS_THEY_ARE if encoding_named(plan.encoding).varies else Preprocessing()
    known = calibration_of(plan.encoding, None)
    try:
        stages = cut(network)
        plan = _read(plan, model, stages)
        shape = network.shapes[network.input.name]
        program = plan.convert(stages, shape, known, hardware, preprocessing, 0, {})
        program = fit_sums(program, hardware).program
        mapping = map_program(program, hardware, placement="layers")
    except UsageError:
        raise
    except NeuroDeployError as error:
        return refused(report, [error])
    rules = tuple(map(str, tightest(mapping.findings)))
    return replace(converted(report, stages, program), hardware=rules, fits=mapping.ok)


def _is_onnx(model: Any) -> bool:
    return not isinstance(model, Network) and not is_nir(model)


def _plan(
    model: Any, scheme: str | Scheme, given: Mapping[str, Any], hardware: Target
) -> tuple[DirectScheme, str]:
    """The scheme with what the format leaves open, and a line where it is not the one named.

    Recordings come in as events; an ONNX graph is one step of a network that sees a sample without
    a time axis, the same at every step.
    """
    name, line = direct_for(scheme, "the network")
    plan = make_scheme(name, given, hardware)
    assert isinstance(plan, DirectScheme)
    if not _is_onnx(model):
        return plan, line
    for option in ("dt", "reset"):
        if getattr(plan, option) is not None:
            raise UsageError(
                "is for networks in continuous time; the operators of this one state it",
                place=f"--{option}",
                remedy="leave it out",
            )
    if isinstance(name, str) and given.get("encoding") is None:
        plan = replace(plan, encoding="current")
    return plan, line


def _read(plan: DirectScheme, model: Any, stages: tuple[Stage, ...]) -> DirectScheme:
    """What is read of the last layer: of an ONNX graph without neurons there, its mean."""
    if plan.decoder is None and _is_onnx(model) and stages[-1].name == READOUT:
        return replace(plan, decoder="mean")
    return plan
