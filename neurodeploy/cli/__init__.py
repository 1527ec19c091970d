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
from neurodeploy.cli.checking import check
from neurodeploy.cli.comparing import compare
from neurodeploy.cli.compiling import compile_command
from neurodeploy.cli.completing import COMPLETE, complete, completion
from neurodeploy.cli.costing import cost
from neurodeploy.cli.events import events
from neurodeploy.cli.explaining import explain
from neurodeploy.cli.exporting import export
from neurodeploy.cli.failures import Terminated, failure_of, tell
from neurodeploy.cli.help import OrderedGroup, examples
from neurodeploy.cli.images import images
from neurodeploy.cli.inspecting import inspect
from neurodeploy.cli.installing import doctor, setup_lava
from neurodeploy.cli.listing import neurons, schemes, targets
from neurodeploy.cli.mapping import map_command
from neurodeploy.cli.reporting import report
from neurodeploy.cli.running import deploy, simulate
from neurodeploy.cli.tuning import tune

__all__ = ["cli", "execute", "main", "run"]


@click.group(
    cls=OrderedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "neurodeploy compile model.onnx --calibration train.npz",
        "neurodeploy simulate model.ndp --data test.npz --model model.onnx",
        "neurodeploy deploy model.ndp --data test.npz --verify",
    ),
)
@click.version_option(__version__, prog_name="neurodeploy")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option(
    "--log",
    "log_level",
    type=click.Choice(["debug", "info", "warning"]),
    envvar="NEURODEPLOY_LOG",
    help="Write a log of the work to stderr.  [env: NEURODEPLOY_LOG]",
)
def cli(debug: bool, log_level: str | None) -> None:
    """Compile trained networks to spiking programs, run them, and prove them bit for bit.

    The commands stand in the order of work; each has examples in its own help. What each prints
    with --json, its exit codes and the environment are in docs/machines.md.
    """
    if log_level is not None:
        import logging

        logging.basicConfig(
            stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        logging.getLogger("neurodeploy").setLevel(log_level.upper())


for _title, _commands in (
    ("Make a program", (check, compile_command, tune)),
    ("Look at it", (inspect, compare, explain, map_command, cost, report)),
    ("Run it", (simulate, deploy, events, images, export)),
    ("Know what there is", (targets, schemes, neurons)),
    ("This installation", (doctor, setup_lava, completion)),
):
    for _command in _commands:
        cli.add_command(_command)
        cli.sections.setdefault(_title, []).append(str(_command.name))


def _guarded(run: Callable[[], Any], debug: bool, as_json: bool) -> int:
    """Run a command; every failure is one message, and the exit code of docs/machines.md."""
    try:
        run()
        sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except BrokenPipeError:
        # the reader left (head, less): not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:  # a bug of ours is still one message to the user
        if debug and isinstance(error, Exception) and not isinstance(error, click.ClickException):
            raise
        failure = failure_of(error)
        # with the disk full, or the terminal gone, what is told has nowhere to go
        with contextlib.suppress(OSError):
            tell(error, failure, as_json)
        if isinstance(error, OSError):
            with contextlib.suppress(OSError):  # nor has what is still buffered
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return failure.exit_code
    return 0


def _terminate(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the clean-up is not interrupted
    raise Terminated


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
    sys.exit(_guarded(work, debug, "--json" in sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """The exit code of a command line; what the command `neurodeploy` does, without ending."""
    return _guarded(lambda: _invoke(arguments), "--debug" in arguments[:1], "--json" in arguments)


def _invoke(arguments: list[str]) -> None:
    """The command named by the arguments, without click's own handling of failures."""
    if COMPLETE in os.environ:
        complete(cli)
    with cli.make_context("neurodeploy", arguments) as context:
        cli.invoke(context)
