"""Random programs with cycles, and with messages that are integers.

Self loops and loops over several populations, of any synapses, delays of 1 to 62 steps, something
before the cycle and after it, skips around it; neurons, encoding and decoding of any kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from neurodeploy.program import INPUT, Connection, Encoder, Neuron, Population, Program, Synapses
from neurodeploy.testing.codecs import draw_decoder, draw_encoder, draw_levels, messages_of
from neurodeploy.testing.neurons import (
    EVERY_KIND,
    Kinds,
    draw_neuron,
    with_fields,
    works_in_windows,
)
from neurodeploy.testing.programs import INPUT_LIMIT
from neurodeploy.testing.synapses import between, chance, one_of, within

__all__ = ["random_recurrent_program"]

Shape = tuple[int, ...]
_LONGEST = 62


@dataclass
class _Draft:
    """A population before its program is there.

    `late` is the most steps by which a message of it arrives later in its target's window.
    """

    name: str
    shape: Shape
    neuron: Neuron
    phase: int = 1
    late: int = 0
    sources: list[str] = field(default_factory=list)


def random_recurrent_program(
    rng: np.random.Generator,
    *,
    among: Kinds = EVERY_KIND,
    aligned: bool | None = None,
    stock: bool | None = None,
    max_cycle: int = 3,
    max_neurons: int = 12,
    max_period: int = 16,
    max_steps: int = 48,
) -> tuple[Program, np.ndarray]:
    """A program with at least one cycle, and input messages for it.

    Parameters
    ----------
    among
        Neuron kinds.
    aligned
        Whether windows see one sample each; by chance if None. Then the populations of a cycle
        are of kinds that have a field `quiet` and do not fire a window later.
    stock
        Whether all neurons are stock; by chance, one by one, if None. Excludes `aligned`.
    max_cycle
        Most populations of the cycle.
    max_neurons
        Largest population.
    max_steps
        Most steps of messages, besides those that the last window takes.

    Returns
    -------
    (program, int32 (steps, inputs))
    """
    calm = [k for k in among if "quiet" in k.__dataclass_fields__ and not works_in_windows(k)]
    aligned = bool(calm) and not stock and (chance(rng, 0.5) if aligned is None else aligned)
    period = int(one_of(rng, 1, *rng.integers(2, max_period + 1, 5), 65 if aligned else 2))
    extreme = chance(rng, 0.3)
    encoder = draw_encoder(rng, _shape(rng, max_neurons), period, largest=300)

    def draft(name: str, kinds: Kinds) -> _Draft:
        shape = _shape(rng, max_neurons)
        neuron = draw_neuron(rng, prod(shape), period, among=kinds, stock=stock, extreme=extreme)
        return _Draft(name, shape, neuron)

    before = [draft("before", among)] if chance(rng, 0.4) else []
    inside = calm if aligned else among
    loop = [draft(f"r{k}", inside) for k in range(int(rng.integers(1, max_cycle + 1)))]
    after = [draft("after", among)] if chance(rng, 0.5) else []
    for one in before:
        one.sources = [INPUT]
    _close(rng, loop)
    # the cycle may live on its biases alone
    first = [one.name for one in before] or [INPUT]
    loop[0].sources += [] if chance(rng, 0.05) else [*first, *([INPUT] * chance(rng, 0.3))]
    for one in after:
        one.sources = [loop[-1].name, *([first[0]] * chance(rng, 0.4))]
    drafts = {one.name: one for one in [*before, *loop, *after]}
    delays = _aligned(rng, encoder, drafts, loop, period) if aligned else _any(rng, drafts, period)
    if aligned:
        for one in loop:
            quiet = one.late + int(one_of(rng, 0, 0, rng.integers(0, 3)))
            one.neuron = with_fields(one.neuron, quiet=quiet)
    populations = [Population(d.name, d.shape, d.neuron, d.phase) for d in drafts.values()]
    connections = [
        connection
        for d in drafts.values()
        for connection in _incoming(rng, d, drafts, encoder, delays, extreme)
    ]
    if chance(rng, 0.3):
        populations = [populations[k] for k in rng.permutation(len(populations))]
        connections = [connections[k] for k in rng.permutation(len(connections))]
    decoder = draw_decoder(rng, one_of(rng, populations[-1].name, *drafts), period=period)
    program = Program(tuple(populations), tuple(connections), encoder, decoder, period)
    samples = max(1, int(rng.integers(1, max_steps + 1)) // period)
    drain = max(p.fire_phase(period) for p in populations)
    return program, messages_of(encoder, draw_levels(rng, encoder, samples), period, drain)


def _shape(rng: np.random.Generator, most: int) -> Shape:
    if chance(rng, 0.3):
        return (int(rng.integers(1, 4)), 2, int(rng.integers(1, max(2, most // 6 + 1))))
    return (int(rng.integers(1, most + 1)),)


def _close(rng: np.random.Generator, loop: list[_Draft]) -> None:
    """Sources within the cycle: one way around, and others by chance (the same twice, too)."""
    for k, one in enumerate(loop):
        one.sources.append(loop[k - 1].name)
        one.sources += [other.name for other in loop if chance(rng, 0.25)]


def _any(
    rng: np.random.Generator, drafts: dict[str, _Draft], period: int
) -> dict[tuple[str, str], list[int]]:
    """Delays and phases anywhere."""
    for one in drafts.values():
        one.phase = int(rng.integers(0, 2 * period + 2))
    return {
        (source, one.name): [_delay(rng) for other in one.sources if other == source]
        for one in drafts.values()
        for source in one.sources
    }


def _delay(rng: np.random.Generator) -> int:
    return int(one_of(rng, 1, 1, rng.integers(1, 7), rng.integers(1, 7), rng.integers(1, 63), 62))


def _aligned(
    rng: np.random.Generator,
    encoder: Encoder,
    drafts: dict[str, _Draft],
    loop: list[_Draft],
    period: int,
) -> dict[tuple[str, str], list[int]]:
    """Delays and phases with which no message leaves its sample."""
    fires = {INPUT: 1}
    inside = {one.name for one in loop}
    start = 0
    for one in drafts.values():
        if one.name in inside:
            # the cycle's phases first: they lie close to each other
            start = start or 1 + max(
                [fires[s] for d in loop for s in d.sources if s in fires] + [1]
            )
            one.phase = start + int(rng.integers(0, min(3, period)))
            fires[one.name] = one.phase
        elif one.name == "before":
            one.phase = 1 + int(rng.integers(1, 6))
            fires[one.name] = one.phase + one.neuron.lag * period
        else:
            one.phase = max(fires[s] for s in one.sources) + int(rng.integers(1, 6))
    delays: dict[tuple[str, str], list[int]] = {}
    for one in drafts.values():
        kept = []
        for source in one.sources:
            gap = one.phase - fires[source]
            if source in inside and one.name in inside:
                least, most = max(1, gap), min(_LONGEST, gap + period)
                delay = int(one_of(rng, least, most, *rng.integers(least, most + 1, 3)))
                late = delay - gap
                drafts[source].late = max(drafts[source].late, late)
            else:
                delay = gap
                if not 1 <= delay <= _LONGEST:  # a skip over a lag and more
                    continue
            kept.append(source)
            delays.setdefault((source, one.name), []).append(delay)
        one.sources = kept
    return delays


def _incoming(
    rng: np.random.Generator,
    one: _Draft,
    drafts: dict[str, _Draft],
    encoder: Encoder,
    delays: dict[tuple[str, str], list[int]],
    extreme: bool,
) -> list[Connection]:
    """Connections to a population, small enough that no 32-bit back end overflows."""
    room = ((INPUT_LIMIT - 1) >> one.neuron.input_shift) // max(1, len(one.sources))
    left = {key: list(values) for key, values in delays.items()}
    found = []
    for source in one.sources:
        shape = encoder.shape if source == INPUT else drafts[source].shape
        low, high = encoder.message_range if source == INPUT else drafts[source].neuron.sends
        graded = low < 0 or high > 1 or chance(rng, 0.2)
        synapses = between(rng, shape, one.shape)
        synapses = synapses if extreme else _gentle(rng, synapses)
        largest = max(1, -low, high) if graded else 1
        synapses, exponent = within(rng, synapses, room // largest, extreme)
        delay = left[source, one.name].pop()
        found.append(Connection(source, one.name, synapses, exponent, delay, graded))
    return found


def _gentle(rng: np.random.Generator, synapses: Synapses) -> Synapses:
    """Half of the time without what would drive every neuron at once, or silence all."""
    if chance(rng, 0.5):
        return synapses
    weights = synapses.weights.astype(np.int16) // int(rng.integers(2, 40))
    return replace(synapses, weights=weights.astype(np.int8))
