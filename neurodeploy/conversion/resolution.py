"""Channels whose weights are so much smaller than their layer's that none is left as an integer."""

from __future__ import annotations

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.network.stages import Stage
from neurodeploy.program import INPUT, Program
from neurodeploy.quantization.peaks import by_channel, float_columns, float_rows, integer_rows

__all__ = ["lost_channels"]

#: A layer's largest weight over a channel's, from which its weights round to nothing.
_FAR = 254.0


def lost_channels(stages: tuple[Stage, ...], program: Program, known: Calibration) -> list[str]:
    """One line a layer with channels that count and kept no weight.

    1. A channel has weights in the network, all integers of them are 0, and the layer's largest
       weight is `_FAR` times its own: so few bits cannot hold both.
    2. It counts if it is an output, or if what reads it weighs it up again: its peak times its
       readers' peak is not below 1/254 of the layer's largest such product.
    3. It does not count if it never fires on the calibration samples.
    """
    encoder = program.encoder
    reach = encoder.unit * max(abs(encoder.low), abs(encoder.high))
    unit = {p.name: p.spike_value for p in program.populations} | {INPUT: reach}
    found = []
    for stage in stages:
        if stage.kind == "max":
            continue
        channels = stage.shape[0]
        real, kept = np.zeros(channels), np.zeros(channels)
        for path in stage.paths:
            peaks = by_channel(float_rows(path.operator), channels)
            real = np.maximum(real, (unit.get(path.source) or 1.0) * peaks)
        for c in program.incoming(stage.name):
            kept = np.maximum(kept, by_channel(integer_rows(c.synapses), channels))
        largest = float(real.max(initial=0.0))
        lost = (real > 0) & (kept == 0) & (real * _FAR < largest)
        if not stage.is_readout and lost.any():
            weight = real * _read(stages, stage.name, channels)
            lost &= (weight * _FAR >= weight.max()) & (weight > 0)
            mean = known.layers[stage.activation].mean
            if mean.size:
                lost &= by_channel(mean.reshape(-1), channels) > 0
        if lost.any():
            least = float(real[lost].min())
            what = "outputs" if stage.is_readout else "channels"
            found.append(
                f"{stage.name}: its weights spread over {np.log10(largest / least):.0f} decades "
                f"(largest of a channel {largest:.2g}, smallest {least:.2g}), and "
                f"{int(lost.sum())} of {channels} {what} keep none of theirs as integers: scale "
                "these channels to the size of the others before export"
            )
    return found


def _read(stages: tuple[Stage, ...], name: str, channels: int) -> np.ndarray:
    """Largest magnitude among the weights that read each channel, also through max poolings."""
    total = np.zeros(channels)
    for stage in stages:
        for path in stage.paths:
            if path.source != name:
                continue
            if stage.kind == "max" and stage.shape[0] == channels:
                total = np.maximum(total, _read(stages, stage.name, channels))
            else:
                total = np.maximum(total, by_channel(float_columns(path.operator), channels))
    return total
