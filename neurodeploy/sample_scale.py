"""Which scale integer samples get where none is stated: images of 0..255, or numbers as they are.

A wrong scale is a wrong input that every later stage takes for right, so the choice rests on
evidence, is said, and is stored in the program with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neurodeploy.errors import ProgramError, UsageError
from neurodeploy.option_values import number, numbers
from neurodeploy.program import Preprocessing

if TYPE_CHECKING:
    from neurodeploy.importing import Imported

__all__ = ["IMAGE_SCALE", "ScaleChoice", "choose_preprocessing", "choose_scale"]

#: What images of 0..255 become by custom: 0..1.
IMAGE_SCALE = 1 / 255
#: Why a scale was taken, as the program records it.
Reason = Literal["stated", "model", "images", "raw images", "counts", "float", "no calibration"]
#: Samples that are looked at, spread over all.
_LOOKED_AT = 64
#: Images have many levels and reach the upper half of 0..255; counts of events rarely do both.
_LEVELS, _BRIGHT = 32, 128
#: A model that scales its input by less than that takes pixels of 0..255, not of 0..1.
_SCALES_ITSELF = 1 / 32


@dataclass(frozen=True)
class ScaleChoice:
    """A scale for integer samples.

    Attributes
    ----------
    scale
        Network input = (sample * scale - mean) / std.
    reason
        Stored in the program's provenance.
    line
        What the user should read; empty where nothing was chosen.
    """

    scale: float
    reason: Reason
    line: str = ""


def choose_scale(
    x: np.ndarray | None,
    integer_model: bool,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    outputs: Callable[[np.ndarray], np.ndarray],
    input_gain: float = 1.0,
) -> ScaleChoice:
    """The scale by the model's and the calibration's ranges.

    1. The model takes integers: 1.
    2. No calibration: 1/255, the range that the bounds assume.
    3. Float calibration: 1, unless its values are images of 0..255 scaled by 1/255 (and by mean
       and std), many levels of which lie on that grid.
    4. Integers that are not images (negative, beyond 255, few or small levels: counts): 1.
    5. Images: 1/255, unless the model begins with a division by as much itself, or its outputs
       stay the same for all of them so and tell them apart at 0..255: then it takes them as they
       are.

    Parameters
    ----------
    x
        Calibration samples (n, *shape).
    outputs
        Network input float32 (k, *shape) to outputs (k, ...).
    input_gain
        By how much the model scales its input itself.
    """
    if integer_model:
        return ScaleChoice(1.0, "model")
    if x is None:
        return ScaleChoice(IMAGE_SCALE, "no calibration")
    part = np.asarray(x[:: max(1, len(x) // _LOOKED_AT)][:_LOOKED_AT])
    if x.dtype.kind == "f":
        if _on_the_grid(part, mean, std):
            return ScaleChoice(
                IMAGE_SCALE,
                "images",
                "the calibration samples are images as floats: integer samples will be scaled "
                "like them, by 1/255 (state --scale if they are others)",
            )
        return ScaleChoice(
            1.0,
            "float",
            "the calibration samples are floats: integer samples will be taken as they are, with "
            "scale 1 (state --scale if they are to be scaled)",
        )
    low, high = int(x.min()), int(x.max())
    if not _is_image(low, high, part):
        return ScaleChoice(
            1.0,
            "counts",
            f"integer samples ({low}..{high}) that do not look like images of 0..255: taken as "
            "they are, with scale 1 (state --scale if the model takes others)",
        )
    if (mean, std) == ((0.0,), (1.0,)) and input_gain <= _SCALES_ITSELF:
        return ScaleChoice(
            1.0,
            "raw images",
            f"integer samples: taken as they are, with scale 1, for the model divides its input by "
            f"{1 / input_gain:.4g} itself (state --scale if it takes others)",
        )
    if (mean, std) == ((0.0,), (1.0,)) and _takes_raw(part, outputs):
        return ScaleChoice(
            1.0,
            "raw images",
            "integer samples: taken as they are, with scale 1, for the model hardly tells them "
            "apart at 1/255 (state --scale if it takes others)",
        )
    return ScaleChoice(
        IMAGE_SCALE,
        "images",
        "integer samples: scaled by 1/255 (state --scale if the model takes others)",
    )


def _is_image(low: int, high: int, part: np.ndarray) -> bool:
    return low >= 0 and _BRIGHT <= high <= 255 and np.unique(part).size >= _LEVELS


def _on_the_grid(part: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> bool:
    """Whether floats are images after ``(raw / 255 - mean) / std``."""
    channels = part.shape[1] if part.ndim > 1 else 1
    if any(len(values) not in (1, channels) for values in (mean, std)):
        return False  # refused elsewhere, with the numbers

    def along(values: tuple[float, ...]) -> np.ndarray:
        return np.asarray(values).reshape((1, -1) + (1,) * (part.ndim - 2))

    raw = (part.astype(np.float64) * along(std) + along(mean)) / IMAGE_SCALE
    if not np.isfinite(raw).all():
        return False
    nearest = np.rint(raw)
    if np.abs(raw - nearest).max() > 0.02:
        return False
    return _is_image(int(nearest.min()), int(nearest.max()), nearest)


def _takes_raw(part: np.ndarray, outputs: Callable[[np.ndarray], np.ndarray]) -> bool:
    """Whether the model takes images as 0..255: at 0..1 they drown in its biases.

    Measured on the spread of the outputs over the samples against their size; and where there
    are classes, on the share of the most frequent one.
    """
    if len(part) < 8:
        return False

    def looked(scale: float) -> tuple[float, float]:
        given = part.astype(np.float32) * np.float32(scale)
        found = outputs(given).reshape(len(part), -1).astype(np.float64)
        size = float(np.sqrt(np.square(found).mean()))
        if not np.isfinite(size) or size == 0:
            return 0.0, 1.0
        share = float(np.bincount(found.argmax(1)).max() / len(part))
        # one output has no classes: its spread alone decides
        return float(found.std(0).mean()) / size, share if found.shape[1] > 1 else 0.0

    spread, share = looked(IMAGE_SCALE)
    raw_spread, raw_share = looked(1.0)
    same = spread < 0.25 and (share > 0.9 or share == 0)
    return same and raw_spread > max(0.4, 3 * spread) and raw_share < 0.7


def choose_preprocessing(
    imported: Imported, calibration: np.ndarray | None, scale: float | None, mean: Any, std: Any
) -> tuple[Preprocessing, ScaleChoice]:
    """What integer samples become, as stated or else as model and calibration show.

    Raises
    ------
    UsageError
        Numbers that are none, or of no use.
    """
    from neurodeploy.network.evaluate import Evaluator

    mean, std = numbers("--mean", mean), numbers("--std", std)
    network = imported.network

    def outputs(x: np.ndarray) -> np.ndarray:
        return Evaluator(network).run(x)[network.output.name]

    if scale is None:
        chosen = choose_scale(
            calibration, imported.integer_input, mean, std, outputs, imported.input_gain
        )
    else:
        chosen = ScaleChoice(number("--scale", scale), "stated")
    try:
        return Preprocessing(chosen.scale, mean, std), chosen
    except ProgramError as error:
        raise UsageError(error.message, place="--scale, --mean, --std") from None
