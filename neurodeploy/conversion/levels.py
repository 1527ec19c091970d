"""Networks trained with activations of L levels: what to say where a program has others."""

from __future__ import annotations

from neurodeploy.conversion.scheme import Scheme
from neurodeploy.network.stages import Stage

__all__ = ["notes_on_levels"]


def notes_on_levels(stages: tuple[Stage, ...], scheme: Scheme) -> list[str]:
    """Lines for the user; none where each neuron's steps are those of the network.

    An integrate-and-fire neuron with reset by subtraction that starts at half its threshold
    computes ``clip(floor(z T / lambda + 1/2), 0, T)``: the staircase it was trained with, if T = L
    (Bu et al. 2022, theorem 2, for input that comes evenly). Other T say values between the steps,
    which the network never had. Behind the first layer of a rate code spikes come unevenly, which
    a window code does not know.
    """
    found = sorted({stage.levels for stage in stages if stage.levels is not None})
    steps = getattr(scheme, "steps", None)
    if not found or steps is None:
        return []
    if found != [steps]:
        if len(found) > 1:
            several = ", ".join(map(str, found))
            return [
                f"the model's activations have {several} levels, by layer, and --steps {steps} "
                "gives all neurons the same: no number of steps is exact for all of them"
            ]
        whole = "" if scheme.exact else ", with --scheme ttfs as well the whole network"
        return [
            f"the model's activations have {found[0]} levels, and --steps {steps} gives the "
            f"neurons others: with --steps {found[0]} each neuron would be exact{whole}"
        ]
    if getattr(scheme, "reset", "subtract") == "zero":
        return [
            f"the model's activations have {steps} levels; a neuron that resets to zero does not "
            "compute them: one with --reset subtract would be exact"
        ]
    return []
