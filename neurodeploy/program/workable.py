"""Work on a program that is too large is refused before it begins (`program.limits`)."""

from __future__ import annotations

from neurodeploy.errors import ProgramError
from neurodeploy.program.limits import (
    MAX_NEURONS_AT_WORK,
    MAX_OPERATIONS,
    MAX_STREAMED,
    MAX_SYNAPSES,
)
from neurodeploy.program.program import Program

__all__ = ["check_workable"]


def check_workable(program: Program, doing: str) -> None:
    """Refuse a program that is too large to be mapped or run.

    Parameters
    ----------
    doing
        For the message: ``mapping``, ``simulation``.

    Raises
    ------
    ProgramError
        More neurons, synapses or neuron updates a sample than the limits of this module.
    """
    neurons = program.neurons + program.inputs
    last = max(p.fire_phase(program.period) for p in program.populations) + program.period
    streamed = 0 if program.is_aligned else neurons * last
    for value, limit, what in (
        (neurons, MAX_NEURONS_AT_WORK, "neurons and inputs"),
        (program.synapses, MAX_SYNAPSES, "synapses"),
        (neurons * program.period, MAX_OPERATIONS, "neuron updates a sample (neurons x steps)"),
        (streamed, MAX_STREAMED, "neuron updates up to the last phase (neurons x steps)"),
    ):
        if value > limit:
            raise ProgramError(
                f"{doing} of {value:,} {what} is refused; the limit is {limit:,}",
                place="program",
                remedy="compile a smaller network, a smaller input or fewer steps",
            )
