"""Folders of images as samples, read by Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurodeploy.errors import DataError, UsageError
from neurodeploy.option_values import whole
from neurodeploy.samples import MAX_BYTES, Samples

__all__ = ["image_folder"]


def image_folder(
    folder: str | Path,
    size: tuple[int, int],
    *,
    grey: bool = False,
    limit: int | None = None,
) -> Samples:
    """Read images as samples, a subfolder a class, as torchvision's ``ImageFolder`` does.

    Each is cropped in the middle to the ratio of `size` and scaled to it (antialiased bicubic).

    Parameters
    ----------
    folder
        With a subfolder for each class, or with images themselves: then there are no labels.
    size
        (height, width) in pixels.
    grey
        One channel in place of red, green and blue.
    limit
        Only the first so many images of each class, in the order of their names.

    Returns
    -------
    Samples
        x: uint8 (n, channels, height, width), 0..255; y: int64 (n,), or None.

    Raises
    ------
    NeuroDeployError
        UsageError: Pillow is not installed (``pip install 'neurodeploy-compiler[images]'``).
        DataError: no such folder, no image in it, or one that cannot be read.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise UsageError(
            "Pillow is not installed",
            place="images",
            remedy="pip install 'neurodeploy-compiler[images]'",
        ) from None
    height, width = (whole("size", n, low=1) for n in size)
    place = str(folder)
    found = _files(Path(folder), frozenset(Image.registered_extensions()), limit)
    if not found:
        raise DataError("holds no image", place=place, remedy="give a folder of image files")
    if len(found) * height * width * (1 if grey else 3) > MAX_BYTES:
        raise DataError(f"{len(found)} images take over 8 GiB", place=place, remedy="set a limit")
    made = []
    for file, _ in found:
        try:
            with Image.open(file) as image:
                upright = ImageOps.exif_transpose(image).convert("L" if grey else "RGB")
                pixels = ImageOps.fit(upright, (width, height), Image.Resampling.BICUBIC)
                made.append(np.asarray(pixels, np.uint8).reshape(height, width, -1))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            told = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise DataError(f"cannot be read ({told})", place=str(file)) from None
    x = np.ascontiguousarray(np.stack(made).transpose(0, 3, 1, 2))
    labels = [label for _, label in found]
    return Samples(x, None if -1 in labels else np.array(labels, np.int64))


def _files(folder: Path, suffixes: frozenset[str], limit: int | None) -> list[tuple[Path, int]]:
    """Image files with their classes; -1 where the folder has no subfolders of images."""

    def within(place: Path) -> list[Path]:
        inside = sorted(p for p in place.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
        return inside[:limit]

    if not folder.is_dir():
        raise DataError("is no folder", place=str(folder), remedy="check the path")
    classes = sorted(p for p in folder.iterdir() if p.is_dir())
    named = [(file, label) for label, place in enumerate(classes) for file in within(place)]
    return named or [(file, -1) for file in within(folder)]
