"""What all window codes share: options of the quantisation, and the way to a program."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import numpy as np

from neurodeploy.calibration import Calibration, LayerStatistics
from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import Scheme
from neurodeploy.conversion.window.entrance import Entrance, eight_bits, even
from neurodeploy.conversion.window.integers import Quantized, Recipe, quantize_network
from neurodeploy.conversion.window.layout import Layout
from neurodeploy.conversion.window.messages import Messages
from neurodeploy.errors import UsageError
from neurodeploy.network.stages import Stage, population_shape
from neurodeploy.program import INPUT, Decoder, Encoder, Preprocessing, Program
from neurodeploy.quantization.window import MARGIN
from neurodeploy.targets import Target

__all__ = ["INPUT_BITS", "WindowScheme"]

#: Bits of the input, where graded messages carry it.
INPUT_BITS = 8
#: Levels up to which each channel has a step of its own; above, a layer's is as good.
_FEW_LEVELS = 64
#: Levels up to which steps spare messages; who asks for more levels asks for accuracy (ResNet-8 at
#: 63 levels lost 0.2 points by it).
_SPARING = 31


@dataclass(frozen=True)
class WindowScheme(Scheme):
    """Options that every window code has.

    Attributes
    ----------
    weight_bits
        Bits of a weight, the sign included.
    step
        Whether one integer stands for the same in all of a layer, or in a ``channel``; None:
        a channel up to 63 levels.
    bias_correction
        Whether mean errors of the integer network are taken back in the biases, where that makes
        its outputs better on the calibration samples.
    """

    weight_bits: int = option(8, "Bits of a weight, its sign included.", low=4, high=8)
    step: str | None = option(
        None,
        "What shares one step between levels.",
        type=str,
        choices=("channel", "layer"),
        absent="channel up to 63 levels, else layer",
    )
    bias_correction: bool = option(
        True, "Take mean errors of the integer network back in the biases where it helps."
    )

    exact: ClassVar[bool] = True
    #: What its neurons need, in the words of a refusal.
    needs: ClassVar[str] = "neuron of a window code"

    def messages(self) -> Messages:
        """How an integer becomes messages.

        Returns
        -------
        Messages
        """
        raise NotImplementedError(f"{type(self).__name__} has no messages")

    @property
    def shifts(self) -> bool:
        """Whether its neurons only add, and synapses divide by powers of two."""
        return False

    @property
    def samples_a_stream(self) -> int:
        """`Program.refresh`: samples after which all begins anew."""
        return 1

    def layer_level(
        self, statistics: LayerStatistics, maximum: float | None, levels: int | None = None
    ) -> float | None:
        """The largest activation of a layer, where something fixes it.

        An activation that was trained with levels ends at their clip.

        Parameters
        ----------
        statistics
            Histogram and maximum of the layer's activations.
        maximum
            Value at which the activation is clipped, in the network's units; None: it is not.
        levels
            Number of levels that the activation was trained with; None: of any value.

        Returns
        -------
        float or None
            Value in the network's units; None: chosen by least squares.
        """
        return None if levels is None else maximum

    def refinements(self, stated: Collection[str]) -> tuple[Scheme, ...]:
        """See `Scheme.refinements`: a step for each channel, where many levels would share one."""
        shared = self.step is None and self.messages().top >= _FEW_LEVELS
        own = (replace(self, step="channel"),) if shared and "step" not in stated else ()
        return (*own, *super().refinements(stated))

    def lacks(self, target: Target) -> str:
        """See `Scheme.lacks`: neurons of its own, and room for what its messages carry."""
        if not target.microcode:
            return f"{target.title} has no {self.needs} (microcode)"
        bits = self.payload_bits
        if bits > target.graded_bits:
            return f"its messages carry {bits} bits, those of {target.title} {target.graded_bits}"
        return ""

    @property
    def payload_bits(self) -> int:
        """Bits of its messages beyond the spike itself."""
        return 0

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
        lacking = self.lacks(target)
        if lacking:
            raise UsageError(
                lacking,
                place=f"--scheme {self.name}",
                remedy="use --target loihi2, or --scheme rate",
            )
        messages = self.messages()
        stages = self.shaped(stages)
        shape = population_shape(input_shape)
        if self._takes_graded(stages, target):
            entrance = eight_bits(shape, calibration, preprocessing, stages)
            made = self._program(messages, stages, entrance, calibration, target)
            if made is not None:
                layout, quantized = made
                return self._whole(
                    layout, quantized, messages, messages.entrance, entrance,
                    input_shape, preprocessing, seed, provenance, target, calibration,
                )  # fmt: skip
        if not messages.own:
            raise UsageError(
                f"its input comes as graded messages of {INPUT_BITS} bits, once, to the first "
                f"layers; {target.title} sends {target.graded_bits} bits, or a layer reads the "
                "input late or beside other layers",
                place=f"--scheme {self.name}",
                remedy="use --scheme radix or ttfs",
            )
        entrance = even(shape, calibration, messages.top)
        made = self._program(messages, stages, entrance, calibration, target)
        assert made is not None
        layout, quantized = made
        return self._whole(
            layout, quantized, messages, messages.own, entrance,
            input_shape, preprocessing, seed, provenance, target, calibration,
        )  # fmt: skip

    def _takes_graded(self, stages: tuple[Stage, ...], target: Target) -> bool:
        """Whether all that read the input can read one graded message."""
        pooled = any(s.kind == "max" and s.paths[0].source == INPUT for s in stages)
        return target.graded_bits >= INPUT_BITS and not pooled

    def _program(
        self,
        messages: Messages,
        stages: tuple[Stage, ...],
        entrance: Entrance,
        calibration: Calibration,
        target: Target,
    ) -> tuple[Layout, Quantized] | None:
        """All populations; None where the input had to wait longer than synapses can."""
        few = messages.top < _FEW_LEVELS
        recipe = Recipe(
            top=messages.top,
            by_channel=self.step == "channel" or (self.step is None and few),
            weight_max=min(2 ** (self.weight_bits - 1) - 1, target.weight_max),
            exponent_max=target.exponent_max,
            shifted=self.shifts,
            correct=self.bias_correction,
            level=self.layer_level,
            messages=messages.number if messages.top <= _SPARING else None,
        )
        quantized = quantize_network(stages, entrance, calibration, recipe)
        layout = Layout(messages, entrance.shape, quantized, target)
        entering = messages.entering(prod(entrance.shape), entrance.top)
        if entering is not None:
            layout.enter(entering)
        for stage in stages:
            layout.add(stage)
        if entrance.top > messages.top and f"{INPUT}.relay" in layout.sends:
            return None
        return layout, quantized

    def _whole(
        self,
        layout: Layout,
        quantized: Quantized,
        messages: Messages,
        encoding: str,
        entrance: Entrance,
        input_shape: tuple[int, ...],
        preprocessing: Preprocessing,
        seed: int,
        provenance: dict[str, Any],
        target: Target,
        calibration: Calibration,
    ) -> Program:
        units, offsets = entrance.channel_units, entrance.channel_offsets
        encoder = Encoder(
            shape=entrance.shape,
            encoding=encoding,
            unit=max(units),
            low=0,
            high=entrance.top,
            preprocessing=preprocessing,
            seed=seed,
            sample_shape=input_shape,
            offset=min(offsets),
            channel_units=units if len(units) > 1 else (),
            channel_offsets=offsets if len(offsets) > 1 else (),
        )
        readout = layout.populations[-1]
        return Program(
            populations=tuple(layout.populations),
            connections=tuple(layout.connections),
            encoder=encoder,
            decoder=Decoder(
                readout.name,
                readout.membrane_unit * 2.0**readout.neuron.synapse_shift,
                messages.decoding,
            ),
            period=messages.period,
            scheme=self.name,
            target=target.name,
            provenance=provenance | {"quantization": self._told(quantized, entrance)},
            refresh=self.samples_a_stream,
        )

    @staticmethod
    def _told(quantized: Quantized, entrance: Entrance) -> dict[str, Any]:
        """What was decided, for the provenance."""
        seen = {
            name: {"worst_case": layer.range.bound, "seen": layer.range.seen, "margin": MARGIN}
            for name, layer in quantized.layers.items()
            if layer is not None and not layer.range.proved
        }
        return {
            "input_levels": entrance.top + 1,
            "input_exact": entrance.exact,
            "bias_corrected": quantized.corrected,
            "output_error": None if np.isnan(quantized.error) else quantized.error,
            "bounded_by_samples": seen,
        }
