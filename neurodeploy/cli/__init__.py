"""The command line: a thin skin over the Python API."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import click

from neurodeploy import __version__
from neurodeploy.cli.checking import check, doctor
from neurodeploy.cli.compiling import compile_command
from neurodeploy.cli.costing import cost
from neurodeploy.cli.events import events
from neurodeploy.cli.explaining import explain
from neurodeploy.cli.exporting import export
from neurodeploy.cli.inspecting import inspect
from neurodeploy.cli.listing import neurons, schemes, targets
from neurodeploy.cli.mapping import map_command
from neurodeploy.cli.reporting import report
from neurodeploy.cli.running import deploy, simulate
from neurodeploy.errors import DataError, NeuroDeployError, StorageError, printable

__all__ = ["cli", "main", "run"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="neurodeploy")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(debug: bool) -> None:
    """Compile trained ReLU networks (ONNX) to spiking programs, run them, prove them."""


for _command in (
    check,
    compile_command,
    inspect,
    simulate,
    explain,
    map_command,
    cost,
    report,
    deploy,
    events,
    export,
    doctor,
    targets,
    schemes,
    neurons,
):
    cli.add_command(_command)


_SMALLER = "use --limit where there are samples, a smaller file, or a machine with more memory"


def _guarded(run: Callable[[], Any], debug: bool) -> int:
    """Run a command; every failure is one message and exit code 2."""
    try:
        run()
        sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted; nothing was written\n")
        return 130
    except _Terminated:
        sys.stderr.write("terminated; nothing was written\n")
        return 128 + signal.SIGTERM
    except BrokenPipeError:
        # the reader left (head, less): not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except NeuroDeployError as error:
        if debug:
            raise
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:
        if debug:
            raise
        told = StorageError(error.strerror or str(error), place=error.filename or "output")
        sys.stderr.write(f"error: {told}\n")
        with contextlib.suppress(OSError):  # what is still buffered has nowhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except MemoryError:
        if debug:
            raise
        sys.stderr.write(f"error: {DataError('not enough memory', remedy=_SMALLER)}\n")
        return 2
    except Exception as error:  # a bug of ours is still one message to the user
        if debug:
            raise
        sys.stderr.write(
            f"error: [ND-INTERNAL] {type(error).__name__}: {printable(str(error)[:4000])}\n"
            "  what to do: this is a bug of neurodeploy; run again with "
            "`neurodeploy --debug ...` and report the traceback\n"
        )
        return 2
    return 0


class _Terminated(BaseException):
    """SIGTERM came: unwinds, so that whatever is open is closed and removed."""


def _terminate(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the clean-up is not interrupted
    raise _Terminated


def _tolerate_any_terminal() -> None:
    """What a terminal's encoding (ASCII, say) does not have is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Entry point of the `neurodeploy` command."""
    run(lambda: _invoke(sys.argv[1:]))


def run(work: Callable[[], Any]) -> None:
    """Run a command line's work and exit: every failure is one message, see `docs/errors.md`."""
    debug = "--debug" in sys.argv[1:2]
    if sys.stdout is None:
        sys.exit("error: standard output is closed")
    _tolerate_any_terminal()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_guarded(work, debug))


def _invoke(arguments: list[str]) -> None:
    """The command named by the arguments, without click's own handling of failures."""
    with cli.make_context("neurodeploy", arguments) as context:
        cli.invoke(context)
