"""A network after the passes that a scheme wants."""

from __future__ import annotations

from neurodeploy.conversion.scheme import Scheme
from neurodeploy.network import Network
from neurodeploy.passes import prepare

__all__ = ["prepared"]


def prepared(network: Network, plan: Scheme, *, l4: bool = False) -> Network:
    """The same function, closer to what a chip holds.

    Parameters
    ----------
    plan
        Resolved for its target.
    l4
        Whether the L4-norm correction comes last.
    """
    return prepare(
        network,
        max_pooling=plan.max_pooling,
        largest_pool=plan.largest_pool,
        of_input=plan.pools_input,
        l4=l4,
    )
