"""Options that several commands share."""

from __future__ import annotations

import click

__all__ = ["JSON", "OUTPUT_NAME", "numbers"]

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
OUTPUT_NAME = click.option(
    "--output-name", metavar="NAME", help="Which output of the model; default: its first."
)


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers between commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a list of numbers like 0.5,0.5", param_hint=option
        ) from None
