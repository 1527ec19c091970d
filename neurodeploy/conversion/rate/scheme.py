"""Rate coding: an activation is the share of steps at which a neuron fires, times lambda.

Integrate-and-fire neurons, threshold balancing (Diehl et al. 2015; Rueckauer et al. 2017). With
reset by subtraction, constant input and the initial potential theta/2 a neuron fires
``clip(floor(z T / theta + 1/2), 0, T)`` times in T steps (papers: Deng & Gu 2021, Bu et al. 2022).
Behind the first layer spikes come unevenly, and a neuron fires for what is taken back later. One
that may take a spike back itself (signed spikes: Wang et al. 2022) ends where it should.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from neurodeploy.calibration import Calibration, LayerStatistics
from neurodeploy.conversion.balance import BALANCES, Balance, Balanced
from neurodeploy.conversion.input_lines import reading_lines, usual_bit_planes
from neurodeploy.conversion.options import option
from neurodeploy.conversion.rate.counts import POOLED, Counts
from neurodeploy.conversion.rate.layers import LONGEST, Made, Maker, make_layers
from neurodeploy.conversion.rate.stock import HEIGHTS, Stock
from neurodeploy.conversion.rate.subtracting import STARTS, Subtracting
from neurodeploy.conversion.relayed_input import relay_input
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.window.entrance import Entrance, eight_bits, even
from neurodeploy.conversion.window.layout import Layout
from neurodeploy.conversion.window.steps import least_squares_steps
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import Stage, population_shape
from neurodeploy.program import Decoder, Encoder, Encoding, Preprocessing, Program
from neurodeploy.program.bit_planes import MOST_PLANES
from neurodeploy.program.codec import PROBABILITY_ONE
from neurodeploy.targets import Target

__all__ = ["RateScheme", "ResetMode"]

ResetMode = Literal["subtract", "zero"]
#: Tried where a trial with the default is poor.
PERCENTILES = (99.9, 99.0, 98.0)
#: Of the lambda of least squared error that are tried: smaller spikes are less uneven together.
SHARES = (0.84, 0.7, 0.59, 0.5)


@dataclass(frozen=True, eq=False)
class Way:
    """Layers, and how they were made: of what, and with which share of lambda."""

    made: Made
    maker: Maker
    share: float

    @property
    def error(self) -> float:
        """Of the outputs; NaN where no samples were stepped."""
        return self.made.error


@register_scheme
@dataclass(frozen=True)
class RateScheme(Balanced):
    """Options of the rate code, besides those of `Balanced`.

    Attributes
    ----------
    reset
        ``subtract`` the threshold (microcode, or two compartments) or to ``zero`` (the stock
        neuron); None: `subtract` where the target has one of the two.
    signed
        Whether a neuron takes a spike back (sends -1) while its membrane is negative; None: where
        the target has microcode and graded messages.
    encoding
        Input as constant ``current`` (graded), or ``deterministic`` or ``poisson`` spikes; None:
        `current` where the target has graded spikes, else `deterministic`.
    bit_planes
        Highest bits of each input that come on lines of their own, which fire at every step or
        never; None: with `deterministic` input as many as tell 256 levels apart, else 0.
    pooling
        Max pooling by the running maximum of ``counts``, exact in counts (microcode), or as a tree
        of ``relus``, which are ordinary neurons; None: `counts` where the target has microcode.
    step
        Whether lambda is that of a ``channel`` or of the whole ``layer``, with `balance` mmse.
    bias_correction
        Whether what spikes say on average too much or too little is taken back in the biases.

    References
    ----------
    Diehl et al. 2015 and Rueckauer et al. 2017 (weights scaled by lambda, ``W <- W lambda(layer
    before) / lambda``, bias ``b / lambda``; reset by subtraction); Li et al. 2021 (least squares,
    corrected biases), see `Balanced`.
    """

    balance: Balance | None = option(  # type: ignore[assignment]
        None,
        "How lambda is chosen.",
        type=str,
        choices=BALANCES,
        absent="mmse, or percentile where one is stated",
    )
    percentile: float | None = option(  # type: ignore[assignment]
        None,
        "Percentile of the non-zero activations.",
        type=float,
        low=0,
        high=100,
        above=True,
        absent="99.9 with --balance percentile",
    )
    reset: ResetMode | None = option(
        None,
        "What a spike does to the membrane.",
        type=str,
        choices=("subtract", "zero"),
        absent="subtract, or zero where the target can only that",
    )
    signed: bool | None = option(
        None,
        "Let neurons take spikes back, by spikes of -1.",
        type=bool,
        absent="with --reset subtract, where the target has graded messages",
    )
    encoding: Encoding | None = option(
        None,
        "How the input comes in.",
        type=str,
        choices=("current", "deterministic", "poisson"),
        absent="current, or deterministic where spikes are binary",
    )
    bit_planes: int | None = option(
        None,
        "Highest bits of the input on lines of their own, with spikes as input.",
        type=int,
        low=0,
        high=MOST_PLANES,
        absent="with --encoding deterministic as many as tell 256 levels apart, else 0",
    )
    step: str | None = option(
        None,
        "What shares one lambda.",
        type=str,
        choices=("channel", "layer"),
        absent="channel; layer with --balance max or percentile",
    )
    bias_correction: bool = option(
        True, "Take mean errors of the spikes back in the biases, layer by layer."
    )

    pooling: str | None = option(
        None,
        "How max pooling is done: by the running maximum of counts, or by ReLUs.",
        type=str,
        choices=("counts", "relus"),
        absent="counts, or relus where the target has no microcode",
    )

    name: ClassVar[str] = "rate"
    title: ClassVar[str] = "rate code: an activation is the share of steps at which a neuron fires"
    largest_pool: ClassVar[int | None] = POOLED
    #: A constant current has no counts.
    pools_input: ClassVar[bool] = False

    @property
    def max_pooling(self) -> bool:  # type: ignore[override]
        """By the running maximum of counts; else by ReLUs."""
        return self.pooling != "relus"

    @property
    def uses_noise(self) -> bool:
        """With Poisson input."""
        return self.encoding == "poisson"

    def alternatives(self, stated: Collection[str]) -> tuple[RateScheme, ...]:
        """See `Scheme.alternatives`: percentiles.

        They clip the rarest activations and let all others fire more often: in deep and residual
        networks at few steps the second is worth far more, elsewhere it is not.
        """
        if not {"balance", "percentile"}.isdisjoint(stated):
            return ()
        if self._tries_shares:
            return ()
        return tuple(replace(self, balance="percentile", percentile=p) for p in PERCENTILES)

    @property
    def _tries_shares(self) -> bool:
        """Whether shares of lambda are tried: it is free, and spikes that come unevenly matter.

        Only where samples are stepped, for the outputs tell.
        """
        uneven = self.reset == "subtract" and not self.signed
        stepped = self.bias_correction and self.steps <= LONGEST
        return uneven and stepped and self.balance in (None, "mmse")

    def resolved(self, target: Target) -> RateScheme:
        """See `Scheme.resolved`."""
        able = target.microcode or target.soft_reset
        reset = self.reset or ("subtract" if able else "zero")
        takes_back = reset == "subtract" and target.microcode and target.graded_bits > 0
        balance = self.balance or ("mmse" if self.percentile is None else "percentile")
        usual = PERCENTILES[0] if balance == "percentile" else None
        return replace(
            self,
            balance=balance,
            percentile=self.percentile or usual,
            reset=reset,
            signed=takes_back if self.signed is None else self.signed,
            encoding=self.encoding or ("current" if target.graded_bits else "deterministic"),
            pooling=self.pooling or ("counts" if target.microcode else "relus"),
        )

    def level(
        self, statistics: LayerStatistics, maximum: float | None, levels: int | None = None
    ) -> float:
        """See `Balanced.level`."""
        balance = self.balance or ("mmse" if self.percentile is None else "percentile")
        stated = replace(self, balance=balance, percentile=self.percentile or PERCENTILES[0])
        return Balanced.level(stated, statistics, maximum, levels)

    def entrance(
        self,
        shape: tuple[int, ...],
        calibration: Calibration,
        preprocessing: Preprocessing,
        stages: tuple[Stage, ...] = (),
    ) -> Entrance:
        """Integers of the input: 8 bits of a constant current, or 2**-16 spikes a step.

        Input that may be negative has an offset, which is folded into the biases.

        Parameters
        ----------
        shape
            Shape of one sample.
        calibration
            Its `input_range`, lowest and highest value, in the network's units.
        preprocessing
            How raw samples become the network's input.
        stages
            That read the input.

        Returns
        -------
        Entrance
            Integers of 8 bits, or shares of 2**16, with what one of them stands for.
        """
        low, high = calibration.input_range
        calibration = replace(calibration, input_range=(min(low, 0.0), high))
        if self.encoding == "current":
            return eight_bits(shape, calibration, preprocessing, stages)
        return even(shape, calibration, PROBABILITY_ONE)

    def largest(
        self, stage: Stage, calibration: Calibration, activations: np.ndarray | None
    ) -> np.ndarray:
        """The activation that a spike at every step stands for, of each channel.

        Parameters
        ----------
        stage
            The layer.
        calibration
            Statistics of the layers' activations.
        activations
            float32 (samples, neurons) on calibration samples; None without any.

        Returns
        -------
        ndarray
            float64 (channels,), in the network's units.

        References
        ----------
        Diehl et al. 2015 (the maximum); Rueckauer et al. 2017 (a percentile); Li et al. 2021 (least
        squared error of a staircase of `steps` steps), see `Balanced`.
        """
        channels = stage.shape[0]
        statistics = calibration.layers[stage.activation]
        fixed = stage.levels is not None and stage.maximum is not None
        if activations is None or fixed or self.balance not in (None, "mmse"):
            return np.full(channels, self.level(statistics, stage.maximum, stage.levels))
        step = least_squares_steps(
            activations, stage.shape, self.steps, by_channel=self.step != "layer"
        )
        level = step * self.steps
        if not level.any():
            level = np.full(channels, stage.maximum or 1.0)
        return level if stage.maximum is None else np.minimum(level, stage.maximum)

    def convert(
        self,
        stages: tuple[Stage, ...],
        input_shape: tuple[int, ...],
        calibration: Calibration,
        target: Target,
        preprocessing: Preprocessing,
        seed: int,
        provenance: dict[str, Any],
    ) -> Program:
        """See `Scheme.convert`."""
        if None in (self.balance, self.reset, self.signed, self.encoding, self.pooling):
            return self.resolved(target).convert(
                stages, input_shape, calibration, target, preprocessing, seed, provenance
            )
        shape = population_shape(input_shape)
        entrance = self.entrance(shape, calibration, preprocessing, stages)
        entrance = replace(entrance, bit_planes=self._planes(calibration))
        encoder = _encoder(entrance, self.encoding, input_shape, preprocessing, seed)
        self._check_target(target, encoder)
        stages = reading_lines(stages, encoder.lines, shape)
        levels: dict[str, float] = {}
        if self.encoding == "current":
            stages, levels = relay_input(stages, shape, *calibration.input_range)

        def make(maker: Maker, share: float, few: bool) -> Way:
            def largest(stage: Stage, activations: np.ndarray | None) -> np.ndarray:
                relayed = levels.get(stage.name)
                if relayed is not None:
                    return np.full(stage.shape[0], relayed)
                level = self.largest(stage, calibration, activations)
                fixed = stage.levels is not None and stage.maximum is not None
                return level if fixed else level * share

            made = make_layers(
                stages, entrance, encoder, calibration, target, maker, self.steps,
                largest, signed=bool(self.signed), correct=self.bias_correction, few=few,
            )  # fmt: skip
            return Way(made, maker, share)

        makers = list(self._makers(target, max(map(abs, calibration.output_range))))
        best = self._best(make, makers)
        made = best.made
        stock = not (target.microcode and self.reset == "subtract")
        counts = Counts(period=self.steps, top=self.steps, signed=bool(self.signed), stock=stock)
        layout = Layout(counts, encoder.shape, made, target)
        for stage in stages:
            layout.add(stage)
        readout = layout.populations[-1]
        return Program(
            populations=tuple(layout.populations),
            connections=tuple(layout.connections),
            encoder=encoder,
            decoder=Decoder(readout.name, readout.membrane_unit / self.steps),
            period=self.steps,
            scheme=self.name,
            target=target.name,
            provenance=provenance | {"quantization": self._told(best, entrance)},
        )

    def _planes(self, calibration: Calibration) -> int:
        """Bit planes of the input: as stated, else as many as its window lacks levels."""
        if self.bit_planes and self.encoding == "current":
            raise UsageError(
                "a constant current carries whole integers; bit planes are lines of spikes",
                place=f"--bit-planes {self.bit_planes}",
                remedy="leave it out, or use --encoding deterministic",
            )
        if self.bit_planes is not None:
            return self.bit_planes
        if self.encoding != "deterministic":
            return 0
        return usual_bit_planes(self.steps, calibration.x)

    def _makers(self, target: Target, largest_output: float) -> Iterator[Maker]:
        """What its layers may be made of, the usual one first, from one end to the other."""
        if self.reset == "subtract" and target.microcode:
            for start in (0.5,) if self.signed else STARTS:
                yield Subtracting(bool(self.signed), target.weight_max, start)
        elif self.reset == "subtract":
            for start in STARTS:
                yield Stock("subtract", largest_output, start=start)
        else:
            for height in HEIGHTS:
                yield Stock("zero", largest_output, height)

    def _best(self, make: Callable[[Maker, float, bool], Way], makers: list[Maker]) -> Way:
        """Of several ways the one whose outputs were nearest on some calibration samples.

        1. Of the usual maker, where lambda is free, neurons subtract and take no spike back:
           smaller shares of lambda, until outputs get no nearer. The least squared error of even
           spikes knows nothing of uneven ones.
        2. The other makers in turn, with the whole lambda and the best share, likewise.
        3. The best is made again with all samples that are stepped.
        """
        shares = (1.0, *SHARES) if self._tries_shares else (1.0,)
        usual, *others = makers
        if len(shares) == 1 and not others:
            return make(usual, 1.0, False)
        best = _descended(make(usual, share, True) for share in shares)
        if np.isnan(best.error):  # no samples were stepped: nothing tells ways apart
            return best
        for maker in others:
            ways = [make(maker, share, True) for share in sorted({1.0, best.share})]
            way = min(ways, key=lambda way: way.error)
            if not way.error < best.error:
                break
            best = way
        return make(best.maker, best.share, False)

    def _told(self, best: Way, entrance: Entrance) -> dict[str, Any]:
        """What was decided, for the provenance."""
        return {
            "input_levels": entrance.top + 1,
            "input_exact": entrance.exact,
            "input_bit_planes": entrance.bit_planes,
            "bias_corrected": self.bias_correction,
            "output_error": None if np.isnan(best.error) else best.error,
            "level_share": best.share,
        } | best.maker.told

    def _check_target(self, target: Target, encoder: Encoder) -> None:
        if self.reset == "subtract" and not (target.microcode or target.soft_reset):
            raise UsageError(
                f"{target.title} has no neuron with reset by subtraction (it needs microcode)",
                place="--reset subtract",
                remedy="use --reset zero, or --target loihi2",
            )
        able = target.microcode and target.graded_bits > 0
        if self.pooling == "counts" and not target.microcode:
            raise UsageError(
                f"{target.title} has no neuron that counts its inputs' spikes (microcode)",
                place="--pooling counts",
                remedy="use --pooling relus, or --target loihi2",
            )
        if self.signed and (self.reset != "subtract" or not able):
            raise UsageError(
                "spikes are taken back by neurons that subtract, as graded messages of -1; "
                f"{target.title} or --reset {self.reset} has none",
                place="--signed",
                remedy="leave it out, or use --reset subtract with --target loihi2",
            )
        if encoder.is_graded and target.graded_bits == 0:
            raise UsageError(
                f"{target.title} sends binary spikes only, a constant current needs graded ones",
                place=f"--encoding {self.encoding}",
                remedy="use --encoding deterministic or poisson, or --target loihi2",
            )


def _descended(ways: Iterable[Way]) -> Way:
    """The last before the error of the outputs grows again; the first where it is not known."""
    best: Way | None = None
    for way in ways:
        if best is not None and not way.error < best.error:
            break
        best = way
        if np.isnan(way.error):
            break
    assert best is not None
    return best


def _encoder(
    entrance: Entrance,
    encoding: Encoding | None,
    input_shape: tuple[int, ...],
    preprocessing: Preprocessing,
    seed: int,
) -> Encoder:
    units, offsets = entrance.channel_units, entrance.channel_offsets
    return Encoder(
        shape=(entrance.shape[0] * (entrance.bit_planes + 1), *entrance.shape[1:]),
        encoding=encoding or "current",
        unit=max(units),
        low=0,
        high=entrance.top,
        preprocessing=preprocessing,
        seed=seed,
        sample_shape=input_shape,
        offset=min(offsets),
        channel_units=units if len(units) > 1 else (),
        channel_offsets=offsets if len(offsets) > 1 else (),
        bit_planes=entrance.bit_planes,
    )
