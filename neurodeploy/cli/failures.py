"""What went wrong with a command, for people on stderr and, with ``--json``, for machines."""

from __future__ import annotations

import signal
import sys
from typing import NamedTuple

import click

from neurodeploy.errors import DataError, NeuroDeployError, StorageError, printable

__all__ = ["Failure", "Terminated", "failure_of", "tell"]

_SMALLER = "use --limit where there are samples, a smaller file, or a machine with more memory"


class Terminated(BaseException):
    """SIGTERM came: unwinds, so that whatever is open is closed and removed."""


class Failure(NamedTuple):
    """One failure.

    Attributes
    ----------
    code
        Of docs/errors.md.
    message, place, remedy
        What is wrong, where, and what to do.
    exit_code
        Of docs/machines.md.
    """

    code: str
    message: str
    place: str = ""
    remedy: str = ""
    exit_code: int = 2


def failure_of(error: BaseException) -> Failure:
    """What an exception means to who ran the command."""
    if isinstance(error, MemoryError):
        error = DataError("not enough memory", remedy=_SMALLER)
    elif isinstance(error, OSError):
        error = StorageError(error.strerror or str(error), place=error.filename or "output")
    if isinstance(error, NeuroDeployError):
        return Failure(error.code, error.message, error.place, error.remedy)
    if isinstance(error, click.ClickException):
        return Failure("ND-USAGE", error.format_message(), "command line")
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Failure("ND-INTERRUPTED", "interrupted; nothing was written", exit_code=130)
    if isinstance(error, Terminated):
        told = "terminated; nothing was written"
        return Failure("ND-INTERRUPTED", told, exit_code=128 + signal.SIGTERM)
    return Failure(
        "ND-INTERNAL",
        f"{type(error).__name__}: {printable(str(error)[:4000])}",
        remedy="this is a bug of neurodeploy; run again with `neurodeploy --debug ...` and report "
        "the traceback",
    )


def tell(error: BaseException, failure: Failure, as_json: bool) -> None:
    """One message on stderr; with ``--json`` the same as one JSON object on stdout."""
    if isinstance(error, click.ClickException):
        error.show()
    elif failure.code == "ND-INTERRUPTED":
        sys.stderr.write(f"{failure.message}\n")
    elif failure.code == "ND-INTERNAL":
        sys.stderr.write(
            f"error: [{failure.code}] {failure.message}\n  what to do: {failure.remedy}\n"
        )
    else:
        shown = NeuroDeployError(failure.message, place=failure.place, remedy=failure.remedy)
        shown.code = failure.code
        sys.stderr.write(f"error: {shown}\n")
    if as_json:
        import json

        from neurodeploy.reporting.console import SCHEMA

        said = {"schema": SCHEMA, "error": failure._asdict()}
        sys.stdout.write(json.dumps(said, indent=2) + "\n")
        sys.stdout.flush()
