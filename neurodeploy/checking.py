"""`check`: what would become of a model, without compiling it for use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodeploy.errors import NeuroDeployError, ProgramError, UsageError
from neurodeploy.log import logged
from neurodeploy.program import Preprocessing
from neurodeploy.targets import Target, load_target
from neurodeploy.warning import quiet

if TYPE_CHECKING:
    import torch

    from neurodeploy.conversion import Scheme
    from neurodeploy.importing import Report
    from neurodeploy.importing.reading.sources import Model
    from neurodeploy.network import Network

__all__ = ["check"]


@logged
def check(
    model: Model | Network | torch.nn.Module,
    scheme: str | Scheme = "rate",
    target: str = "loihi2",
    steps: int | None = None,
    *,
    output: str | None = None,
    annotate: str | Path | None = None,
    input_shape: tuple[int, ...] | None = None,
    **options: Any,
) -> Report:
    """Every node of an ONNX file with verdict, reason and remedy.

    Goes the way of `compile` without samples and with its other defaults: importer, passes,
    bounds, conversion. `Report.ok` holds exactly if that succeeds. With samples thresholds are
    others, and whether they fit the registers is known only then; the verdicts on nodes stay.
    A network of more than `conversion.check.MAX_TRIED` synapses is cut into populations, but not
    converted; `Report.summary.not_covered` says so.

    Parameters
    ----------
    model
        As for `compile`.
    scheme
        As for `compile`. ``"auto"`` converts where one scheme does; the report is that of the
        first.
    target
        As for `compile`.
    steps
        As for `compile`.
    output
        As for `compile`.
    annotate
        Write a copy of the model here, with the verdicts in its metadata.
    input_shape
        Shape of one sample, of a ``torch.nn.Module``, which does not say it: ``(3, 32, 32)``.
    options
        Further options of the scheme, as for `compile`.

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
    from neurodeploy.conversion import AUTO, candidates, make_scheme
    from neurodeploy.importing import examine
    from neurodeploy.importing.lava_dl import is_lava_dl
    from neurodeploy.importing.nir import is_nir
    from neurodeploy.importing.reading.spiking_models import is_spiking_onnx
    from neurodeploy.importing.reading.torch_modules import exported, is_torch_module
    from neurodeploy.network import Network

    if is_torch_module(model):
        if input_shape is None:
            raise UsageError(
                "a torch module does not say the shape of its samples",
                place="input_shape",
                remedy="give input_shape=(...), the shape of one sample",
            )
        model = exported(model, tuple(input_shape))
    if is_lava_dl(model):
        from neurodeploy.compiling.lava_dl import check_lava_dl

        if annotate is not None:
            raise UsageError("a lava-dl file has no place for verdicts", place="--annotate")
        return check_lava_dl(model, scheme, {"steps": steps, **options}, target)
    if isinstance(model, Network) or is_nir(model) or is_spiking_onnx(model):
        from neurodeploy.compiling.spiking import check_spiking

        if annotate is not None and (isinstance(model, Network) or is_nir(model)):
            raise UsageError("this model has no place for verdicts", place="--annotate")
        report = check_spiking(model, scheme, {"steps": steps, **options}, target, output)
        if annotate is not None and not isinstance(model, Network):
            _annotate(model, annotate, report, "direct", target)
        return report
    hardware = load_target(target)
    given = {"steps": steps, **options}
    if isinstance(scheme, str) and scheme == AUTO:
        plans, _ = candidates(given, hardware)
    else:
        plan = make_scheme(scheme, given, hardware)
        plans = {plan.name: plan}
    imported, report = examine(model, output)
    if imported is not None:
        report = _first_that_converts(imported.network, report, plans, hardware)
    if annotate is not None:
        _annotate(model, annotate, report, " or ".join(plans), hardware.name)
    return report


def _annotate(model: Model, path: str | Path, report: Report, scheme: str, target: str) -> None:
    """A copy of the model with the verdicts."""
    from neurodeploy.reporting.annotation import write_annotated

    write_annotated(model, path, report, {"scheme": scheme, "target": target})


def _first_that_converts(
    network: Network, report: Report, plans: Mapping[str, Scheme], hardware: Target
) -> Report:
    """The report of the first scheme that converts the network; of the first, where none does.

    Which of several is the best is known with samples only: the summary says so.
    """
    reports: list[Report] = []
    for name, plan in plans.items():
        reports.append(_tried(network, report, plan, hardware))
        if reports[-1].ok:
            if len(plans) == 1:
                return reports[-1]
            summary = reports[-1].summary
            choice = (
                f"the choice among {', '.join(plans)}, which samples decide: the numbers are "
                f"those of {name}"
            )
            told = "; ".join(filter(None, (summary.not_covered, choice)))
            return replace(reports[-1], summary=replace(summary, not_covered=told))
    return reports[0]


def _tried(network: Network, report: Report, plan: Scheme, hardware: Target) -> Report:
    """The report after passes and conversion, without samples."""
    from neurodeploy.calibration.calibrating import calibrate
    from neurodeploy.conversion.check import MAX_TRIED, converted, refusals, refused, synapses
    from neurodeploy.conversion.preparing import prepared
    from neurodeploy.mapping import map_program
    from neurodeploy.mapping.partial_sums import fit_sums
    from neurodeploy.mapping.rules import tightest
    from neurodeploy.network.stages import Stage
    from neurodeploy.network.stages import stages as cut_network

    def cut(network: Network) -> tuple[Stage, ...]:
        return cut_network(network, max_pooling=plan.max_pooling)

    try:
        network = prepared(network, plan, largest_fan_in=hardware.core.largest_fan_in)
        stages = cut(network)
        plan.check_stages(stages)
    except UsageError:
        raise
    except NeuroDeployError as error:
        return refused(report, refusals(network, error, cut))
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
        known = calibrate(network, stages, None, preprocessing, None, lambda *_: None, quiet)
        program = plan.convert(stages, shape, known, hardware, preprocessing, 0, {})
    except UsageError:  # options that exclude each other, not a verdict on the model
        raise
    except NeuroDeployError as error:
        return refused(report, [error])
    try:
        sums = fit_sums(program, hardware)
        mapping = map_program(sums.program, hardware, placement="layers")
    except ProgramError as error:  # too large to be mapped: it can be compiled all the same
        told = replace(converted(report, stages, program), hardware=(error.message,))
        return replace(told, fits=False)
    rules = tuple(map(str, (*sums.chosen, *tightest(mapping.findings))))
    return replace(converted(report, stages, sums.program), hardware=rules, fits=mapping.ok)
