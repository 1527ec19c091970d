"""Options of the schemes on the command line, read from the schemes' own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

__all__ = ["SchemeCommand", "scheme_options", "taken", "with_defaults"]


class SchemeCommand(click.Command):
    """A command that takes ``--scheme`` and the options of every scheme there is.

    They are read when the command is run or asked for help, not before: importing the schemes
    takes longer than any other command's start.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters, and those of the schemes behind ``--target``."""
        own = super().get_params(ctx)
        at = next((i + 1 for i, p in enumerate(own) if p.name == "target"), len(own))
        return [*own[:at], *scheme_options(), *own[at:]]


def scheme_options() -> list[click.Option]:
    """``--scheme``, and an option for each name that schemes have; None where nothing is said."""
    from neurodeploy.conversion import AUTO, schemes
    from neurodeploy.conversion.options import flag_of, options_of

    known = schemes()
    titles = "; ".join(f"{name}: {scheme.title}" for name, scheme in known.items())
    titles += f"; {AUTO}: the one of shortest latency among those nearest to the ANN on samples"
    found = [
        click.Option(["--scheme"], default="rate", show_default=True, help=f"{titles}.", type=str)
    ]
    said: dict[str, list[tuple[str, Any, Any]]] = {}
    for name, scheme in known.items():
        for field, option in options_of(scheme):
            if not option.hidden:
                said.setdefault(field.name, []).append((name, field.default, option))
    for name, takers in said.items():
        option = takers[0][2]
        choices = tuple(dict.fromkeys(word for _, _, o in takers for word in o.choices))
        kind: Any = click.Choice(choices) if choices else option.type
        flags = [flag_of(name)]
        if option.type is bool:
            flags = [f"{flag_of(name)}/{flag_of('no_' + name)}"]
            kind = None
        found.append(click.Option(flags, type=kind, default=None, help=_help(takers, len(known))))
    return found


def _help(takers: list[tuple[str, Any, Any]], schemes: int) -> str:
    """The help of an option, with the schemes that have it and their defaults."""
    option = takers[0][2]
    shown = [
        (name, said.absent if default is None else f"{default}") for name, default, said in takers
    ]
    if len({default for _, default in shown}) == 1:
        defaults = f"Default: {shown[0][1]}."
    else:
        defaults = "Default: " + ", ".join(f"{text} for {name}" for name, text in shown) + "."
    only = ""
    if len(takers) < schemes:
        only = f" ({' and '.join(name for name, _, _ in takers)} only)"
    return f"{option.help.rstrip('.')}{only}. {defaults}"


def taken(options: Mapping[str, Any]) -> dict[str, Any]:
    """The schemes' options that were given."""
    from neurodeploy.conversion import schemes
    from neurodeploy.conversion.options import options_of

    names = {field.name for scheme in schemes().values() for field, _ in options_of(scheme)}
    return {k: v for k, v in options.items() if k in names and v is not None}


def with_defaults(scheme: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a scheme that the command line has, by flag without dashes."""
    from neurodeploy.conversion import AUTO, scheme_named
    from neurodeploy.conversion.options import flag_of, options_of

    if scheme == AUTO:  # each scheme has its own
        return {flag_of(name).removeprefix("--"): value for name, value in given.items()}
    return {
        field.name.replace("_", "-"): given.get(field.name, field.default)
        for field, said in options_of(scheme_named(scheme))
        if not said.hidden
    }
