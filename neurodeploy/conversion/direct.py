"""Networks that spike already, as they are: leaks, weights and thresholds to integers.

No activation is coded: a spike of the network is a spike of the program. A step of the network is a
step of the program, and layers follow one another by a step, as on the chip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import Scheme, register_scheme
from neurodeploy.errors import ConversionError, UsageError
from neurodeploy.network.stages import Stage, population_shape
from neurodeploy.program import (
    INPUT,
    Connection,
    Decoder,
    Encoder,
    Encoding,
    Population,
    Preprocessing,
    Program,
)
from neurodeploy.quantization import Arrival
from neurodeploy.quantization.spiking import quantize_spiking
from neurodeploy.targets import Target

__all__ = ["DirectScheme", "calibration_of", "direct_for"]

Decoding = Literal["spike_count", "first_spike", "membrane", "membrane_mean", "membrane_max"]
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
    encoding
        The input's: ``events`` (a spike a step and input) or ``frames`` (an integer).
    decoder
        What is read of the last layer.
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
    reset: Literal["subtract", "zero"] | None = option(
        None,
        "What a spike does to the membrane.",
        type=str,
        choices=("subtract", "zero"),
        absent="asked for where the network does not say it",
    )
    encoding: Encoding = option("events", "How the input comes in.", choices=("events", "frames"))
    decoder: Decoding | None = option(
        None,
        "What is read of the last layer.",
        type=str,
        choices=("spike_count", "first_spike", "membrane", "membrane_mean", "membrane_max"),
        absent="spike_count where it spikes, else membrane",
    )

    name: ClassVar[str] = "direct"
    title: ClassVar[str] = "networks that spike already (NIR), as they are"
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
        if self.encoding == "frames" and not target.graded_bits:
            raise UsageError(
                f"{target.title} sends binary spikes only, frames need graded ones",
                place="--encoding frames",
                remedy="use --encoding events, or --target loihi2",
            )
        encoder = self._encoder(input_shape, calibration, preprocessing, steps)
        depth = {INPUT: 0} | {stage.name: stage.depth for stage in stages}
        populations: list[Population] = []
        connections: list[Connection] = []
        for stage in stages:
            arrivals = tuple(
                Arrival(
                    source=path.source,
                    operator=path.operator,
                    message_unit=1.0,
                    low=encoder.message_range[0] if path.source == INPUT else 0,
                    high=encoder.message_range[1] if path.source == INPUT else 1,
                    graded=path.source == INPUT and encoder.is_graded,
                    delay=stage.depth - depth[path.source],
                )
                for path in stage.paths
            )
            neuron, made, unit = quantize_spiking(stage, arrivals, target, steps)
            connections += made
            populations.append(
                Population(stage.name, stage.shape, neuron, 1 + stage.depth, membrane_unit=unit)
            )
        last = populations[-1]
        return Program(
            populations=tuple(populations),
            connections=tuple(connections),
            encoder=encoder,
            decoder=self._decoder(last),
            period=steps,
            scheme=self.name,
            target=target.name,
            provenance=provenance,
        )

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

    def _encoder(
        self,
        input_shape: tuple[int, ...],
        calibration: Calibration,
        preprocessing: Preprocessing,
        steps: int,
    ) -> Encoder:
        low, high = calibration.input_range
        return Encoder(
            shape=population_shape(input_shape),
            encoding=self.encoding,
            unit=1.0,
            low=int(np.floor(low)),
            high=int(np.ceil(high)),
            preprocessing=preprocessing,
            sample_shape=(steps, *input_shape),
        )

    def _decoder(self, last: Population) -> Decoder:
        decoding = self.decoder or ("spike_count" if last.neuron.fires else "membrane")
        membrane = decoding.startswith("membrane")
        if not last.neuron.fires and not membrane:
            raise UsageError(
                "the last layer sends no spikes",
                place=f"--decoder {decoding}",
                remedy="use --decoder membrane",
            )
        return Decoder(last.name, last.membrane_unit if membrane else 1.0, decoding)


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


def calibration_of(encoding: str, stated: tuple[float, float] | None) -> Calibration:
    """What is known of the input without samples: spikes, or integers as stated (0..255)."""
    ends = stated or ((0.0, 1.0) if encoding == "events" else (0.0, 255.0))
    if any(end != int(end) for end in ends) or not ends[0] <= 0 < ends[1]:
        raise UsageError(
            f"{ends[0]:g},{ends[1]:g} are not whole numbers around 0", place="--input-range"
        )
    return Calibration({}, ends, (0.0, 0.0), 0)
