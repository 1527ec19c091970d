"""Small random programs that reach for every corner of `docs/semantics.md`.

All synapse kinds, message kinds, neuron kinds and parameters, encodings and decodings, delays,
skips, aligned or not, with values near their limits; without cycles (`recurrent` has them). One
rule bounds them: the shifted input of a neuron stays below 2^24, so that one wrap brings every
current back (semantics, section 3) and no 32-bit back end overflows. Currents that wrap and
membranes that clip are common.
"""

from __future__ import annotations

from math import prod

import numpy as np

from neurodeploy.program import (
    INPUT,
    Connection,
    Convolution,
    Decoder,
    Earliest,
    Encoder,
    Neuron,
    Population,
    Program,
    Synapses,
    Ttfs,
)
from neurodeploy.program.neurons.arithmetic import MEMBRANE_LIMIT
from neurodeploy.testing.codecs import draw_decoder, draw_encoder, draw_levels, messages_of
from neurodeploy.testing.neurons import OUR_KINDS, Kinds, draw_neuron, works_in_windows
from neurodeploy.testing.synapses import (
    between,
    chance,
    convolution,
    flat,
    identity,
    one_of,
    volume,
    within,
)

__all__ = ["INPUT_LIMIT", "random_program", "random_ttfs_program"]

Shape = tuple[int, ...]
#: Shifted input of a neuron stays below; then |decay(u) + (a << shift)| < 3 * 2^23.
INPUT_LIMIT = 2**24
#: The largest integer that a constant current can carry.
_LARGEST = 2**23 - 1


