"""`python -m neurodeploy.training`."""

from __future__ import annotations

import sys

from neurodeploy.cli import run
from neurodeploy.training.commands import training


def _invoke() -> None:
    with training.make_context("python -m neurodeploy.training", sys.argv[1:]) as context:
        training.invoke(context)


if __name__ == "__main__":
    run(_invoke)
