"""The commands of ``python -m neurodeploy.training``: every module of this folder is one.

A module defines `command`, a click command; its name is the module's, with hyphens. To add one, add
a file. It imports torch, and what does, within the function: help needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import click

from neurodeploy.errors import UsageError

__all__ = ["training"]


class _Modules(click.Group):
    """A group whose commands are the modules of this package, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(module.name.replace("_", "-") for module in iter_modules(__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name.replace('-', '_')}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if error.name and error.name.split(".")[0] in ("torch", "spikingjelly"):
                raise UsageError(
                    f"{error.name} is not installed",
                    place="neurodeploy.training",
                    remedy="pip install 'neurodeploy-compiler[train]'",
                ) from error
            raise


@click.group(
    cls=_Modules, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def training(debug: bool) -> None:
    """Train spiking networks and write what the compiler takes."""
