"""Commands about this installation: doctor, setup-lava."""

from __future__ import annotations

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON

__all__ = ["doctor", "setup_lava"]


@click.command(epilog=examples("neurodeploy doctor", "neurodeploy doctor --json"))
@JSON
def doctor(as_json: bool) -> None:
    """Show what is installed here, what is missing, and the one command that brings it.

    Exit code 0 if compiling and simulating work, 1 if not; what is optional does not count.
    """
    from neurodeploy.reporting.console import print_json, say, table
    from neurodeploy.reporting.health import examine

    report = examine()
    if as_json:
        print_json(report)
    else:
        rows = [
            (c["name"], "ok" if c["ok"] else "missing", c["needed_for"], c["detail"])
            for c in report["checks"]
        ]
        table("neurodeploy doctor", ("part", "state", "for", "detail"), rows)
        for need in report["missing"]:
            say(f"missing for {need['needed_for']}: {', '.join(need['parts'])}")
            say(f"  what to do: {need['command']}")
        if not report["missing"]:
            say("nothing is missing")
    if not report["ok"]:
        raise SystemExit(1)


@click.command(
    "setup-lava", epilog=examples("neurodeploy setup-lava", "neurodeploy setup-lava --dry-run")
)
@click.option("--dry-run", is_flag=True, help="Show the commands, run none.")
@JSON
def setup_lava(dry_run: bool, as_json: bool) -> None:
    """Install Intel's Lava into this Python, for `deploy`.

    lava-nc 0.10.0, the last release, says that it wants Python below 3.11 and an old NumPy; it runs
    on 3.10 to 3.13 (docs/lava.md). It is installed past what it says, and then what it imports.
    """
    from neurodeploy.lava.installing import commands, install
    from neurodeploy.reporting.console import print_json, say

    wanted = commands()
    if not dry_run:
        install(say_to_stderr)
    if as_json:
        print_json({"installed": not dry_run, "commands": [" ".join(each) for each in wanted]})
    elif dry_run:
        for each in wanted:
            say(" ".join(each))
    else:
        say("Lava is ready: neurodeploy deploy PROGRAM.ndp --data SAMPLES.npz --verify")


def say_to_stderr(line: str) -> None:
    """Progress: stdout is for the outcome."""
    click.echo(line, err=True)
