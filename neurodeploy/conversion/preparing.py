"""A network after the passes that a scheme wants."""

from __future__ import annotations

from neurodeploy.conversion.scheme import Scheme
from neurodeploy.network import Network
from neurodeploy.passes import prepare
from neurodeploy.program.choices import Choice

__all__ = ["prepared"]


def prepared(
    network: Network,
    plan: Scheme,
    *,
    l4: bool = False,
    largest_fan_in: int | None = None,
    told: list[Choice] | None = None,
) -> Network:
    """The same function, closer to what a chip holds.

    Parameters
    ----------
    plan
        Resolved for its target.
    l4
        Whether the L4-norm correction comes last.
    largest_fan_in
        `Core.largest_fan_in` of the target.
    told
        Takes what passes choose between ways of a different cost.
    """
    return prepare(
        network,
        max_pooling=plan.max_pooling,
        largest_pool=plan.largest_pool,
        of_input=plan.pools_input,
        clips=plan.clips,
        l4=l4,
        largest_fan_in=largest_fan_in,
        told=told,
    )
