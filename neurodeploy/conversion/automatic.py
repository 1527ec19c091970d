"""``--scheme auto``: which schemes a target can run, with the options that were stated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurodeploy.conversion.options import flag_of, options_of
from neurodeploy.conversion.scheme import AUTO, Scheme, make_scheme, schemes
from neurodeploy.errors import UsageError
from neurodeploy.targets import Target

__all__ = ["AUTO", "candidates"]


def candidates(
    given: Mapping[str, Any], target: Target
) -> tuple[dict[str, Scheme], dict[str, str]]:
    """The schemes among which is chosen, and why the others are not among them.

    1. A scheme of networks that spike already is none: their code is their own. Nor is one of
       streams: what samples are is not for it to choose.
    2. A scheme that has not all of the stated options is none: what was stated is kept.
    3. A scheme that the target cannot run is none (`Scheme.lacks`).

    Parameters
    ----------
    given
        Options by name; None where the user said nothing.

    Returns
    -------
    taken
        By name, resolved for the target.
    left_out
        Reason by name.

    Raises
    ------
    UsageError
        None is left.
    """
    said = {name: value for name, value in given.items() if value is not None}
    taken: dict[str, Scheme] = {}
    left_out: dict[str, str] = {}
    for name, kind in schemes().items():
        if kind.spiking or kind.of_streams:
            continue
        own = {field.name for field, _ in options_of(kind)}
        strange = [flag_of(option) for option in said if option not in own]
        if strange:
            left_out[name] = f"has no {' or '.join(strange)}"
            continue
        try:
            plan = make_scheme(name, said, target)
        except UsageError as error:
            left_out[name] = error.message
            continue
        lack = plan.lacks(target)
        if lack:
            left_out[name] = lack
        else:
            taken[name] = plan
    if not taken:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise UsageError(
            f"no scheme is left to choose from: {reasons}",
            place=f"--scheme {AUTO}",
            remedy="state fewer options, or name a scheme",
        )
    return taken, left_out
