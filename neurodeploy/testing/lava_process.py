"""Runs on Lava in processes that have imported it already; otherwise as `neurodeploy.lava.run`."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import resource_tracker
from pathlib import Path
from typing import IO
from unittest import mock

from neurodeploy.testing.prepared_process import Forked, PreparedProcess

__all__ = ["prepared_lava"]

_MODULES = (
    "lava.magma.core.run_conditions",
    "lava.magma.core.run_configs",
    "neurodeploy.lava.lowering",
    "neurodeploy.lava.fast.selection",
    "numba.np.npyimpl",
)


@contextmanager
def prepared_lava() -> Iterator[None]:
    """Inside, `deploy` and `neurodeploy.lava.run.run` fork a process that has imported Lava."""
    run = importlib.import_module("neurodeploy.lava.run")

    def started(folder: Path, log: IO[bytes]) -> Forked:
        return _prepared().fork(
            "neurodeploy.testing.lava_process:work",
            str(folder),
            cwd=str(folder),
            env=run._environment(folder),
            stdout=log.name,
            stderr=log.name,
            new_session=True,
        )

    if not hasattr(os, "fork"):
        yield
        return
    with mock.patch.object(run, "_started", started):
        yield


@cache
def _prepared() -> PreparedProcess:
    return PreparedProcess(_MODULES, setup="neurodeploy.lava.compat:import_lava")


def work(folder: str) -> None:
    """The worker of one run, with a resource tracker of its own."""
    from neurodeploy.lava.worker import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    vars(resource_tracker._resource_tracker).update(_fd=None, _pid=None)
    main(Path(folder))
