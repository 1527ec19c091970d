"""The command `events`: recordings put into steps."""

from __future__ import annotations

import io
import re
from typing import Any

import click

__all__ = ["events"]


@click.command()
@click.argument("recordings", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The .npz to write.")
@click.option("--sensor", required=True, metavar="WxH", help="Width and height, like 34x34.")
@click.option("--bin", "bin_", required=True, metavar="TIME", help="Time of a step, like 1ms.")
@click.option("--window", required=True, metavar="TIME", help="Time of a sample, like 300ms.")
@click.option(
    "--polarity",
    type=click.Choice(["both", "merged"]),
    default="both",
    show_default=True,
    help="An input for each polarity, or one for both.",
)
def events(
    recordings: str, output: str, sensor: str, bin_: str, window: str, polarity: str
) -> None:
    """Put raw events (.npz with t, x, y, p, start) into steps, for simulate and deploy."""
    import numpy as np

    from neurodeploy.errors import DataError
    from neurodeploy.event_samples import RawEvents, binned, microseconds, read_events, within
    from neurodeploy.files import check_output, write_atomically
    from neurodeploy.reporting.console import say, warn

    check_output(output, recordings)
    found = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", sensor)
    if found is None:
        raise click.BadParameter(f"{sensor!r} is not like 34x34", param_hint="--sensor")
    width, height = int(found[1]), int(found[2])
    length = microseconds("--bin", bin_)
    steps = round(microseconds("--window", window) / length)
    if not 1 <= steps <= 65_535:
        raise click.BadParameter(f"{steps} steps of {bin_}", param_hint="--window")
    raw = read_events(recordings)
    if not isinstance(raw, RawEvents):
        raise DataError(
            "holds no raw events",
            place=recordings,
            remedy="give an .npz with t (microseconds), x, y, p and start",
        )
    polarities = 2 if polarity == "both" else 1
    made, line = within(binned(raw, (polarities, height, width), length, recordings), steps)
    if line:
        warn(line)
    arrays: dict[str, Any] = {
        "step": made.step.astype(np.uint32),
        "input": made.input.astype(np.int32),
        "start": made.start.astype(np.int64),
        "shape": np.array([steps, polarities, height, width]),
    }
    if made.label is not None:
        arrays["label"] = made.label
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_atomically(output, stream.getvalue())
    say(
        f"{output}: {len(made.start) - 1:,} recordings, {made.step.size:,} events, "
        f"{steps} steps of {bin_}, inputs {polarities} x {height} x {width}"
    )
