"""The program and the ANN side by side: every population matched with its node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.conversion import Scheme, scheme_of
from neurodeploy.conversion.relayed_input import RELAYS, relay_input
from neurodeploy.errors import ProgramError
from neurodeploy.ledger.activation_code import code_of
from neurodeploy.ledger.input_layer import Entrance
from neurodeploy.ledger.layer import Arriving, Kind, Layer, Way
from neurodeploy.ledger.neurons import reading_of
from neurodeploy.network import Activation, Network, Output, Pool
from neurodeploy.network.batched import float_map, pooling_map, synapse_map
from neurodeploy.network.stages import RELAY, Stage, stages
from neurodeploy.program import (
    INPUT,
    Connection,
    Population,
    Program,
)
from neurodeploy.program.one_to_one import one_to_one_weights

__all__ = ["Twin", "match"]

_REMEDY = "compile the model again with this version of neurodeploy"


@dataclass(frozen=True, eq=False)
class Twin:
    """Attributes: the program, its ANN, the entrance, and the layers, sources first."""

    program: Program
    network: Network
    entrance: Entrance
    layers: tuple[Layer, ...]

    @property
    def parts(self) -> tuple[Entrance | Layer, ...]:
        """The entrance and the layers, sources first."""
        return (self.entrance, *self.layers)

    @property
    def readout(self) -> Layer:
        """The layer that the decoder reads."""
        return next(layer for layer in self.layers if layer.kind == "readout")


def match(program: Program, network: Network) -> Twin:
    """Find the stage of each population.

    1. A population of a stage's name, kind and shape is that stage.
    2. Populations that fire at the rate of the input (`conversion.entrance`): stages that the
       compiler added.
    3. ``X.relay`` of a time code, one identity connection from X: carries the values of X.

    Refused: a population or a stage that has no partner, or reads others than its partner does.
    """
    found = _stages(program, network, scheme_of(program))
    entrance = Entrance(program.encoder, program.period)
    layers: dict[str, Layer] = {}
    for population in program.order:
        known = found.pop(population.name, None)
        stage = known[0] if known else None
        if stage is None and not _is_relay(program, population):
            raise ProgramError("is no layer of the model", place=population.name, remedy=_REMEDY)
        tap = known[1] if known else ""
        _check(program, population, stage, layers)
        layers[population.name] = _layer(program, population, stage, tap, entrance, layers)
    if found:
        raise ProgramError(
            f"no population stands for the layer {next(iter(found))!r}", remedy=_REMEDY
        )
    return Twin(program, network, entrance, tuple(layers.values()))


def _stages(program: Program, network: Network, scheme: Scheme) -> dict[str, tuple[Stage, str]]:
    """Stages by name, each with the node whose values it has, if there is one."""
    pooling = scheme.max_pooling
    nodes = [
        node.name
        for node in network
        if isinstance(node, Output)
        or (isinstance(node, Activation) and node.function == "relu")
        or (pooling and isinstance(node, Pool) and node.operation == "max")
    ]
    cut = stages(network, max_pooling=pooling)
    taps = {stage.name: node for stage, node in zip(cut, nodes, strict=True)}
    names = {p.name for p in program.populations}
    low, high = (float(RELAYS[sign] in names) for sign in (-1.0, 1.0))
    if low or high:
        cut, _ = relay_input(cut, program.encoder.input_shape, -low, high)
    cut = scheme.shaped(cut)
    return {stage.name: (stage, taps.get(stage.name, "")) for stage in cut}


def _is_relay(program: Program, population: Population) -> bool:
    arriving = program.incoming(population.name)
    if len(arriving) != 1 or population.name != arriving[0].source + RELAY:
        return False
    reading = reading_of(population.neuron, program.period)
    source = program.shape_of(arriving[0].source)
    weights = one_to_one_weights(arriving[0].synapses, source, population.shape)
    return (
        reading.height is not None
        and bool(np.all(np.equal(reading.height, 1)))
        and not reading.bias.any()
        and weights is not None
        and bool((weights == 1).all())
    )


def _origin(name: str, layers: dict[str, Layer]) -> str:
    """The population whose values one carries: itself, unless it is a relay."""
    while name != INPUT and layers[name].kind == "relay":
        (name,) = layers[name].sources
    return name


def _check(
    program: Program, population: Population, stage: Stage | None, layers: dict[str, Layer]
) -> None:
    """Refuse a population that is not what its stage would have become."""
    if stage is None:
        return
    reads = sorted(_origin(c.source, layers) for c in program.incoming(population.name))
    if stage.kind == "max":  # a mask of many cells takes several connections
        reads = reads[:1] if len(set(reads)) == 1 else reads
    if not (
        population.shape == stage.shape
        and (stage.kind == "readout") == (population.name == program.decoder.population)
        and (stage.kind == "max") == reading_of(population.neuron, program.period).maximum
        and reads == sorted(path.source for path in stage.paths)
    ):
        raise ProgramError(
            "is not the layer of that name in the model", place=population.name, remedy=_REMEDY
        )


def _layer(
    program: Program,
    population: Population,
    stage: Stage | None,
    tap: str,
    entrance: Entrance,
    layers: dict[str, Layer],
) -> Layer:
    kind: Kind
    if stage is None:
        kind = "relay"
    elif stage.kind == "spiking":
        raise ProgramError(
            "spikes already in the model: there are no activations to hold it against",
            place=population.name,
        )
    else:
        kind = stage.kind
    arriving = [
        _arriving(program, c, entrance, layers, plain=kind in ("max", "relay"))
        for c in program.incoming(population.name)
    ]
    # the float paths read where the connections read: behind the relays
    read_as = {_origin(c.source, layers): c.source for c in program.incoming(population.name)}
    make = pooling_map if kind == "max" else float_map
    ways = [
        Way(read_as[path.source], make(path.operator, _real_shape(program, path.source)))
        for path in (stage.paths if stage else ())
    ]
    return Layer(
        population=population,
        kind=kind,
        tap=tap,
        stage=stage,
        code=code_of(program, population) if kind == "relu" else None,
        ways=tuple(ways),
        arriving=tuple(arriving),
        decoder_unit=program.decoder.unit / 2.0**population.neuron.synapse_shift,
        steps=program.period,
        offset=arriving[0].offset if kind in ("max", "relay") else 0.0,
    )


def _arriving(
    program: Program, c: Connection, entrance: Entrance, layers: dict[str, Layer], *, plain: bool
) -> Arriving:
    """A connection with its source's units; `plain` where its integers are only passed on."""
    apply = _unchanged if plain else synapse_map(c.synapses, program.shape_of(c.source))
    if c.source == INPUT:
        e = entrance.encoder
        coded = entrance.messages if e.bit_planes else None
        return Arriving(c, apply, entrance.unit, e.offsets, entrance.repeat, coded)
    source = layers[c.source]
    return Arriving(c, apply, source.unit, source.offset, 1)


def _real_shape(program: Program, source: str) -> tuple[int, ...]:
    """Shape of a source's real values: an input counts once, on however many lines it comes."""
    return program.encoder.input_shape if source == INPUT else program.shape_of(source)


def _unchanged(messages: np.ndarray) -> np.ndarray:
    return messages
