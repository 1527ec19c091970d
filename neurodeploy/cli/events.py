"""The command `events`: recordings put into steps."""

from __future__ import annotations

import re
from typing import Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON

__all__ = ["events"]


@click.command(
    epilog=examples(
        "neurodeploy events a.aedat4 b.aedat4 --sensor 128x128 --bin 1ms --window 300ms -o x.npz",
        "neurodeploy events raw.npz --sensor 34x34 --bin 1ms --window 300ms --polarity merged "
        "-o x.npz",
    )
)
@click.argument("recordings", type=click.Path(), nargs=-1, required=True)
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
@click.option("--crop", metavar="WxH+X+Y", help="Only this part of the sensor, like 128x128+20+0.")
@click.option(
    "--downsample",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="So many times so many places of the sensor are one input.",
)
@JSON
def events(
    recordings: tuple[str, ...],
    output: str,
    sensor: str,
    bin_: str,
    window: str,
    polarity: str,
    crop: str | None,
    downsample: int,
    as_json: bool,
) -> None:
    """Put raw events into steps, for simulate and deploy.

    RECORDINGS: one .npz (t, x, y, p, start, label), or files of event cameras, a recording each:
    .aedat4, .raw, .dat, .es, .csv, .bin (N-MNIST), .npy (structured, as tonic makes them).
    """
    import numpy as np

    from neurodeploy.errors import DataError
    from neurodeploy.event_files import cropped, read_camera_files
    from neurodeploy.event_samples import RawEvents, binned, microseconds, read_events, within
    from neurodeploy.files import check_output, write_arrays
    from neurodeploy.reporting.console import print_json, say, warn

    check_output(output, *recordings)
    found = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", sensor)
    if found is None:
        raise click.BadParameter(f"{sensor!r} is not like 34x34", param_hint="--sensor")
    width, height = int(found[1]), int(found[2])
    length = microseconds("--bin", bin_)
    steps = round(microseconds("--window", window) / length)
    if not 1 <= steps <= 65_535:
        raise click.BadParameter(f"{steps} steps of {bin_}", param_hint="--window")
    if len(recordings) == 1 and recordings[0].lower().endswith(".npz"):
        raw = read_events(recordings[0])
        if not isinstance(raw, RawEvents):
            raise DataError(
                "holds no raw events",
                place=recordings[0],
                remedy="give an .npz with t (microseconds), x, y, p and start",
            )
    else:
        raw = read_camera_files(recordings)
    corner, size = (0, 0), (width, height)
    if crop is not None:
        part = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})\+(\d{1,5})\+(\d{1,5})", crop)
        if part is None:
            raise click.BadParameter(f"{crop!r} is not like 128x128+20+0", param_hint="--crop")
        size, corner = (int(part[1]), int(part[2])), (int(part[3]), int(part[4]))
    if crop is not None or downsample > 1:
        raw, outside = cropped(raw, corner, size, downsample)
        if outside:
            warn(f"{outside:,} events lie outside the part of the sensor and are dropped")
        width, height = -(-size[0] // downsample), -(-size[1] // downsample)
    polarities = 2 if polarity == "both" else 1
    made, line = within(binned(raw, (polarities, height, width), length, recordings[0]), steps)
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
    write_arrays(output, **arrays)
    if as_json:
        print_json(
            {
                "output": output,
                "recordings": len(made.start) - 1,
                "events": int(made.step.size),
                "steps": steps,
                "shape": [polarities, height, width],
            }
        )
        return
    say(
        f"{output}: {len(made.start) - 1:,} recordings, {made.step.size:,} events, "
        f"{steps} steps of {bin_}, inputs {polarities} x {height} x {width}"
    )
