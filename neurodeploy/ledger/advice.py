"""From the numbers of the layer to blame to a finding and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.calibration import LayerStatistics
from neurodeploy.ledger.blame import Sample
from neurodeploy.ledger.channel_peaks import channel_peaks
from neurodeploy.ledger.error_sums import squared
from neurodeploy.ledger.input_layer import Entrance
from neurodeploy.ledger.layer import Layer
from neurodeploy.ledger.matching import Twin
from neurodeploy.ledger.report import Blame, Row

__all__ = ["advise"]

_BINS = 4096
#: A channel whose largest weight is so many times the median channel's is named.
_OUTLIER = 4.0
#: Another lambda is advised where it would leave less than this share of the squared error.
_BETTER = 0.5


@dataclass(frozen=True)
class _Case:
    """What advice is made of."""

    twin: Twin
    part: Layer | Entrance
    row: Row
    samples: list[Sample]
    options: Mapping[str, Any]

    @property
    def steps(self) -> int:
        return self.twin.program.period

    @property
    def levels(self) -> int:
        """The largest integer that the population says in a window."""
        return self.part.top if isinstance(self.part, Layer) else self.steps

    @property
    def finer(self) -> str:
        """The option that gives activations more levels, with its value."""
        bits = self.options.get("bits")
        return f"--steps (now {self.steps})" if bits is None else f"--bits (now {bits})"

    @property
    def values(self) -> np.ndarray:
        """The ANN's values of the population, (n, neurons)."""
        return np.concatenate([sample.exact[self.row.name] for sample in self.samples])


_Found = tuple[str, str, str, dict[str, float]]  # cause, finding, advice, numbers


def advise(
    twin: Twin,
    part: Layer | Entrance,
    row: Row,
    causes: dict[str, float],
    samples: list[Sample],
) -> Blame:
    """The blame of a population, given what each cause in it brings to the output.

    The cause that brings most is taken. It is called

    1. ``overflow`` where it is the timing and the simulator counted wraps there (for a readout:
       or clips),
    2. ``silence`` where it is the steps and most of the squared error is activity too small to
       be said at all.
    """
    case = _Case(twin, part, row, samples, twin.program.recorded("options"))
    found = _CASES[max(causes, key=lambda cause: causes[cause])](case)
    if not row.at_output:
        found = ("none", "no population brings any error to the output", "nothing", {})
    cause, finding, advice, numbers = found
    count = sum(len(sample.exact[row.name]) for sample in samples)
    return Blame(row.name, cause, row.at_output, causes, count, finding, advice, numbers)


def _clipping(case: _Case) -> _Found:
    row, numbers = case.row, {"level": case.row.level, "peak": case.row.peak}
    if isinstance(case.part, Entrance):
        return (
            "clipping",
            "some inputs lie outside the range that the encoder can say",
            "compile with --input-range LOW,HIGH that holds all inputs, or calibrate with samples "
            "like these",
            numbers,
        )
    numbers["above"] = row.above
    finding = (
        f"{row.above:.2%} of its activations lie above lambda = {row.level:.4g} "
        f"(the largest is {row.peak:.4g}) and are cut off there"
    )
    balance, percentile = case.options.get("balance"), case.options.get("percentile")
    if balance == "percentile":
        advice = f"raise --percentile (now {percentile}), or use --balance max"
    elif balance == "max":
        advice = "calibrate with samples like these: lambda is the largest activation seen then"
    else:
        advice = "use --balance max, or --balance percentile --percentile 99.99"
    return "clipping", finding, advice, numbers


def _steps(case: _Case) -> _Found:
    row = case.row
    if isinstance(case.part, Entrance):
        encoder = case.part.encoder
        levels = encoder.high - encoder.low
        advice = "give a narrower --input-range"
        if encoder.code.counts:
            levels = min(levels, case.steps << encoder.bit_planes)
            advice = f"use more --bit-planes (now {encoder.bit_planes}) or --steps ({case.steps})"
        elif not encoder.code.steady:
            advice = f"use more --steps (now {case.steps})"
        finding = f"the input has {levels} levels over its range"
        return "steps", finding, advice, {"unit": encoder.unit}
    values = case.values
    rounded = case.part.grid(values)
    error, silent = squared(rounded, values), squared(values[rounded == 0])
    better, gain = _better_level(case, values)
    numbers = {
        "level": row.level,
        "peak": row.peak,
        "lost": row.lost,
        "silent_share_of_error": silent / error if error else 0.0,
        "least_squares_level": better,
        "squared_error_there": gain,
    }
    grid = f"{case.levels} levels up to lambda = {row.level:.4g}"
    if silent > error / 2:
        cause = "silence"
        finding = (
            f"{row.lost:.2%} of its active neurons say nothing: with {grid}, values below "
            f"{row.level / case.levels / 2:.4g} are rounded to silence"
        )
    else:
        cause, finding = "steps", f"{grid} are too coarse"
    advice = f"use more {case.finer}"
    # a lambda a channel was chosen by least squares already
    if "bits" not in case.options and gain < _BETTER and better < row.level:
        finding += f"; on these samples a lambda of {better:.4g} would be best"
        advice = f"lower lambda (--balance mmse, or a lower --percentile), or use more {case.finer}"
    return cause, finding, advice, numbers


