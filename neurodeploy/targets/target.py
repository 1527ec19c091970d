"""What is known of a chip: its registers, cores, memory, mesh and published costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["COST_EVENTS", "Core", "CostTable", "Fact", "Memory", "Mesh", "Target"]

#: What a cost table may price, and what it is charged for.
COST_EVENTS = {
    "synaptic_operation": "each message at each synapse that it meets",
    "neuron_update_active": "each update of a neuron that is active",
    "neuron_update_inactive": "each update of a neuron that is not",
    "neuron_access": "each update of a neuron",
    "neuron_update": "each update of an active neuron, beside the access",
    "spike_out": "each spike of a neuron",
    "spike_within_tile": "each message to a core",
    "hop_east_west": "each hop of a message along a row of the mesh",
    "hop_north_south": "each hop of a message along a column of the mesh",
    "barrier": "each step: the cores wait for each other",
}


@dataclass(frozen=True)
class Fact:
    """One number of a target file, and where it comes from.

    Attributes
    ----------
    source
        Citation; empty where the file states none.
    inferred
        Whether no publication states it.
    """

    section: str
    key: str
    value: int | float | bool
    source: str = ""
    inferred: bool = False
    note: str = ""


@dataclass(frozen=True)
class Core:
    """What a core holds; None: no limit is known.

    Attributes
    ----------
    power_of_two_columns
        Whether a part of a map takes the room of as many columns as the next power of two.
    """

    neurons: int | None = None
    input_axons: int | None = None
    output_axons: int | None = None
    synaptic_words: int | None = None
    power_of_two_columns: bool = False

    @property
    def largest_fan_in(self) -> int | None:
        """Synapses that one neuron can have: an axon and a word of memory each, at least."""
        limits = (self.input_axons, self.synaptic_words)
        return min((limit for limit in limits if limit is not None), default=None)


@dataclass(frozen=True)
class Memory:
    """How synapses lie in a core's memory.

    Synapses of one axon form a row: a header, then one entry a synapse, filled up to whole words.

    Attributes
    ----------
    stored_weight_bits
        Bits of every weight; None: as few as the connection's weights need.
    dense_bits, shared_bits, sparse_bits
        Of an entry beside its weight, by the kind of connection.
    row_synapses
        Synapses behind one header; None: any number.
    """

    word_bits: int = 64
    stored_weight_bits: int | None = None
    dense_bits: int = 0
    shared_bits: int = 0
    sparse_bits: int = 0
    header_bits: int = 0
    row_synapses: int | None = None


@dataclass(frozen=True)
class Mesh:
    """The cores of a chip: `cores_per_tile` share each place of a grid; None: no limit.

    Attributes
    ----------
    chips
        That there are.
    neurons
        A chip, where the file states fewer than its cores hold.
    """

    cores: int | None = None
    columns: int | None = None
    rows: int | None = None
    cores_per_tile: int = 1
    chips: int | None = None
    neurons: int | None = None


@dataclass(frozen=True)
class CostTable:
    """A published cost model: picojoules and nanoseconds an event, by the event's name."""

    name: str
    title: str
    source: str
    energy_pj: Mapping[str, float]
    time_ns: Mapping[str, float]


@dataclass(frozen=True)
class Target:
    """What a chip's registers hold, and what its cores do.

    Attributes
    ----------
    microcode
        Whether neurons beyond the stock one can be programmed.
    graded_bits
        Bits of a spike's payload; 0 where spikes are binary.
    soft_reset
        Whether two stock compartments can be joined to one neuron that resets by subtraction.
    core, memory, mesh
        Limits of a core, form of its synapses, cores of a chip.
    costs
        Cost models that were published for this chip, by name; empty where there is none.
    facts
        Every number of the file with its source.
    """

    name: str
    title: str
    generation: str
    state_bits: int
    threshold_bits: int
    bias_mantissa_bits: int
    bias_exponent_max: int
    microcode: bool
    weight_bits: int
    exponent_max: int
    delay_max: int
    graded_bits: int
    soft_reset: bool = False
    core: Core = Core()
    memory: Memory = Memory()
    mesh: Mesh = Mesh()
    costs: Mapping[str, CostTable] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()

    @property
    def weight_max(self) -> int:
        """Largest magnitude of a weight, the same on both sides of zero."""
        return int(2 ** (self.weight_bits - 1) - 1)

    @property
    def threshold_max(self) -> int:
        """Largest threshold."""
        return int(2**self.threshold_bits - 1)
