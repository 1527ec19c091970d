"""`record`: what every neuron of a program sent and held, step by step, for many samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.display import Displayed
from neurodeploy.errors import DataWarning, UsageError, shown
from neurodeploy.event_samples import samples_for
from neurodeploy.program import INPUT, Program
from neurodeploy.program.type_check import check_program
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.warning import Warn, warner

__all__ = ["Rasters", "record"]


@dataclass(frozen=True, eq=False, repr=False)
class Rasters(Displayed):
    """Spikes and membranes of some samples.

    Row tau of a sample is the step tau of the population's own window: layers follow one another
    by a step in time, and stand side by side here, as in the network that they come from.

    Attributes
    ----------
    spikes
        By population, and by ``"input"``: (n, period, *shape), bool; int32 where messages are
        integers.
    membranes
        By population: int32 (n, period, *shape), after the reset; times `units` it is real.
    units
        Real value of one membrane integer, by population: float64, one number, or (neurons,).
    """

    spikes: dict[str, np.ndarray]
    membranes: dict[str, np.ndarray]
    units: dict[str, np.ndarray]

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {"spikes": ", ".join(self.spikes), "membranes": ", ".join(self.membranes)}

    def records(self) -> list[dict[str, Any]]:
        """A row a population.

        Returns
        -------
        list of dict
            Its messages over all samples, and the share of neurons that sent any.
        """
        return [
            {
                "population": name,
                "shape": str(sent.shape),
                "messages": int(np.count_nonzero(sent)),
                "active": float((sent != 0).any(1).mean()),
            }
            for name, sent in self.spikes.items()
        ]

    def to_dict(self) -> dict[str, Any]:
        """`arrays` as nested lists.

        Returns
        -------
        dict
            JSON-like.
        """
        return {name: array.tolist() for name, array in self.arrays().items()}

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it, for ``numpy.savez``.

        Returns
        -------
        dict of ndarray
            By ``spikes/NAME`` and ``membranes/NAME``: bool or int32 (n, period, *shape); by
            ``units/NAME``: float64, one number or (neurons,).
        """
        parts = (("spikes", self.spikes), ("membranes", self.membranes), ("units", self.units))
        return {f"{what}/{name}": a for what, of in parts for name, a in of.items()}


def record(
    program: Program,
    x: Any,
    *,
    populations: Iterable[str] | None = None,
    membranes: Iterable[str] = (),
    limit: int | None = None,
    memory: str | int | None = None,
    bin: str | None = None,
    warn: Warn | None = None,
) -> Rasters:
    """Run samples and keep what neurons sent and held, equal to the reference in every bit.

    Parameters
    ----------
    program
        To run.
    x
        As for `neurodeploy.simulate`.
    populations
        Whose spikes are kept; default: all, and the input's. ``"input"`` is one of the names.
    membranes
        Populations whose membranes are kept.
    memory
        Most bytes of the arrays, or a size like ``2GiB``. Default: half of what is available.
    limit
        As for `neurodeploy.simulate`.
    bin
        As for `neurodeploy.simulate`.
    warn
        As for `neurodeploy.simulate`.

    Returns
    -------
    Rasters
        bool or int32 arrays (n, period, *shape) by population.

    Raises
    ------
    NeuroDeployError
        UsageError: a population that is not there, arrays beyond `memory`; DataError.

    Examples
    --------
    >>> found = record(program, x, membranes=["output"])
    >>> found.spikes["fc1"].mean((0, 1))  # rate of each neuron
    """
    from neurodeploy.simulator.memory import default_limit, parse_size
    from neurodeploy.simulator.rasters import run_recorded

    check_program(program)
    told = warner(warn, DataWarning)
    names = [p.name for p in program.populations]
    wanted = _known([INPUT, *names] if populations is None else populations, [INPUT, *names])
    held = _known(membranes, names)
    samples = samples_for(program, x, limit, bin, told).x
    samples = check_samples(samples, program.encoder.sample_shape)[:limit]
    most = default_limit() if memory is None else parse_size(memory)
    sizes = {p.name: p.size for p in program.populations} | {INPUT: program.inputs}
    each = sum(sizes[name] * (4 if program.is_graded(name) else 1) for name in wanted)
    each += sum(4 * sizes[name] for name in held)
    total = each * program.period * len(samples)
    if total > most:
        raise UsageError(
            f"{len(samples)} samples of {program.period} steps take {total / 2**30:.1f} GiB, and "
            f"{most / 2**30:.1f} may be taken",
            place="record",
            remedy="name fewer populations, or record fewer samples at a time (limit)",
        )
    spikes, kept = run_recorded(program, samples, wanted, held)
    units = {name: np.asarray(program.population(name).membrane_units) for name in held}
    return Rasters(spikes, kept, units)


def _known(names: Iterable[str], there: list[str]) -> list[str]:
    asked = [names] if isinstance(names, str) else list(names)
    for name in asked:
        if name not in there:
            raise UsageError(
                f"{shown(name)} is no population; there are: {', '.join(there[:30])}",
                place="record",
            )
    return list(dict.fromkeys(asked))
