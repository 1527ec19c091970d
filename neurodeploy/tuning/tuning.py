"""`tune`: samples split, schemes searched, the choice checked on samples it has not seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neurodeploy.conversion import Scheme, candidates, schemes
from neurodeploy.cost import estimate_cost
from neurodeploy.cost.models import choose
from neurodeploy.errors import (
    CompileWarning,
    NeuroDeployError,
    UsageError,
)
from neurodeploy.importing import load_network
from neurodeploy.log import logged
from neurodeploy.option_values import number
from neurodeploy.pipeline import compile as compile_model
from neurodeploy.program import Program
from neurodeploy.samples import read_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.targets import Target, load_target
from neurodeploy.tuning.goal import Goal
from neurodeploy.tuning.result import Tuning
from neurodeploy.tuning.search import Search
from neurodeploy.tuning.splitting import split
from neurodeploy.tuning.trying import Trials
from neurodeploy.warning import Warn, quiet, warner

if TYPE_CHECKING:
    import torch

    from neurodeploy.importing.reading.sources import Model

__all__ = ["tune"]

#: Samples on which energy is estimated.
_COSTED = 32


@logged
def tune(
    model: Model | torch.nn.Module,
    calibration: Any,
    agreement: float = 99.0,
    latency: int | None = None,
    energy: bool = False,
    target: str = "loihi2",
    *,
    only: str | Iterable[str] = (),
    energy_model: str | None = None,
    seconds: float | None = 240.0,
    output: str | None = None,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    warn: Warn | None = None,
    **options: Any,
) -> Tuning:
    """Find the scheme, its bits or steps and its percentile that a goal asks for.

    The samples are split: a half, at most 500, converts; of the rest one half chooses, and the
    other, which no choice has seen, says whether the goal is reached.

    1. Every scheme that the target can run is walked from its cheapest setting up, until one has
       the agreement on the choosing samples, and one setting further for safety. With a limit of
       latency: as far as it allows.
    2. Beside the setting nearest to the goal its refinements are tried: percentiles, and a step for
       each channel.
    3. Those that reach the goal are tried on the held-out samples, the best first, until one
       reaches it there as well.

    Parameters
    ----------
    model
        As for `neurodeploy.compile`, a ``torch.nn.Module`` too; a network that spikes already has
        nothing to choose.
    calibration
        Samples (n, *input shape), as for `neurodeploy.compile`; 12 at least, better 1,000 or more.
    agreement
        Percent of samples that have to keep the ANN's class. Where outputs are numbers: 100 % less
        the error's root mean square as a share of the spread of the ANN's outputs.
    latency
        Steps; of the programs within it the one nearest to the ANN is taken.
    energy
        Take the program of least energy (joules a sample, by the target's cost model) in place of
        the fastest. A target without one has its synaptic operations counted instead, and says so.
    target
        ``loihi1``, ``loihi2``, or the path of a target's TOML file.
    only
        Name of a scheme, or several, to try no others.
    energy_model
        Name of a cost model, as for `neurodeploy.estimate_cost`.
    seconds
        After so many seconds no further candidate is begun, and it is said; None: no limit.
    output
        Name of the model's output, where it has several.
    threads
        Threads of the simulator; default: one a core. The choice does not depend on it.
    progress
        Called with the name of a stage, the work done and the work there is.
    warn
        Called with each line that the user should read; default: Python's ``CompileWarning``.
    options
        Options of schemes that are kept as stated (``bits=6``), and ``scale``, ``mean``, ``std``,
        ``input_range``, ``seed`` as for `neurodeploy.compile`.

    Returns
    -------
    Tuning
        `program`, `best`, `reached`, `candidates`, `pareto`, `to_dict()`, `to_frame()`.

    Raises
    ------
    NeuroDeployError
        As `neurodeploy.compile`; DataError for too few samples; UsageError where no scheme is left.

    References
    ----------
    Maron & Moore 1994, "Hoeffding races" (candidates that cannot win see no further samples);
    Jamieson & Talwalkar 2016, "Non-stochastic best arm identification" (growing budgets).
    """
    began = time.perf_counter()
    only = (only,) if isinstance(only, str) else tuple(only)
    goal = Goal(agreement, latency, energy)
    limit = None if seconds is None else number("--seconds", seconds)
    say = warner(warn, CompileWarning)
    hardware = load_target(target)
    source, samples = _exported(model, calibration)
    of_compile = {
        name: options.pop(name)
        for name in ("scale", "mean", "std", "input_range", "seed")
        if name in options
    }
    stated = {name: value for name, value in options.items() if value is not None}
    plans, left_out = _plans(stated, hardware, only)
    network = load_network(source, output).network
    shape = network.shapes[network.input.name]
    x = check_samples(read_samples(samples, shape, "calibration").x, shape, "calibration")
    parts = split(x)
    costed = energy and choose(hardware, energy_model)[0] is not None
    notes = [f"{name} left out: {why}" for name, why in left_out.items()]
    if energy and not costed:
        notes.append(
            f"no energies are published for {hardware.title}: the fewest synaptic operations are "
            "taken (energy_model names the model of another chip)"
        )

    def make(plan: Scheme, told: Warn) -> Program:
        said = {name: value for name, value in plan.options().items() if value is not None}
        return compile_model(
            source, parts.fitting, plan.name, target=target, output=output, try_samples=0,
            warn=told, **of_compile, **said,
        )  # fmt: skip

    def cost(program: Program) -> float | None:
        return estimate_cost(
            program, parts.choosing[:_COSTED], hardware, energy_model=energy_model,
            threads=threads, warn=quiet,
        ).energy  # fmt: skip

    search = Search(
        goal=goal,
        plans=plans,
        stated=frozenset(stated),
        trials=Trials(network, parts.choosing, parts.held_out, threads),
        make=make,
        cost=cost if costed else None,
        ends=None if limit is None else began + limit,
        progress=progress,
    )
    search.run()
    if not search.programs:
        raise search.refusal or _nothing(search, goal)
    best, reached = search.chosen()
    if search.cut:
        notes.append(f"the search was cut short after {seconds:g} s: {search.cut} were not tried")
    found = Tuning(
        program=search.with_provenance(best),
        best=best,
        reached=reached,
        candidates=tuple(search.found.values()),
        goal=goal,
        fitting=len(parts.fitting),
        choosing=len(parts.choosing),
        held_out=len(parts.held_out),
        looks=search.looks,
        seconds=time.perf_counter() - began,
        notes=tuple(notes),
    )
    for line in (*notes, *search.lines[best.name]):
        say(line)
    return found


def _exported(model: Any, calibration: Any) -> tuple[Any, Any]:
    """The model, and the samples; of a torch module its ONNX, made once for all candidates."""
    from neurodeploy.compiling.torch_modules import from_torch, is_torch_module
    from neurodeploy.importing.lava_dl import is_lava_dl
    from neurodeploy.importing.nir import is_nir
    from neurodeploy.importing.reading.spiking_models import is_spiking_onnx
    from neurodeploy.network import Network

    if is_torch_module(model):
        return from_torch(model, calibration)
    if isinstance(model, Network) or is_nir(model) or is_lava_dl(model) or is_spiking_onnx(model):
        raise UsageError(
            "the network spikes already: it has one code, its own, and nothing to choose",
            place="model",
            remedy="compile it",
        )
    return model, calibration


def _plans(
    stated: Mapping[str, Any], hardware: Target, only: tuple[str, ...]
) -> tuple[dict[str, Scheme], dict[str, str]]:
    """The schemes that are searched, those whose programs are exact first: they take less time."""
    for name in only:
        if name not in schemes():
            raise UsageError(
                f"{name!r} is not a scheme; there are: {', '.join(schemes())}", place="--only"
            )
    taken, left_out = candidates(stated, hardware)
    if only:
        taken = {name: plan for name, plan in taken.items() if name in only}
        left_out = {name: why for name, why in left_out.items() if name in only}
    if not taken:
        why = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise UsageError(f"no scheme is left to choose from: {why}", place="--only")
    ordered = sorted(taken, key=lambda name: (not taken[name].exact, name))
    return {name: taken[name] for name in ordered}, left_out


def _nothing(search: Search, goal: Goal) -> NeuroDeployError:
    fastest = min((c.latency for c in search.found.values() if c.latency), default=0)
    return UsageError(
        f"no program is within {goal.latency} steps; the fastest needs {fastest}",
        place="--latency",
        remedy=f"allow {fastest} steps" if fastest else "allow more steps",
    )
