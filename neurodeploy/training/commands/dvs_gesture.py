"""`python -m neurodeploy.training dvs-gesture`."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("dvs-gesture")
@click.argument("folder", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The .npz to write.")
@click.option(
    "--split", type=click.Choice(["train", "test"]), required=True, help="Which trials to take."
)
@click.option(
    "--downsample",
    type=click.Choice(["1", "2", "4", "8"]),
    default="4",
    show_default=True,
    help="Pixels on each axis that become one.",
)
@click.option("--window", metavar="TIME", help="Only so much of each gesture, like 1.5s.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many trials.")
def command(
    folder: str, output: str, split: str, downsample: str, window: str | None, limit: int | None
) -> None:
    """Read DVS128 Gesture (FOLDER with .aedat and label files) into an .npz of raw events."""
    import io

    import numpy as np

    from neurodeploy.event_samples import microseconds
    from neurodeploy.files import check_output, write_atomically
    from neurodeploy.reporting.console import Progress, say
    from neurodeploy.training.recordings.dvs_gesture import SENSOR, read_dvs_gesture

    check_output(output)
    with Progress().running() as bars:
        found = read_dvs_gesture(
            folder,
            split,
            downsample=int(downsample),
            window_us=None if window is None else microseconds("--window", window),
            limit=limit,
            progress=lambda done, total: bars.stage("read", done, total),
        )
    assert found.label is not None
    stream = io.BytesIO()
    np.savez_compressed(
        stream, t=found.t, x=found.x, y=found.y, p=found.p, start=found.start, label=found.label
    )
    write_atomically(output, stream.getvalue())
    side = SENSOR // int(downsample)
    say(
        f"{output}: {len(found.start) - 1:,} gestures, {found.t.size:,} events, sensor "
        f"{side} x {side}"
    )
