"""The way of a network that spikes already: a NIR graph or a Network to stages to a Program."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodeploy.conversion import make_scheme
from neurodeploy.conversion.check import converted, refused
from neurodeploy.conversion.converting import Conversion
from neurodeploy.conversion.direct import DirectScheme, calibration_of, direct_for
from neurodeploy.conversion.provenance import provenance_of
from neurodeploy.errors import ConversionError, DataError, NeuroDeployError, UsageError
from neurodeploy.importing.in_memory import imported_network
from neurodeploy.importing.nir import examine_nir, load_nir
from neurodeploy.mapping import map_program
from neurodeploy.mapping.mapper import limits_broken
from neurodeploy.mapping.rules import tightest
from neurodeploy.metrics.task_from_network import infer_task
from neurodeploy.network import Network, Shape
from neurodeploy.network.stages import READOUT
from neurodeploy.network.stages import stages as cut
from neurodeploy.option_values import ends, one_of
from neurodeploy.program import Preprocessing, Program
from neurodeploy.program.bounds import overflow_findings
from neurodeploy.program.encoders import encoding_named
from neurodeploy.sample_scale import choose_preprocessing
from neurodeploy.samples import load_samples
from neurodeploy.targets import load_target

if TYPE_CHECKING:
    from neurodeploy.conversion import Scheme
    from neurodeploy.importing import Report

__all__ = ["check_nir", "compile_spiking"]

Model = str | os.PathLike[str] | bytes | Network
#: Samples of integers are the integers.
_AS_THEY_ARE = Preprocessing(scale=1.0)


def compile_spiking(
    model: Model,
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
    calibration
        Samples (n, steps, *input shape) for the range of the input, or None.
    given
        Options of the scheme by name; None where the user said nothing.

    Raises
    ------
    NeuroDeployError
    """
    hardware = load_target(target)
    name, line = direct_for(scheme, "the network")
    plan = make_scheme(name, given, hardware)
    assert isinstance(plan, DirectScheme)
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
    else:
        imported = load_nir(model, plan.dt, plan.reset, output)
    network = imported.network
    shape = network.shapes[network.input.name]
    stages = cut(network)
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
    if stages[-1].name == READOUT:
        warn("the last layer has no neurons: what it sends is added up over the steps of a sample")
    judged = infer_task(network)
    if task is not None:
        judged = judged.as_kind(task)
    provenance = provenance_of(imported, x, known, scale_from, {"seed": seed}, judged.as_dict())
    work = Conversion(stages, shape, known, hardware, preprocessing, seed, provenance)
    program = work.program(plan)
    findings = overflow_findings(program)
    if findings and overflow == "error":
        raise ConversionError(
            "an accumulator may overflow:\n  " + "\n  ".join(findings),
            remedy="use --overflow warn, or fewer --steps",
        )
    for finding in findings if overflow == "warn" else ():
        warn(finding)
    for broken in limits_broken(program, hardware):
        warn(broken)
    progress("convert", 1, 1)
    return program


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


def check_nir(
    model: str | os.PathLike[str] | bytes,
    scheme: str | Scheme,
    given: Mapping[str, Any],
    target: str,
    output: str | None,
) -> Report:
    """Every node of a NIR graph with verdict and reason; see `neurodeploy.checking.check`.

    What NIR leaves open and `compile` asks for (`dt`, `reset`) is asked for here, too, by the nodes
    that need it.
    """

    hardware = load_target(target)
    plan = make_scheme(direct_for(scheme, "the network")[0], given, hardware)
    assert isinstance(plan, DirectScheme)
    imported, report = examine_nir(model, plan.dt, plan.reset, output)
    if imported is None:
        return report
    network = imported.network
    try:
        stages = cut(network)
        program = plan.convert(
            stages,
            network.shapes[network.input.name],
            calibration_of(plan.encoding, None),
            hardware,
            _AS_THEY_ARE,
            0,
            {},
        )
        mapping = map_program(program, hardware, placement="layers")
    except UsageError:
        raise
    except NeuroDeployError as error:
        return refused(report, [error])
    rules = tuple(map(str, tightest(mapping.findings)))
    return replace(converted(report, stages, program), hardware=rules, fits=mapping.ok)
