"""The command `images`: a folder of image files as samples."""

from __future__ import annotations

import re
from typing import Any

import click

from neurodeploy.cli.help import examples
from neurodeploy.cli.options import JSON

__all__ = ["images"]


@click.command(
    epilog=examples(
        "neurodeploy images photos/ --size 32x32 -o calibration.npz",
        "neurodeploy images photos/ --size 28x28 --grey --limit 500 -o calibration.npz",
    )
)
@click.argument("folder", type=click.Path())
@click.option("-o", "--output", required=True, type=click.Path(), help="The .npz to write.")
@click.option("--size", required=True, metavar="WxH", help="Width and height, like 32x32.")
@click.option("--grey", is_flag=True, help="One channel in place of three.")
@click.option("--limit", type=click.IntRange(1), help="Only the first so many of each class.")
@JSON
def images(
    folder: str, output: str, size: str, grey: bool, limit: int | None, as_json: bool
) -> None:
    """Read a FOLDER of images, a subfolder a class, into samples for calibration and runs.

    Images are cropped in the middle to the ratio of --size and scaled to it; the .npz holds x
    (n, channels, height, width) as uint8 and, with subfolders, y: their places in the order of
    their names.
    """

    from neurodeploy.files import check_output, write_arrays
    from neurodeploy.image_folders import image_folder
    from neurodeploy.reporting.console import print_json, say

    check_output(output)
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", size)
    if found is None:
        raise click.BadParameter(f"{size!r} is not like 32x32", param_hint="--size")
    width, height = int(found[1]), int(found[2])
    samples = image_folder(folder, (height, width), grey=grey, limit=limit)
    arrays: dict[str, Any] = {"x": samples.x} | ({} if samples.y is None else {"y": samples.y})
    write_arrays(output, **arrays)
    if as_json:
        print_json(
            {
                "output": output,
                "samples": len(samples.x),
                "shape": list(samples.x.shape[1:]),
                "classes": None if samples.y is None else int(samples.y.max()) + 1,
            }
        )
    else:
        say(f"{output}: {len(samples.x):,} images of {' x '.join(map(str, samples.x.shape[1:]))}")