def random_program(
    rng: np.random.Generator,
    *,
    max_depth: int = 4,
    max_side: int = 7,
    max_neurons: int = 60,
    max_steps: int = 48,
    aligned: bool | None = None,
    stock: bool | None = None,
    timed: bool = True,
    wide: bool = False,
    among: Kinds = OUR_KINDS,
) -> tuple[Program, np.ndarray]:
    """A program and input messages for it.

    Parameters
    ----------
    max_depth
        Most populations.
    max_side
        Largest height and width of an input image.
    max_neurons
        Largest flat population; a convolution may have a few times as many.
    max_steps
        Most steps of messages.
    aligned
        Whether windows see one sample each; by chance if None.
    stock
        Whether all neurons are Lava's stock one; by chance, one by one, if None.
    timed
        Whether there may be neurons that work with windows (`ttfs`, `earliest`), messages that are
        times, samples with a time axis, and another decoding than of the last membrane.
    wide
        Whether there may be up to 64 channels, hundreds of neurons, and an encoder of a range that
        asks for 64-bit sums.
    among
        Neuron kinds.

    Returns
    -------
    (program, int32 (steps, inputs))
    """
    period = int(rng.integers(1, 13))
    encoder = _encoder(rng, max_side, period, wide, timed)
    messages = _messages(rng, encoder, period, int(rng.integers(2, max_steps + 1)))
    able = [kind for kind in among if timed or not works_in_windows(kind)]
    aligned = chance(rng, 0.5) if aligned is None else aligned
    shapes: dict[str, Shape] = {INPUT: encoder.shape}
    phases = {INPUT: 1}
    largest = int(np.abs(messages).max(initial=1))
    sends: dict[str, tuple[int, int]] = {}
    populations: list[Population] = []
    connections: list[Connection] = []
    last = INPUT
    for k in range(int(rng.integers(1, max_depth + 1))):
        name = f"p{k}"
        # delays reach 62 steps back, no further
        near = max(phases.values()) - 57
        near_by = [n for n in shapes if phases[n] >= near or n == last]
        sources = _sources(rng, near_by, 0.5 if wide else 0.3)
        shape, first = _target(rng, shapes[sources[0]], max_neurons, wide)
        phase = max(phases[s] for s in sources) + int(rng.integers(1, 6))
        extreme = chance(rng, 0.4)
        neuron = draw_neuron(rng, prod(shape), period, among=able, stock=stock, extreme=extreme)
        room = ((INPUT_LIMIT - 1) >> neuron.input_shift) // len(sources)
        # a population may live on its bias alone
        for i, source in enumerate(sources if not chance(rng, 0.04) else []):
            synapses = first if i == 0 else between(rng, shapes[source], shape)
            least, most = (-largest, largest) if source == INPUT else sends[source]
            graded = encoder.is_graded if source == INPUT else least < 0 or most > 1
            graded = graded or chance(rng, 0.2)
            message = max(1, -least, most) if graded else 1
            synapses, exponent = within(rng, synapses, room // message, extreme)
            connections.append(
                Connection(
                    source,
                    name,
                    synapses,
                    exponent=exponent,
                    delay=phase - phases[source] if aligned else int(rng.integers(1, 6)),
                    graded=graded,
                )
            )
        if not aligned:
            phase = int(rng.integers(0, 2 * period + 2))
        populations.append(Population(name, shape, neuron, phase))
        shapes[name], sends[name] = shape, neuron.sends
        phases[name] = populations[-1].fire_phase(period) if aligned else 1
        last = name
    decoder = draw_decoder(rng, populations[-1].name, timed, period)
    return Program(tuple(populations), tuple(connections), encoder, decoder, period), messages


def random_ttfs_program(
    rng: np.random.Generator, *, max_depth: int = 4, max_window: int = 14, networks: int = 1
) -> tuple[Program, np.ndarray]:
    """A time-to-first-spike program as the compiler makes them, and levels for some samples.

    Aligned, proved not to overflow; with skips that reach back within a window, maxima and
    a readout.

    Parameters
    ----------
    networks
        That read the same input side by side and share nothing else; the last one is decoded.

    Returns
    -------
    (program, int32 (samples, inputs))
    """
    period = int(rng.integers(1, max_window + 1))
    side = rng.integers(1, 8, 2)
    shape: Shape = (int(rng.integers(1, 4)), int(side[0]), int(side[1]))
    encoder = Encoder(shape, "ttfs", 1.0, 0, int(rng.integers(1, period + 1)))
    shapes: dict[str, Shape] = {INPUT: shape}
    fires, window = {INPUT: 1}, {INPUT: 0}
    populations: list[Population] = []
    connections: list[Connection] = []
    for _ in range(networks):
        last, depth = INPUT, int(rng.integers(1, max_depth + 1))
        begun = len(populations)
        for k in range(depth):
            name, readout = f"p{begun + k}", k == depth - 1
            pooled = len(shapes[last]) == 3 and not readout and chance(rng, 0.3)
            if pooled:
                kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
                ones = np.ones((shapes[last][0], 1, *kernel), np.int8)
                pads = tuple(int(rng.integers(0, n)) for n in kernel)
                pool = Convolution(ones, padding=pads * 2, groups=shapes[last][0])  # type: ignore[arg-type]
                rows, columns = (shapes[last][1 + a] + 2 * pads[a] for a in (0, 1))
                if rows < kernel[0] or columns < kernel[1]:
                    pool = Convolution(
                        np.ones((shapes[last][0], 1, 1, 1), np.int8), groups=shapes[last][0]
                    )
                shapes[name], sources = pool.output_shape(shapes[last]), [last]
                made: list[Synapses] = [pool]
            else:
                own = [INPUT, *(p.name for p in populations[begun:])]
                near = [n for n in own if window[n] == window[last]]
                sources = _sources(rng, [*[n for n in near if n != last], last])
                shapes[name], first = _target(rng, shapes[sources[0]], 40)
                made = [first]
                made += [between(rng, shapes[s], shapes[name]) for s in sources[1:]]
            phase = 1 + max(fires[s] for s in sources)
            room = MEMBRANE_LIMIT // (4 * period * len(sources))
            for source, synapses in zip(sources, made, strict=True):
                synapses, exponent = within(rng, synapses, room, extreme=False)
                connections.append(
                    Connection(
                        source,
                        name,
                        synapses,
                        exponent=0 if pooled else exponent,
                        delay=phase - fires[source],
                    )
                )
            size = prod(shapes[name])
            most = int(one_of(rng, 5, 300, 20000))
            slope: int | np.ndarray = int(rng.integers(1, 1 + most))
            if chance(rng, 0.5):
                slope = rng.integers(1, 1 + most, size).astype(np.int32)
            bias = rng.integers(-3 * slope, 3 * slope + 1, size).astype(np.int32)
            neuron: Neuron = Earliest() if pooled else Ttfs(bias, slope, fires=not readout)
            populations.append(Population(name, shapes[name], neuron, phase))
            fires[name] = populations[-1].fire_phase(period)
            window[name] = window[last] + neuron.lag
            last = name
    decoder = Decoder(last, 1.0)
    program = Program(tuple(populations), tuple(connections), encoder, decoder, period, "ttfs")
    level = rng.integers(0, encoder.high + 1, (int(rng.integers(1, 4)), prod(shape)))
    level[rng.random(level.shape) < 0.3] = 0
    return program, level.astype(np.int32)


def _encoder(
    rng: np.random.Generator, max_side: int, period: int, wide: bool, timed: bool
) -> Encoder:
    if chance(rng, 0.7):
        window = one_of(rng, 1, 1, 2, 3)  # that pooling may divide it by
        side = rng.integers(1, max(1, max_side // window) + 1, 2) * window
        shape: Shape = (int(rng.integers(1, 5)), int(side[0]), int(side[1]))
        if chance(rng, 0.15):  # one-dimensional
            shape = (shape[0], 1, int(rng.integers(1, 6 * max_side)))
        elif wide and chance(rng, 0.1):  # a window of more positions than a byte counts safely
            shape = (1, 12, 12)
    else:
        shape = (int(rng.integers(1, 25)),)
    if chance(rng, 0.5):
        high = one_of(rng, 1, 3, 20, 127, 255, 5000, *([_LARGEST] * 2 if wide else []))
        return Encoder(shape, "current", 1.0, -high if chance(rng, 0.5) else 0, high)
    return draw_encoder(rng, shape, period, timed=timed)


def _messages(rng: np.random.Generator, encoder: Encoder, period: int, steps: int) -> np.ndarray:
    """Samples as the encoder sends them, sometimes with values that change every step."""
    level = draw_levels(rng, encoder, -(-steps // period))
    if encoder.high == _LARGEST:
        # what could come asks for 64 bit, what does come leaves weights room
        level = np.clip(level, -3, 3)
    sent = messages_of(encoder, level, period)[:steps]
    return rng.permuted(sent, axis=0) if encoder.code.steady and chance(rng, 0.4) else sent


def _sources(rng: np.random.Generator, names: list[str], more: float = 0.3) -> list[str]:
    """The last population, and at times others, or the same one twice."""
    sources = [names[-1]]
    while len(sources) < 3 and chance(rng, more):
        sources.append(one_of(rng, *names))
    return sources


def _target(
    rng: np.random.Generator, source: Shape, max_neurons: int, wide: bool = False
) -> tuple[Shape, Synapses]:
    """A population's shape and the synapses that lead there from `source`."""
    if chance(rng, 0.1):
        return source, identity(rng, prod(source))
    if len(source) == 3 and chance(rng, 0.65):
        made = convolution(rng, source, wide)
        return made.output_shape(source), made
    if len(source) == 1 and chance(rng, 0.2):
        lines = volume(rng, source[0])
        return (lines.row_starts.size - 1,), lines
    shape: Shape = (int(rng.integers(1, max_neurons + 1)),)
    if chance(rng, 0.3):
        shape = (int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    elif wide:
        shape = (one_of(rng, 64, 128, 300, int(rng.integers(257, 600)), *shape),)
    return shape, flat(rng, source, prod(shape))
