"""Samples and labels held against what a program was made for: one line a rule, with its remedy.

Everything here is allowed, and runs; but it is seldom meant. `docs/samples.md` lists the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.sample_scale import IMAGE_SCALE
from neurodeploy.warning import Warn

if TYPE_CHECKING:
    from neurodeploy.program import Encoder, Preprocessing, Program

__all__ = [
    "Seen",
    "calibrated_range",
    "check_calibration",
    "look_at_samples",
]

#: Values that are looked at together: a mapped file may be larger than the memory.
_BLOCK = 2**20
#: Samples that fill less than this share of the calibrated range were prepared otherwise.
_SMALL = 1 / 16
#: Distance from a whole number that counts as none.
_WHOLE = 1e-3
#: Few samples may be dark ones: below this many, a still smaller share is asked for.
_FEW, _TINY = 8, 1 / 64


@dataclass(frozen=True)
class Seen:
    """Samples as numbers, beside the range that they should lie in.

    Attributes
    ----------
    count
        Number of samples.
    integers
        Whether their dtype is one of integers.
    low, high
        Least and largest network input among them.
    range
        The calibrated range.
    values, samples
        Share of the values, and number of samples, that leave the range by more than the
        encoder's half integer.
    """

    count: int
    integers: bool
    low: float
    high: float
    range: tuple[float, float]
    values: float
    samples: int

    @classmethod
    def of(
        cls,
        x: np.ndarray,
        preprocessing: Preprocessing,
        expected: tuple[float, float],
        unit: float = 0.0,
    ) -> Seen:
        """Look at all samples, a block at a time.

        Parameters
        ----------
        x
            Checked samples (n, *shape).
        unit
            Real value of one of the encoder's integers.
        """
        low, high, beyond, touched = np.inf, -np.inf, 0, 0
        slack = max(unit / 2, (expected[1] - expected[0]) / 1000)
        rows = max(1, _BLOCK // max(1, x[0].size))
        for first in range(0, len(x), rows):
            real = preprocessing.apply(x[first : first + rows])
            least, most = float(real.min()), float(real.max())
            low, high = min(low, least), max(high, most)
            if least < expected[0] - slack or most > expected[1] + slack:
                out = (real < expected[0] - slack) | (real > expected[1] + slack)
                beyond += int(out.sum())
                touched += int(out.reshape(len(out), -1).any(1).sum())
        return cls(len(x), x.dtype.kind in "iu", low, high, expected, beyond / x.size, touched)

    @cached_property
    def span(self) -> float:
        """Width of the calibrated range."""
        return self.range[1] - self.range[0]

    @property
    def excess(self) -> float:
        """By how much the farthest value leaves the range."""
        return max(self.range[0] - self.low, self.high - self.range[1], 0.0)


def calibrated_range(program: Program) -> tuple[float, float]:
    """Lowest and highest network input that a program was made for.

    As its maker recorded it; of a program that does not say, what its encoder can tell apart.
    """
    ends = program.recorded("options").get("input_range")
    if isinstance(ends, list | tuple) and len(ends) == 2:
        numbers = [float(end) for end in ends if isinstance(end, int | float)]
        if len(numbers) == 2 and np.isfinite(numbers).all() and numbers[0] < numbers[1]:
            return numbers[0], numbers[1]
    e = program.encoder
    low, high = e.offsets + e.low * e.units, e.offsets + e.high * e.units
    return float(np.min(low)), float(np.max(high))


def look_at_samples(program: Program, x: np.ndarray, warn: Warn) -> None:
    """Say of samples what a user of the program should know, a line a rule.

    Parameters
    ----------
    x
        Checked samples (n, *shape).
    """
    encoder = program.encoder
    seen = Seen.of(x, encoder.preprocessing, calibrated_range(program), encoder.unit)
    lines = (
        _scaled_unasked(seen, program),
        _beyond(seen, program) or _beyond_channels(seen, program, x),
        _small(seen, program),
        _constant(seen, program),
        _rounded(program, x),
    )
    for line in filter(None, lines):
        warn(line)


def _scaled_unasked(seen: Seen, program: Program) -> str:
    """Integers that are changed by a scale that nobody stated and no calibration showed."""
    how = program.recorded("calibration")
    if not seen.integers or how.get("scale_from") not in ("images", "no calibration"):
        return ""
    if str(how.get("dtype", "")).startswith(("int", "uint")):
        return ""
    what = "float samples" if how.get("samples") else "no samples"
    return (
        f"integer samples: taken as {_formula(program.encoder)}; the program was calibrated with "
        f"{what} (state --scale when compiling if that is wrong)"
    )


def _beyond(seen: Seen, program: Program) -> str:
    """Values that leave the calibrated range."""
    if not seen.samples:
        return ""
    low, high = seen.range
    share = f", {100 * seen.excess / seen.span:.3g} % of it" if seen.span > 0 else ""
    return (
        f"samples leave the calibrated range {low:g}..{high:g}: {100 * seen.values:.2g} % of the "
        f"values, in {seen.samples:,} of {seen.count:,} samples, by up to {seen.excess:g}{share}; "
        f"what lies outside is clipped; {_remedy(seen, program)}"
    )


def _beyond_channels(seen: Seen, program: Program, x: np.ndarray) -> str:
    """Values that leave what the integers of their own channel, or feature, can say."""
    encoder = program.encoder
    if not (encoder.channel_units or encoder.channel_offsets):
        return ""
    size = x[0].size
    unit, zero = (np.broadcast_to(v, size) for v in (encoder.input_units, encoder.input_offsets))
    low, high = zero + (encoder.low - 0.5) * unit, zero + (encoder.high + 0.5) * unit
    values = samples = 0
    farthest, line = 0.0, ""
    rows = max(1, _BLOCK // max(1, size))
    for first in range(0, len(x), rows):
        real = encoder.preprocessing.apply(x[first : first + rows]).reshape(-1, size)
        off = np.maximum(low - real, real - high) / ((encoder.high - encoder.low) * unit)
        values += int((off > 0).sum())
        samples += int((off > 0).any(1).sum())
        if off.max() > farthest:
            farthest = float(off.max())
            row, at = np.unravel_index(off.argmax(), off.shape)
            index = at // max(1, size // encoder.input_shape[0])
            line = f"{index} with {real[row, at]:g} where {low[at]:g}..{high[at]:g} is known"
    if not values:
        return ""
    what = "feature" if size == encoder.input_shape[0] else "channel"
    return (
        f"samples leave the calibrated range of their {what}: {100 * values / x.size:.2g} % of the "
        f"values, in {samples:,} of {seen.count:,} samples, farthest {what} {line}; what lies "
        "outside is clipped; prepare them as the calibration samples were, or compile with "
        "calibration samples like these"
    )


def _remedy(seen: Seen, program: Program) -> str:
    """What brings samples into the range, tried before it is said."""
    encoder = program.encoder

    def fits(low: float, high: float) -> bool:
        slack = 0.1 * seen.span
        filled = high - low >= seen.span / 8
        return filled and low >= seen.range[0] - slack and high <= seen.range[1] + slack

    far = seen.excess > 10 * seen.span  # a factor is wrong, not a sample
    if far and not seen.integers:
        ends = np.array([[seen.low], [seen.high]])
        prepare = encoder.preprocessing
        made = (ends * prepare.scale - np.array(prepare.mean)) / np.array(prepare.std)
        if not _is_identity(encoder) and fits(float(made.min()), float(made.max())):
            return "give them in an integer dtype: the program prepares those"
    if far and fits(seen.low * IMAGE_SCALE, seen.high * IMAGE_SCALE):
        return "divide them by 255" + (
            f", or compile with --scale {IMAGE_SCALE:.9g}" if seen.integers else ""
        )
    return (
        "prepare them as the calibration samples were, or compile with calibration samples like "
        "these"
    )


def _small(seen: Seen, program: Program) -> str:
    """Values that fill only a corner of the calibrated range."""
    if "input_range" not in program.recorded("options") or seen.low == seen.high:
        return ""  # nobody said what range is meant, or there is only one value
    share = (seen.high - seen.low) / seen.span if seen.span > 0 else 1.0
    if seen.samples or share >= (_SMALL if seen.count >= _FEW else _TINY):
        return ""
    scaled = seen.integers and not _is_identity(program.encoder)
    how = f" after {_formula(program.encoder)}" if scaled else ""
    remedy = (
        "compile with the --scale that they need, or give them as floats"
        if scaled
        else "prepare them as the calibration samples were"
    )
    return (
        f"samples lie in {seen.low:g}..{seen.high:g}{how}, {100 * share:.2g} % of the calibrated "
        f"range {seen.range[0]:g}..{seen.range[1]:g}: they hardly reach the thresholds; {remedy}"
    )


def _constant(seen: Seen, program: Program) -> str:
    """One value in all of them."""
    if seen.low != seen.high:
        return ""
    return f"all samples hold the same value, {seen.low:g}, everywhere: check where they come from"


def _rounded(program: Program, x: np.ndarray) -> str:
    """Fractions where each step's number is sent as it is: spikes, or frames of whole numbers."""
    encoder = program.encoder
    if x.dtype.kind != "f" or not encoder.code.varies or encoder.unit != 1:
        return ""
    rows = max(1, _BLOCK // max(1, x[0].size))
    count = 0
    for first in range(0, len(x), rows):
        part = x[first : first + rows]
        count += int(np.count_nonzero(np.abs(part - np.rint(part)) > _WHOLE))
    if not count:
        return ""
    return (
        f"{100 * count / x.size:.2g} % of the values are no whole numbers, and {encoder.encoding} "
        "sends whole ones: they are rounded, halves to the even one; give counts or spikes, or "
        "compile with --encoding frames and --calibration samples like these"
    )


def _is_identity(encoder: Encoder) -> bool:
    p = encoder.preprocessing
    return p.scale == 1 and not any(p.mean) and all(value == 1 for value in p.std)


def _formula(encoder: Encoder) -> str:
    """What integer samples become, in words."""
    p = encoder.preprocessing
    scaled = "x" if p.scale == 1 else f"x * {p.scale:.6g}"
    if any(p.mean):
        scaled = f"({scaled} - {', '.join(f'{value:g}' for value in p.mean)})"
    if any(value != 1 for value in p.std):
        scaled += f" / {', '.join(f'{value:g}' for value in p.std)}"
    return scaled


def check_calibration(
    x: np.ndarray,
    preprocessing: Preprocessing,
    stated: bool,
    input_range: tuple[float, float] | None,
    warn: Warn,
) -> None:
    """Refuse calibration samples that say nothing, warn of those that say little.

    Parameters
    ----------
    x
        Checked samples (n, *shape).
    stated
        Whether the user stated the scale.
    input_range
        As stated; None if it is to be read off the samples.

    Raises
    ------
    DataError
        One value in all samples: thresholds would be of nothing.
    """
    seen = Seen.of(x, preprocessing, input_range or (-np.inf, np.inf))
    remedy = "give some hundred real samples"
    if seen.low == seen.high:
        what = "zero" if seen.low == 0 else f"the same value, {seen.low:g}"
        raise DataError(f"all samples are {what}", place="calibration", remedy=remedy)
    if seen.count == 1:
        warn(f"one calibration sample: every threshold rests on it alone; {remedy}")
    elif all(np.array_equal(x[0], sample) for sample in x[1:]):
        warn(f"all {seen.count:,} calibration samples are the same one; {remedy}")
    if seen.samples:
        warn(
            f"{seen.samples:,} of {seen.count:,} calibration samples leave the stated input range "
            f"{seen.range[0]:g}..{seen.range[1]:g}, by up to {seen.excess:g}: what lies outside "
            "is clipped; state --input-range as wide as the samples"
        )
    changed = any(preprocessing.mean) or any(value != 1 for value in preprocessing.std)
    changed = changed or (stated and preprocessing.scale != 1)
    if changed and not seen.integers and not _alike(seen, preprocessing):
        warn(
            f"scale, mean and std are for integer samples; the calibration samples are floats, "
            f"{seen.low:g}..{seen.high:g}, and taken as they are (give them as integers if they "
            "are to be prepared)"
        )


def _alike(seen: Seen, preprocessing: Preprocessing) -> bool:
    """Whether floats lie where images of 0..255 would, once prepared."""
    ends = np.array([[0.0], [255.0]]) * preprocessing.scale
    made = (ends - np.array(preprocessing.mean)) / np.array(preprocessing.std)
    low, high = float(made.min()), float(made.max())
    room = 0.05 * (high - low)
    return low - room <= seen.low and seen.high <= high + room and (
        seen.high - seen.low >= (high - low) / 8
    )  # fmt: skip
