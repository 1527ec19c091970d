"""A program on the cores of a target: cut, placed, checked."""

from __future__ import annotations

from collections.abc import Mapping as Spikes
from math import prod

import numpy as np

from neurodeploy.errors import ProgramError, UsageError
from neurodeploy.mapping.mapping import Core, Mapping, Part, Use
from neurodeploy.mapping.placement import METHODS, Placement, Places, place
from neurodeploy.mapping.rules import Laid, check_rules
from neurodeploy.mapping.splitting import RESOURCES, Cut, Splitter
from neurodeploy.mapping.traffic import arriving, flow, messages
from neurodeploy.program import INPUT, Program
from neurodeploy.program.limits import (
    MAX_CORES,
    MAX_CORES_BY_TRAFFIC,
    MAX_NEURONS_AT_WORK,
)
from neurodeploy.program.type_check import check_program
from neurodeploy.program.workable import check_workable
from neurodeploy.targets import Target, target_of

__all__ = ["cut_program", "limits_broken", "map_program"]

#: Times that a program with cycles is cut, at most.
_CUTS = 4


def map_program(
    program: Program,
    target: str | Target | None = None,
    spikes: Spikes[str, float] | None = None,
    placement: Placement = "traffic",
) -> Mapping:
    """Cut populations into parts, give each a core, and say what every rule says.

    Deterministic: the same program, target, counts and placement give the same mapping.

    Parameters
    ----------
    program
        To be placed.
    target
        Name, path of a TOML file, or a target that is loaded; default: the program's own.
    spikes
        Mean spikes a sample by population, as calibration or a simulation counts them; the input's
        messages under ``"input"``. A population without a number: one spike a neuron.
    placement
        ``traffic``: few hops and few messages between chips; ``layers``: in layer order.

    Returns
    -------
    Mapping
        One part a core. Where the program cannot fit, `ok` is False and the findings say what to
        change; that is no error.

    Raises
    ------
    NeuroDeployError
        TargetError: no such target. UsageError: another placement; spikes that are no numbers.

    References
    ----------
    Karypis & Kumar 1998, "A fast and high quality multilevel scheme for partitioning irregular
    graphs", SIAM J. Sci. Comput. 20 (parts to chips, METIS); Koopmans & Beckmann 1957, the
    quadratic assignment problem, and Taillard 1991, "Robust taboo search for the quadratic
    assignment problem", Parallel Computing 17 (places within a chip).
    """
    check_program(program)
    hardware = target_of(program.target, target)
    if placement not in METHODS:
        raise UsageError(f"{placement!r} is not one of {', '.join(METHODS)}", place="--placement")
    counted = _spikes(program, spikes)
    cuts = cut_program(program, hardware)
    notes = _notes(program, spikes)
    parts_in_all = sum(cut.grid.parts for cut in cuts.values())
    if placement == "traffic" and parts_in_all > MAX_CORES_BY_TRAFFIC:
        placement = "layers"
        notes += (
            f"placed in layer order: {parts_in_all:,} cores are more than the "
            f"{MAX_CORES_BY_TRAFFIC:,} that are placed by traffic",
        )
    sent = messages(program, cuts, counted)
    places = place(sent, hardware.mesh, placement)
    neurons = np.concatenate([cut.uses["neurons"] for cut in cuts.values()])
    a_chip = np.bincount(places.chip, weights=neurons)
    laid = Laid(program, hardware, cuts, int(a_chip.max()), int(places.chip.max()) + 1)
    parts, cores = _assembled(cuts, places, hardware)
    return Mapping(
        target=hardware.name,
        parts=parts,
        cores=cores,
        findings=check_rules(laid),
        placement=placement,
        notes=notes,
        flow=flow(sent, places),
    )


def limits_broken(program: Program, hardware: Target) -> tuple[str, ...]:
    """One line where the program does not fit its target (it can still be simulated), else none."""
    try:
        mapped = map_program(program, hardware, placement="layers")
    except ProgramError as error:  # too large to be mapped
        return (f"does not fit {hardware.title}: {error.message}",)
    broken = [finding for finding in mapped.findings if not finding.ok]
    if not broken:
        return ()
    more = f" (and {len(broken) - 1} more: `neurodeploy map`)" if len(broken) > 1 else ""
    return (f"does not fit {hardware.title}: {broken[0]}{more}",)


