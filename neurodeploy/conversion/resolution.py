"""Channels whose weights are so much smaller than their layer's that little is left as integers."""

from __future__ import annotations

import numpy as np

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.direct_input import message_unit
from neurodeploy.conversion.flushing import FLUSH
from neurodeploy.conversion.input_lines import reading_lines
from neurodeploy.conversion.silent_neurons import SPIKES_READ, Silenced
from neurodeploy.network import Conv, Dense
from neurodeploy.network.stages import Operator, Stage
from neurodeploy.program import INPUT, Connection, Program, Sparse
from neurodeploy.quantization.layer import Arrival
from neurodeploy.quantization.peaks import by_channel, float_columns, float_rows, integer_rows

__all__ = ["coarse_channels", "coarse_neurons"]

#: A layer's largest weight over a channel's, from which its weights round to nothing.
_FAR = 254.0
#: Error of a stated neuron's weights over their size, from which it is told.
_COARSE = 0.15


def coarse_channels(stages: tuple[Stage, ...], program: Program, known: Calibration) -> list[str]:
    """One line a layer whose channels lost their weights, or outputs most of their precision."""
    lost = _lost_channels(stages, program, known)
    coarse = [] if stages[-1].name in lost else _coarse_outputs(stages, program)
    return [*lost.values(), *coarse]


def _lost_channels(
    stages: tuple[Stage, ...], program: Program, known: Calibration
) -> dict[str, str]:
    """By name, one line a layer with channels that count and kept no weight.

    1. A channel has weights in the network, all integers of them are 0, and the layer's largest
       weight is `_FAR` times its own: so few bits cannot hold both.
    2. It counts if it is an output, or if what reads it weighs it up again: its peak times its
       readers' peak is not below 1/254 of the layer's largest such product.
    3. It does not count if it never fires on the calibration samples.
    """
    encoder = program.encoder
    reach = encoder.unit * max(abs(encoder.low), abs(encoder.high))
    unit = {p.name: p.spike_value for p in program.populations} | {INPUT: reach}
    found: dict[str, str] = {}
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
            found[stage.name] = (
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


def _coarse_outputs(stages: tuple[Stage, ...], program: Program) -> list[str]:
    """One line where outputs of very different sizes leave the small ones few integers.

    The readout has one weight scale. Each output counts, however small: a regression's have units
    of their own. Told from an error of 15 % on, of outputs that dense layers make.
    """
    encoder = program.encoder
    (stage,) = reading_lines(stages[-1:], encoder.lines, encoder.input_shape)
    sent = {p.name: p.spike_values for p in program.populations}
    sent[INPUT] = encoder.units
    reals, made = [], []
    for c in program.incoming(stage.name):
        path = next((path for path in stage.paths if path.source == c.source), None)
        if path is None or not isinstance(path.operator, Dense) or isinstance(c.synapses, Sparse):
            return []
        reals.append(path.operator.weight.astype(np.float64) * sent[c.source])
        made.append(c.synapses.weights.reshape(reals[-1].shape) * 2.0**c.exponent)
    if not stage.is_readout or not reals:
        return []
    real, whole = np.concatenate(reals, 1), np.concatenate(made, 1)
    at = np.unravel_index(np.abs(whole).argmax(), whole.shape)
    if not whole[at]:
        return []
    scale = real[at] / whole[at]
    # no synapse where one would be an integer or more: what it reads never fires
    real = real * ((whole != 0).any(0) | (np.abs(real) < abs(scale)).all(0))
    power = (real**2).sum(1)
    wrong = ((whole * scale - real) ** 2).sum(1)
    off = np.sqrt(wrong / np.where(power > 0, power, 1))
    coarse = off > _COARSE
    if not coarse.any():
        return []
    times = np.sqrt(power.max() / power[coarse].min())
    return [
        f"{stage.name}: the weights of {int(coarse.sum())} of {len(real)} outputs are off by up to "
        f"{100 * off.max():.0f} % as integers, for those of others are {times:.3g} times as large: "
        "let the network give all outputs in one size, and scale them behind it"
    ]


def coarse_neurons(stages: tuple[Stage, ...], program: Program) -> list[str]:
    """One line a layer of stated neurons whose integers say little of some neurons' weights.

    A layer has one weight scale, and no calibration tells how much a neuron counts. Neurons that
    can never fire do not.
    """
    there = {p.name: p for p in program.populations}
    silenced = Silenced()
    found = []
    for stage in stages:
        population = there.get(stage.name)
        shift = getattr(population and population.neuron, "shift", None)
        if population is None or stage.neuron is None or shift is None:
            continue
        scale = population.membrane_unit * 2.0**shift
        made = tuple(c for c in program.incoming(stage.name) if not c.source.endswith(FLUSH))
        arrivals = tuple(
            Arrival(
                path.source,
                path.operator,
                message_unit(program.encoder) if path.source == INPUT else 1.0,
                *program.sends(path.source),
                graded=c.graded,
                delay=c.delay,
            )
            for path, c in zip(stage.paths, made, strict=True)
        )
        is_read = stage is stages[-1] and program.decoder.decoding not in SPIKES_READ
        _, arrivals = silenced.stated(stage, arrivals, is_read)
        size = stage.shape[0]
        wrong, power = np.zeros(size), np.zeros(size)
        for a, c in zip(arrivals, made, strict=True):
            unit = scale * 2.0**c.exponent / a.message_unit
            for total, rows in zip((wrong, power), _squares(a.operator, c, unit), strict=True):
                total += a.message_unit**2 * by_channel(rows, size)
        off = np.sqrt(wrong / np.where(power > 0, power, 1))
        coarse = off > _COARSE
        if coarse.any():
            times = np.sqrt(power.max() / power[coarse].min())
            found.append(
                f"{stage.name}: the weights of {int(coarse.sum())} of {size} neurons or channels "
                f"are off by up to {100 * off.max():.0f} % as integers: over the threshold, the "
                f"layer's largest are {times:.3g} times theirs; clip weights that lie far beyond "
                "the threshold, or split the layer"
            )
    return found


def _squares(operator: Operator, c: Connection, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each row the summed squares of what rounding changed, and of the weights."""
    if isinstance(operator, Conv | Dense) and not isinstance(c.synapses, Sparse):
        real = operator.weight.reshape(len(operator.weight), -1).astype(np.float64)
        made = c.synapses.weights.reshape(real.shape) * unit
        return ((made - real) ** 2).sum(1), (real**2).sum(1)
    real, made = float_rows(operator), integer_rows(c.synapses) * unit
    return (made - real) ** 2, real**2