def _better_level(case: _Case, values: np.ndarray) -> tuple[float, float]:
    """The least-squares lambda, and the share of the squared error that is left with it."""
    active = values[values > 0]
    peak = float(active.max(initial=0.0))
    if peak == 0:
        return case.row.level, 1.0
    counts, _ = np.histogram(active, _BINS, (0.0, peak))
    best = LayerStatistics(peak, counts).least_squares(case.levels)

    def error(level: float) -> float:
        coded = np.clip(np.floor(values * (case.levels / level) + 0.5), 0, case.levels)
        return squared(coded * (level / case.levels), values)

    now = error(case.row.level)
    return best, error(best) / now if now else 1.0


def _weights(case: _Case) -> _Found:
    assert isinstance(case.part, Layer)
    exact, whole = channel_peaks(case.part)
    median = float(np.median(exact))
    channel = int(exact.argmax())
    times = float(exact[channel] / median) if median else np.inf
    levels = float(np.median(whole))
    numbers = {"largest": float(exact[channel]), "median": median, "median_levels": levels}
    if times >= _OUTLIER:
        numbers["outlier_channel"] = channel
        often = f"{times:.1f} times the median channel's" if median else "alone in its layer"
        return (
            "weights",
            f"the largest weight of channel {channel} is {often}: one scale serves them all, "
            f"so the median channel keeps {levels:.0f} levels a sign of 127",
            "even the channels out (--l4 scales outliers down where the next layer can take it "
            "back), or train with weight decay or clipping",
            numbers,
        )
    if whole.max() < 64:
        return (
            "weights",
            f"its largest weight has {whole.max():.0f} levels a sign of 127: threshold, bias or "
            "the 24-bit state force a coarse scale",
            f"use fewer --steps (now {case.steps}), or look for a bias far larger than the others",
            numbers,
        )
    return (
        "weights",
        f"weights of 8 bit are too coarse; none stands out (median channel: {levels:.0f} levels "
        "a sign)",
        "train with 8-bit weights (quantisation-aware)",
        numbers,
    )


def _threshold(case: _Case) -> _Found:
    return (
        "threshold",
        f"its threshold and what its spikes are taken for contradict each other: it says "
        f"{case.part.gain:.4g} of what it should",
        "compile again: the compiler never makes such a program",
        {"gain": case.part.gain},
    )


def _timing(case: _Case) -> _Found:
    row = case.row
    # a hidden membrane clips at its lower limit: silent there, and silent it stays
    clips = row.clipped_membranes if row.kind == "readout" else 0
    numbers = {
        "timing": row.alone["timing"],
        "wrapped": float(row.wrapped),
        "clipped": float(row.clipped_membranes),
    }
    if row.wrapped or clips:
        return (
            "overflow",
            f"{row.wrapped:,} of its currents wrapped and {row.clipped_membranes:,} membranes "
            "clipped: its registers are too small for what arrives",
            "compile with --overflow error to see the worst case; use fewer --steps, "
            "--reset subtract, or --balance max in the layers before it",
            numbers,
        )
    if isinstance(case.part, Entrance):
        return (
            "timing",
            f"random input spikes are {row.alone['timing']:.1%} off their rates after "
            f"{case.steps} steps",
            f"use --encoding current or deterministic, or more --steps (now {case.steps})",
            numbers,
        )
    if case.part.reading.loses_overshoot:
        return (
            "timing",
            "reset to zero drops what exceeds the threshold at each spike: it fires too little",
            "use --reset subtract (--target loihi2), or --scheme ttfs",
            numbers,
        )
    if case.part.reading.keeps_back:
        return (
            "timing",
            f"activations below {case.part.reading.keeps_back} units are kept back",
            "lower --threshold: more is sent, and nothing is kept back at 0",
            numbers,
        )
    return (
        "timing",
        "its input spikes come unevenly, so it fires where the average would not",
        f"use more --steps (now {case.steps}), or --scheme ttfs, which has no such error",
        numbers,
    )


_CASES = {
    "clipping": _clipping,
    "steps": _steps,
    "weights": _weights,
    "threshold": _threshold,
    "timing": _timing,
}