def cut_program(program: Program, target: Target) -> dict[str, Cut]:
    """Every population's parts, the input's first, then sources before targets.

    Targets come first: into how many parts they fall says how many axons their sources need. On a
    cycle a target may be a source of its source; then all is cut again with the numbers of the
    cut before, until they stay the same (or a few times: the rules look at the last cut).

    Refused: programs that are too large for tables of their neurons (`program.limits`).
    """
    check_workable(program, "mapping")
    reached: dict[str, np.ndarray] = {}
    for _ in range(_CUTS):
        cuts = _cut_once(program, target, reached)
        found = _reached_on_cycles(program, cuts)
        if all(np.array_equal(found[name], reached.get(name, 0 * found[name])) for name in found):
            break
        reached = found
    return cuts


def _cut_once(
    program: Program, target: Target, on_cycles: Spikes[str, np.ndarray]
) -> dict[str, Cut]:
    """One cut; `on_cycles` says how many parts the neurons of a population reach on cycles."""
    shapes = {INPUT: program.encoder.shape} | {p.name: p.shape for p in program.order}
    reached = {name: np.zeros(shape, np.int64) for name, shape in shapes.items()}
    for name, degree in on_cycles.items():
        reached[name] += degree
    cuts: dict[str, Cut] = {}
    incoming = arriving(program)
    taken = {INPUT: 1} | {p.name: p.neuron.compartments for p in program.populations}
    parts = 0
    for name in reversed(shapes):
        parts += -(
            -prod(shapes[name]) * taken[name] // (target.core.neurons or MAX_NEURONS_AT_WORK)
        )
        _check_parts(parts, target)
        ending = [(c.synapses, shapes[c.source]) for c in incoming[name]]
        splitter = Splitter(
            shapes[name],
            ending,
            reached[name],
            target.core,
            target.memory,
            taken[name],
            0 if name == INPUT else program.population(name).neuron.bias_synapses,
        )
        cuts[name] = splitter.cut()
        parts = sum(cut.grid.parts for cut in cuts.values())
        _check_parts(parts, target)
        for connection, fan in zip(incoming[name], cuts[name].fans, strict=True):
            if connection.name not in program.recurrent:
                reached[connection.source] += fan.degree()
    return {name: cuts[name] for name in shapes}


def _reached_on_cycles(program: Program, cuts: Spikes[str, Cut]) -> dict[str, np.ndarray]:
    """By source, the parts that each neuron reaches over connections on cycles."""
    found: dict[str, np.ndarray] = {}
    for name, ending in arriving(program).items():
        for connection, fan in zip(ending, cuts[name].fans, strict=True):
            if connection.name in program.recurrent:
                degree = fan.degree()
                found[connection.source] = found.get(connection.source, 0) + degree
    return found


def _check_parts(parts: int, target: Target) -> None:
    """Refuse, before tables of them are made, more cores than any system has."""
    if parts > MAX_CORES:
        raise ProgramError(
            f"it takes {parts:,} cores of {target.name} or more; the limit is {MAX_CORES:,}",
            place="mapping",
            remedy="compile a smaller network, or name a target with larger cores",
        )


def _spikes(program: Program, spikes: Spikes[str, float] | None) -> dict[str, float]:
    """Numbers by population, means where arrays of samples are given."""
    known = {INPUT, *(p.name for p in program.populations)}
    counted = {}
    for name, value in (spikes or {}).items():
        mean = float(np.mean(value)) if np.size(value) else 0.0
        if name not in known or not np.isfinite(mean) or mean < 0:
            raise UsageError(f"{mean} spikes of {name!r}", place="spikes")
        counted[name] = mean
    return counted


def _assembled(
    cuts: dict[str, Cut], places: Places, target: Target
) -> tuple[tuple[Part, ...], tuple[Core, ...]]:
    parts: list[Part] = []
    cores: list[Core] = []
    for name, cut in cuts.items():
        for k, box in enumerate(cut.grid.boxes()):
            index = len(parts)
            used = {key: int(cut.uses[key][k]) for key in RESOURCES}
            parts.append(
                Part(
                    name,
                    box,
                    index,
                    used["input_axons"],
                    used["output_axons"],
                    used["synaptic_words"],
                )
            )
            uses = tuple(
                Use(key.replace("_", " "), used[key], getattr(target.core, key))
                for key in RESOURCES
            )
            chip, x, y = (int(a[index]) for a in (places.chip, places.x, places.y))
            cores.append(Core(index, chip, x, y, (name,), uses))
    return tuple(parts), tuple(cores)


def _notes(program: Program, spikes: Spikes[str, float] | None) -> tuple[str, ...]:
    missing = [
        n for n in (INPUT, *(p.name for p in program.populations)) if n not in (spikes or {})
    ]
    if not missing:
        return ("traffic: spikes as counted",)
    if len(missing) == len(program.populations) + 1:
        return ("traffic: no spikes were counted; one a neuron is assumed",)
    return (f"traffic: one spike a neuron is assumed of {', '.join(missing)}",)
