"""`python -m neurodeploy.training mlf`."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("mlf")
def command() -> None:
    """Multi-level firing: a spiking ResNet (Feng et al. 2022)."""
    import torch  # noqa: F401

    from neurodeploy.errors import UsageError

    raise UsageError("not there yet", place="mlf")
