"""The way of a network that spikes already: NIR to Network to stages to Program, no samples."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neurodeploy.conversion import make_scheme
from neurodeploy.conversion.check import converted, refused
from neurodeploy.conversion.converting import Conversion
from neurodeploy.conversion.direct import DirectScheme, calibration_of, direct_for
from neurodeploy.conversion.provenance import provenance_of
from neurodeploy.errors import ConversionError, NeuroDeployError, UsageError
from neurodeploy.importing.nir import examine_nir, load_nir
from neurodeploy.mapping import map_program
from neurodeploy.mapping.mapper import limits_broken
from neurodeploy.mapping.rules import tightest
from neurodeploy.metrics.task_from_network import infer_task
from neurodeploy.network.stages import READOUT
from neurodeploy.network.stages import stages as cut
from neurodeploy.option_values import ends, one_of
from neurodeploy.program import Preprocessing, Program
from neurodeploy.program.bounds import overflow_findings
from neurodeploy.program.encoders import encoding_named
from neurodeploy.sample_scale import choose_preprocessing
from neurodeploy.targets import load_target

if TYPE_CHECKING:
    from neurodeploy.conversion import Scheme
    from neurodeploy.importing import Report

__all__ = ["check_nir", "compile_nir"]

Model = str | os.PathLike[str] | bytes
#: Samples of integers are the integers.
_AS_THEY_ARE = Preprocessing(scale=1.0)


def compile_nir(
    model: Model,
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
    """Compile a NIR graph; see `neurodeploy.pipeline.compile`.

    Parameters
    ----------
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
    known = calibration_of(plan.encoding, ends("--input-range", input_range))
    progress("import", 0, 1)
    recorded = encoding_named(plan.encoding).varies
    if recorded and (scale is not None or mean != (0.0,) or std != (1.0,)):
        raise UsageError(
            "recordings are taken as they are, without scale, mean and std",
            place="--scale, --mean, --std",
            remedy="leave them out",
        )
    imported = load_nir(model, plan.dt, plan.reset, output)
    network = imported.network
    stages = cut(network)
    preprocessing, scale_from = _AS_THEY_ARE, "spikes"
    if not recorded:
        preprocessing, chosen = choose_preprocessing(imported, None, scale, mean, std)
        preprocessing.check(network.shapes[network.input.name])
        scale_from = chosen.reason
    progress("import", 1, 1)
    if line:
        warn(line)
    if stages[-1].name == READOUT:
        warn("the last layer has no neurons: what it sends is added up over the steps of a sample")
    judged = infer_task(network)
    if task is not None:
        judged = judged.as_kind(task)
    provenance = provenance_of(imported, None, known, scale_from, {"seed": seed}, judged.as_dict())
    shape = network.shapes[network.input.name]
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


def check_nir(
    model: Model,
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
