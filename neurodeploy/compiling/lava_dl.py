"""The way of lava-dl's files: layers of integers to a Program, nothing in between."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

import neurodeploy
from neurodeploy.compiling.fitting import fitted
from neurodeploy.conversion import make_scheme
from neurodeploy.conversion.direct import DirectScheme, direct_for
from neurodeploy.conversion.lava_dl import LAVA_DL, net_program
from neurodeploy.errors import ConversionError, NeuroDeployError, UsageError
from neurodeploy.importing import Finding, Report
from neurodeploy.importing.lava_dl import NetFile, read_net
from neurodeploy.importing.report.summary import Summary, count_findings
from neurodeploy.mapping import map_program
from neurodeploy.mapping.mapper import limits_broken
from neurodeploy.mapping.partial_sums import fit_sums
from neurodeploy.mapping.rules import tightest
from neurodeploy.metrics.task import from_shape
from neurodeploy.program import Program
from neurodeploy.program.bounds import overflow_findings
from neurodeploy.targets import Target, load_target

if TYPE_CHECKING:
    from neurodeploy.conversion import Scheme

__all__ = ["check_lava_dl", "compile_lava_dl"]

#: Options of the scheme that a file leaves open.
_OPEN = ("steps", "decoder")
#: Steps of a check where nobody said how many.
_TRIED = 100


def compile_lava_dl(
    model: str | os.PathLike[str] | bytes,
    scheme: str | Scheme,
    given: Mapping[str, Any],
    target: str,
    *,
    overflow: str,
    task: str | None,
    progress: Callable[[str, int, int], None],
    warn: Callable[[str], None],
) -> Program:
    """Compile a lava-dl file; see `neurodeploy.pipeline.compile`.

    Raises
    ------
    NeuroDeployError
    """
    hardware = load_target(target)
    progress("import", 0, 1)
    plan = _plan(scheme, given, hardware)
    if plan.steps is None:
        raise UsageError(
            "how many steps does a sample last?",
            place="--steps",
            remedy="give --steps: after so many the state is set to 0",
        )
    program = _program(read_net(model), plan, plan.steps, hardware, task)
    progress("import", 1, 1)
    findings = overflow_findings(program)
    if findings and overflow == "error":
        raise ConversionError(
            "an accumulator may overflow:\n  " + "\n  ".join(findings),
            remedy="use --overflow warn",
        )
    for line in findings if overflow == "warn" else ():
        warn(line)
    program = fitted(program, hardware, warn)
    for line in limits_broken(program, hardware):
        warn(line)
    progress("convert", 1, 1)
    return program


def check_lava_dl(
    model: str | os.PathLike[str] | bytes,
    scheme: str | Scheme,
    given: Mapping[str, Any],
    target: str,
) -> Report:
    """Every layer of a file with verdict and reason; see `neurodeploy.checking.check`."""
    hardware = load_target(target)
    plan = _plan(scheme, given, hardware)
    name = "<bytes>" if isinstance(model, bytes | bytearray | memoryview) else os.fsdecode(model)
    try:
        net = read_net(model)
        program = _program(net, plan, plan.steps or _TRIED, hardware, None)
        program = fit_sums(program, hardware).program
        mapping = map_program(program, hardware, placement="layers")
    except UsageError:
        raise
    except NeuroDeployError as error:
        where = f"{error.place}: " if error.place and error.place != name else ""
        finding = Finding("", "", "refused", f"{where}{error.message}", error.remedy)
        return Report(name, (finding,), Summary())
    findings = tuple(
        Finding(layer.name, layer.kind, "converts", "integers as they are", "")
        for layer in net.layers
    )
    summary = Summary(
        input=net.layers[0].name,
        output=program.decoder.population,
        file_parameters=sum(la.weight.size for la in net.layers if la.weight is not None),
    )
    summary = replace(count_findings(summary, findings), neurons=program.neurons)
    rules = tuple(map(str, tightest(mapping.findings)))
    report = Report(name, findings, summary, len(findings))
    return replace(report, hardware=rules, fits=mapping.ok)


def _plan(scheme: str | Scheme, given: Mapping[str, Any], hardware: Target) -> DirectScheme:
    plan = make_scheme(direct_for(scheme, "the network")[0], given, hardware)
    assert isinstance(plan, DirectScheme)
    for name, value in given.items():
        if value is not None and name not in _OPEN:
            raise UsageError(
                f"{value} beside a lava-dl file, which says all but {' and '.join(_OPEN)}",
                place=f"--{name.replace('_', '-')}",
                remedy="leave it out",
            )
    return plan


def _program(
    net: NetFile, plan: DirectScheme, steps: int, hardware: Target, task: str | None
) -> Program:
    judged = from_shape(net.layers[-1].shape or (1,), [])
    if task is not None:
        judged = judged.as_kind(task)
    provenance = {
        "model": {
            "file": net.file, "sha256": net.sha256, "producer": LAVA_DL, "decoder": [],
            "classes": [],
        },
        "task": judged.as_dict(),
        "options": plan.options(),
        "versions": {"neurodeploy": neurodeploy.__version__, "numpy": np.__version__},
    }  # fmt: skip
    return net_program(net, steps, plan.decoder, hardware, provenance)
