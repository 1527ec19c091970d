"""Completion of commands, options and files in bash, zsh and fish; click does the work."""

from __future__ import annotations

import os

import click

from neurodeploy.cli.help import examples

__all__ = ["COMPLETE", "complete", "completion"]

#: What a shell's script sets when it asks for completions.
COMPLETE = "_NEURODEPLOY_COMPLETE"
_WHERE = {
    "bash": 'add to ~/.bashrc:  eval "$(neurodeploy completion bash)"',
    "zsh": 'add to ~/.zshrc:  eval "$(neurodeploy completion zsh)"',
    "fish": "neurodeploy completion fish > ~/.config/fish/completions/neurodeploy.fish",
}


@click.command(
    epilog=examples(
        'eval "$(neurodeploy completion bash)"          # in ~/.bashrc',
        'eval "$(neurodeploy completion zsh)"           # in ~/.zshrc',
        "neurodeploy completion fish > ~/.config/fish/completions/neurodeploy.fish",
    )
)
@click.argument("shell", type=click.Choice(list(_WHERE)))
def completion(shell: str) -> None:
    """Print the script that completes neurodeploy's commands in SHELL: bash, zsh or fish."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    parent = click.get_current_context().find_root().command
    click.echo(f"# {_WHERE[shell]}")
    click.echo(kind(parent, {}, "neurodeploy", COMPLETE).source())


def complete(cli: click.Command) -> None:
    """Answer a shell that asks for completions, and end."""
    from click.shell_completion import shell_complete

    raise SystemExit(shell_complete(cli, {}, "neurodeploy", COMPLETE, os.environ[COMPLETE]))
