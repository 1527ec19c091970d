"""Networks that spike already, as they are: leaks, weights and thresholds to integers.

No activation is coded: a spike of the network is a spike of the program. A step of the network is a
step of the program, and layers follow one another by a step, as on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.direct_input import (
    DIRECT_ENCODINGS,
    calibration_of,
    current_levels,
    direct_encoder,
    is_whole,
    message_unit,
)
from neurodeploy.conversion.flushing import FLUSH, check_before_first, flush
from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import Scheme, register_scheme
from neurodeploy.conversion.silent_neurons import SPIKES_READ, Silenced
from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.network.stages import Path, Stage
from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Encoding,
    Neuron,
    Population,
    Preprocessing,
    Program,
)
from neurodeploy.program.bounds import input_interval
from neurodeploy.program.expansion import expand_levels
from neurodeploy.quantization import Arrival
from neurodeploy.quantization.levels import quantize_levels
from neurodeploy.quantization.spiking import quantize_spiking
from neurodeploy.targets import Target

__all__ = ["DirectScheme", "calibration_of", "direct_for"]

Decoding = Literal[
    "spike_count", "first_spike", "membrane", "membrane_mean", "membrane_max", "every_step", "mean"
]
#: Encodings whose samples have a time axis.
_RECORDED = ("events", "frames")
#: Steps of a trial conversion where nobody said how many: a check.
_TRIED = 100


@register_scheme
@dataclass(frozen=True)
class DirectScheme(Scheme):
    """Options of networks that spike already.

    Attributes
    ----------
    steps
        Steps a sample lasts.
    dt
        Seconds a step, for networks in continuous time (NIR).
    reset
        What a spike does, where the file does not say it (NIR).
    leak, firing
        What else NIR leaves open: how a time constant becomes a share, and whether a neuron fires
        at its threshold.
    encoding
        The input's. Recordings: ``events`` (a spike a step and input) or ``frames`` (an integer).
        Samples without a time axis: ``current`` (constant), ``deterministic`` (evenly paced
        spikes) or ``poisson``.
    input_levels
        Integers on each side of zero that a constant current, or a number of a frame, may take;
        None: `current_levels`, or the numbers of frames themselves where they are whole.
    decoder
        What is read of the last layer. ``mean``: of a layer without neurons, its mean over the
        steps, which its membrane adds up.
    """

    steps: int | None = option(
        None, "Time steps a sample lasts.", type=int, low=1, high=65_535, absent="asked for"
    )
    dt: float | None = option(
        None,
        "Seconds a step, where a network in continuous time (NIR) does not say it.",
        type=float,
        low=0.0,
        above=True,
        absent="asked for where the network has time constants",
    )
    reset: Literal["subtract", "subtract_late", "zero"] | None = option(
        None,
        "What a spike does to the membrane; subtract_late: at the step after it, past the leak.",
        type=str,
        choices=("subtract", "subtract_late", "zero"),
        absent="asked for where the network does not say it",
    )
    leak: Literal["euler", "exponential"] = option(
        "euler",
        "Share of a membrane that is lost in a step (NIR): dt/tau, or 1 - exp(-dt/tau).",
        choices=("euler", "exponential"),
    )
    firing: Literal["above", "reached"] = option(
        "above",
        "Whether a neuron (NIR) fires above its threshold, or as soon as it is reached.",
        choices=("above", "reached"),
    )
    encoding: Encoding = option(
        "events", "How the input comes in; for ONNX current.", choices=DIRECT_ENCODINGS
    )
    input_levels: int | None = option(
        None,
        "Integers on each side of zero of a constant current, or of a frame.",
        type=int,
        low=1,
        high=2**23 - 1,
        absent="as many as leave the weights their bits, 255 at most; frames of whole numbers stay",
    )
    decoder: Decoding | None = option(
        None,
        "What is read of the last layer.",
        type=str,
        choices=get_args(Decoding),
        absent="spike_count where it spikes, else membrane, or mean for ONNX",
    )

    name: ClassVar[str] = "direct"
    title: ClassVar[str] = "networks that spike already (NIR, ONNX), as they are"
    spiking: ClassVar[bool] = True

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
        """See `Scheme.convert`. `provenance` empty: a trial, which needs no `steps`."""
        steps = self.steps or (None if provenance else _TRIED)
        if steps is None:
            raise UsageError(
                "how many steps does a sample last?",
                place="--steps",
                remedy="give --steps: the length of your recordings over the time of a step",
            )
        self.check_stages(stages)
        levels = self.input_levels
        if levels is None and not (self.encoding in _RECORDED and is_whole(calibration)):
            levels = current_levels(stages, calibration, target)
        encoder = direct_encoder(
            self.encoding, levels, input_shape, calibration, preprocessing, steps, seed
        )
        if encoder.is_graded and not target.graded_bits:
            raise UsageError(
                f"{target.title} sends binary spikes only, {self.encoding} "
                f"{'of both signs ' if not encoder.code.graded else ''}need graded ones",
                place=f"--encoding {self.encoding}",
                remedy="use --encoding events or deterministic with input that is never negative, "
                "or --target loihi2",
            )
        depth = {INPUT: 0} | {stage.name: stage.depth for stage in stages}
        sends = {INPUT: encoder.message_range}
        for stage in stages:
            sends[stage.name] = 0, 1 + len(stage.neuron.higher) if stage.neuron else 0
        late = late_steps(stages)
        tail = max(late.values())
        period = steps + tail
        populations: list[Population] = []
        flushes: list[Population] = []
        connections: list[Connection] = []
        silenced = Silenced()
        for stage in stages:
            arrivals = tuple(
                Arrival(
                    source=path.source,
                    operator=path.operator,
                    message_unit=message_unit(encoder) if path.source == INPUT else 1.0,
                    low=sends[path.source][0],
                    high=sends[path.source][1],
                    graded=encoder.is_graded if path.source == INPUT else sends[path.source][1] > 1,
                    delay=self._delay(stage, depth[path.source], path, target),
                )
                for path in stage.paths
            )
            quiet = late[stage.name] if target.microcode else 0
            is_read = stage is stages[-1] and self.decoder not in (None, *SPIKES_READ)
            kept, arrivals = silenced.stated(stage, arrivals, is_read)
            neuron, made, unit = self._quantized(kept, arrivals, target, period, quiet)
            connections += made
            populations.append(
                Population(stage.name, stage.shape, neuron, 1 + stage.depth, membrane_unit=unit)
            )
            if late[stage.name] and not target.microcode:
                ranges = [(c, (a.low, a.high)) for c, a in zip(made, arrivals, strict=True)]
                silent, inhibits = flush(
                    populations[-1], input_interval(stage.shape, ranges),
                    late[stage.name], period, target, f"{stage.name}{FLUSH}",
                )  # fmt: skip
                connections.append(inhibits)
                flushes.append(silent)
        if flushes:
            check_before_first(populations)
        last = populations[-1]
        populations = [*flushes, *populations]
        program = Program(
            populations=tuple(populations),
            connections=tuple(connections),
            encoder=encoder,
            decoder=self._decoder(last, stages[-1], steps, tail),
            period=period,
            scheme=self.name,
            target=target.name,
            provenance=provenance,
        )
        most = max(sends[stage.name][1] for stage in stages)
        counts = most.bit_length() <= max(target.graded_bits, 1)
        return program if target.microcode and counts else expand_levels(program)

    @staticmethod
    def _quantized(
        stage: Stage, arrivals: tuple[Arrival, ...], target: Target, period: int, quiet: int
    ) -> tuple[Neuron, tuple[Connection, ...], float]:
        """Neuron, connections and unit of a stage, quiet for the last steps of a window."""
        if stage.neuron is None or not stage.neuron.higher:
            neuron, made, unit = quantize_spiking(stage, arrivals, target, period)
            return replace(neuron, quiet=quiet), made, unit
        if quiet:
            raise ConversionError(
                "its neurons have several levels, and its spikes are delayed beyond a sample's "
                "end, which only neurons of one level wait for",
                place=stage.name,
                remedy="leave out the delay, or use neurons of one level before it",
            )
        return quantize_levels(stage, arrivals, target, period)

    def check_stages(self, stages: tuple[Stage, ...]) -> None:
        """Refuse networks that do not spike, and membranes that a layer would read."""
        super().check_stages(stages)
        silent = {s.name for s in stages if s.neuron is not None and s.neuron.reset == "none"}
        for stage in stages:
            for path in stage.paths:
                if path.source in silent:
                    raise ConversionError(
                        f"reads the membrane of {path.source!r}, which sends no spikes",
                        place=stage.name,
                        remedy="let a layer with spikes stand between, or read that layer's output",
                    )

    def _delay(self, stage: Stage, depth: int, path: Path, target: Target) -> int:
        """Steps from a spike to its arrival: layers lie a step apart, and the network's delays."""
        delay = stage.depth - depth + path.delay
        if delay > target.delay_max:
            raise ConversionError(
                f"spikes of {path.source!r} arrive after {delay} steps; the chip delays them by "
                f"{target.delay_max} at most",
                place=stage.name,
                remedy="use shorter delays, or relays between the layers",
            )
        return delay

    def _decoder(self, last: Population, stage: Stage, steps: int, tail: int) -> Decoder:
        fires = stage.neuron is not None and stage.neuron.reset != "none"
        decoding = self.decoder or ("spike_count" if fires else "membrane")
        membrane = decoding.startswith("membrane") or decoding == "every_step"
        if decoding == "mean":
            if fires:
                raise UsageError(
                    "the last layer spikes: its membrane is no sum over the steps",
                    place=f"--decoder {decoding}",
                    remedy="use --decoder spike_count",
                )
            return Decoder(last.name, last.membrane_unit / steps, "membrane", tail)
        if not fires and not membrane:
            raise UsageError(
                "the last layer sends no spikes",
                place=f"--decoder {decoding}",
                remedy="use --decoder membrane",
            )
        return Decoder(last.name, last.membrane_unit if membrane else 1.0, decoding, tail)


def late_steps(stages: tuple[Stage, ...]) -> dict[str, int]:
    """By stage, and for the input, the most steps that the network's delays hold spikes back.

    So long a stage has to be quiet before a sample ends, or they would reach the next one
    (`docs/semantics.md`, section 6).
    """
    late = dict.fromkeys((INPUT, *(stage.name for stage in stages)), 0)
    for stage in stages:
        for path in stage.paths:
            late[path.source] = max(late[path.source], path.delay)
    return late


def direct_for(scheme: str | Scheme, model: str) -> tuple[str | Scheme, str]:
    """The scheme for a network that spikes, and a line where it is not the one that was named.

    Raises
    ------
    UsageError
        A scheme that codes activations, chosen by the user.
    """
    named = scheme if isinstance(scheme, str) else scheme.name
    if named == DirectScheme.name:
        return scheme, ""
    if scheme == "rate":  # the default of compile: it says nothing
        return DirectScheme.name, f"{model} spikes already: scheme direct"
    raise UsageError(
        f"{named} codes activations, and {model} spikes already",
        place="--scheme",
        remedy="use --scheme direct, or leave it out",
    )
