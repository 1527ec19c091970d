"""Hardware as data: one TOML file a target, checked when it is read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurodeploy.errors import NeuroDeployError, TargetError, UsageError, shown
from neurodeploy.files import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "Core",
    "CostTable",
    "Fact",
    "Memory",
    "Mesh",
    "Target",
    "load_target",
    "target_names",
    "target_of",
]

_MANY = 2**40
#: Whole numbers that a file states: section -> key -> (lowest, highest, whether it must).
# the semantics (docs/semantics.md) are those of 24-bit state; others need their own
_NUMBERS: dict[str, dict[str, tuple[int, int, bool]]] = {
    "neuron": {
        "state_bits": (24, 24, True),
        "threshold_bits": (2, 17, True),
        "bias_mantissa_bits": (2, 13, True),
        "bias_exponent_max": (0, 7, True),
    },
    "synapse": {
        "weight_bits": (2, 8, True),
        "exponent_max": (0, 7, True),
        "delay_max": (1, 62, True),
        "graded_bits": (0, 32, True),
    },
    "core": {
        "neurons": (1, _MANY, False),
        "input_axons": (1, _MANY, False),
        "output_axons": (1, _MANY, False),
        "synaptic_words": (1, _MANY, False),
    },
    "memory": {
        "word_bits": (1, 4096, False),
        "stored_weight_bits": (1, 64, False),
        "dense_bits": (0, 256, False),
        "shared_bits": (0, 256, False),
        "sparse_bits": (0, 256, False),
        "header_bits": (0, 4096, False),
        "row_synapses": (1, _MANY, False),
    },
    "chip": {
        "cores": (1, 2**20, False),
        "mesh_columns": (1, 2**20, False),
        "mesh_rows": (1, 2**20, False),
        "cores_per_tile": (1, 2**20, False),
        "chips": (1, 2**20, False),
        "neurons": (1, _MANY, False),
        "synapses": (1, 2**50, False),
    },
}
#: True or false: section -> key -> whether a file must say it.
_FLAGS = {"neuron": {"microcode": True}, "core": {"power_of_two_columns": False}}
_FACT = {"value", "source", "inferred", "note"}
_TOP = {"name", "title", "generation", "sources", "cost", *_NUMBERS}
_COST = {"title", "source", "energy_pj", "time_ns"}


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


def _folder() -> Path:
    """Where the target files lie: in the installed package, or in a source checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "_targets"
    return installed if installed.is_dir() else here.parent / "targets"


def target_names() -> tuple[str, ...]:
    """Names of the targets that come with neurodeploy."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def load_target(name: str) -> Target:
    """A target by name, or by the path of a TOML file of the user's own.

    Raises
    ------
    TargetError
        Unknown name, missing file, malformed TOML; a key missing, unknown, of the wrong type or
        out of range: the message names file, section and key.
    """
    if name in target_names():
        path = _folder() / f"{name}.toml"
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        raise TargetError(
            f"no target is called {shown(name)}; there are {', '.join(target_names())}",
            place="--target",
            remedy="choose one of these, or give the path of a .toml file of your own",
        )
    try:
        data = tomllib.loads(read_bytes(path, 2**20).decode())
    except NeuroDeployError as error:
        raise TargetError(error.message, place=str(path)) from None
    except (ValueError, RecursionError) as error:  # an integer of 5000 digits is a ValueError
        raise TargetError(f"not valid TOML: {str(error)[:200]}", place=str(path)) from None
    return _Reader(data, str(path)).target()


def target_of(own: str, wanted: str | Target | None = None) -> Target:
    """The target that is wanted, or else a program's own.

    Refused: nothing is wanted, and the program's own is a file of somebody's, which must be named.

    Parameters
    ----------
    own
        Name that the program holds.
    wanted
        Name, path of a TOML file, or a target that is loaded.

    Raises
    ------
    NeuroDeployError
        TargetError: no such target. UsageError: as above.
    """
    if isinstance(wanted, Target):
        return wanted
    # a program cannot be made to read a file by the path that it holds
    if wanted is None and own not in target_names():
        raise UsageError(
            f"the program is for a target {own!r} that does not come along",
            place="--target",
            remedy="give its .toml file with --target",
        )
    return load_target(own if wanted is None else wanted)


class _Reader:
    """The target in a parsed file; every key known, of its type and in range."""

    def __init__(self, data: dict[str, Any], place: str) -> None:
        self.data, self.place = data, place
        self.facts: list[Fact] = []
        self._known("", data, _TOP)
        self.sources = self._section("sources", {})
        for key, value in self.sources.items():
            if not isinstance(value, str) or not value:
                raise self._off(f"[sources] {key} is {shown(value)}, not a citation")

    def _off(self, message: str, remedy: str = "") -> TargetError:
        return TargetError(message, place=self.place, remedy=remedy)

    def _known(self, section: str, table: dict[str, Any], keys: set[str]) -> None:
        for key in table:
            if key not in keys:
                where = f"[{section}] {key}" if section else key
                raise self._off(
                    f"{where} is unknown",
                    f"it takes {', '.join(sorted(keys))}; docs/mapping.md explains them",
                )

    def _section(self, name: str, default: dict[str, Any] | None = None) -> dict[str, Any]:
        table = self.data.get(name, default)
        if not isinstance(table, dict):
            raise self._off(f"section [{name}] is missing")
        return table

    def _text(
        self, table: dict[str, Any], key: str, section: str = "", default: str | None = None
    ) -> str:
        value = table.get(key, default)
        where = f"[{section}] {key}" if section else key
        if value is None:
            raise self._off(f"{where} is missing", f'add a line {key} = "..."')
        if not isinstance(value, str) or not value:
            raise self._off(f"{where} is {shown(value)}, not a text")
        return value

    def _fact(self, section: str, key: str, entry: Any) -> Any:
        """The value of an entry: bare, or a table of value, source, inferred and note."""
        if not isinstance(entry, dict):
            self.facts.append(Fact(section, key, entry))
            return entry
        self._known(f"{section}.{key}", entry, _FACT)
        source, note = entry.get("source", ""), entry.get("note", "")
        inferred = entry.get("inferred", False)
        if not isinstance(note, str) or not isinstance(inferred, bool):
            raise self._off(f"[{section}] {key}: note is a text, inferred is true or false")
        self.facts.append(
            Fact(section, key, entry.get("value", 0), self._cited(section, source), inferred, note)
        )
        return entry.get("value")

    def _cited(self, where: str, source: Any) -> str:
        if source and (not isinstance(source, str) or source not in self.sources):
            raise self._off(f"[{where}] source {shown(source)} is not among [sources]")
        return str(self.sources[source]) if source else ""

    def _values(self, section: str) -> dict[str, Any]:
        keys = _NUMBERS[section]
        needed = any(must for *_, must in keys.values())
        table = self._section(section, None if needed else {})
        flags = _FLAGS.get(section, {})
        self._known(section, table, {*keys, *flags})
        found: dict[str, Any] = {}
        for key, (low, high, must) in keys.items():
            if key not in table and not must:
                continue
            value = self._fact(section, key, table.get(key))
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise self._off(
                    f"[{section}] {key} is {shown(value)}, not an integer of {low}..{high}"
                )
            found[key] = value
        for key, must in flags.items():
            if key not in table and not must:
                continue
            value = self._fact(section, key, table.get(key))
            if not isinstance(value, bool):
                raise self._off(f"[{section}] {key} is {shown(value)}, not true or false")
            found[key] = value
        return found

    def _mesh(self) -> Mesh:
        found = self._values("chip")
        cores, tile = found.get("cores"), found.get("cores_per_tile", 1)
        columns, rows = found.get("mesh_columns"), found.get("mesh_rows")
        if (columns is None) != (rows is None):
            raise self._off("[chip] mesh_columns and mesh_rows come together")
        if columns is not None and rows is not None:
            places = columns * rows * tile
            if (cores or places) > places:
                raise self._off(f"[chip] cores is {cores}, the mesh has room for {places}")
            cores = cores or places
        elif cores is not None:
            columns, rows = -(-cores // tile), 1
        return Mesh(cores, columns, rows, tile, found.get("chips"), found.get("neurons"))

    def _costs(self) -> dict[str, CostTable]:
        costs = {}
        for name, table in self._section("cost", {}).items():
            where = f"cost.{name}"
            if not isinstance(table, dict):
                raise self._off(f"[{where}] is not a section")
            self._known(where, table, _COST)
            source = self._cited(where, table.get("source", ""))
            constants: dict[str, Mapping[str, float]] = {}
            for kind in ("energy_pj", "time_ns"):
                values = table.get(kind, {})
                if not isinstance(values, dict):
                    raise self._off(f"[{where}] {kind} is not a section")
                for key, value in values.items():
                    if isinstance(value, bool) or not isinstance(value, int | float):
                        raise self._off(f"[{where}.{kind}] {key} is {shown(value)}, not a number")
                    if not 0 <= value < 1e15:
                        raise self._off(
                            f"[{where}.{kind}] {key} is {shown(value)}, outside 0..1e15"
                        )
                    self.facts.append(Fact(f"{where}.{kind}", key, value, source))
                self._known(f"{where}.{kind}", values, set(COST_EVENTS))
                constants[kind] = {k: float(v) for k, v in values.items()}
            if not any(constants.values()):
                raise self._off(
                    f"[{where}] has no constants",
                    f"give it energy_pj or time_ns of {', '.join(COST_EVENTS)} (docs/cost.md)",
                )
            for kind, values in constants.items():
                if any(key.endswith("active") for key in values) and (
                    {"neuron_access", "neuron_update"} & set(values)
                ):
                    raise self._off(
                        f"[{where}.{kind}] prices neuron updates in two ways",
                        "give neuron_update_active and neuron_update_inactive, or neuron_access "
                        "and neuron_update",
                    )
            costs[name] = CostTable(
                name, self._text(table, "title", where, name), source, **constants
            )
        return costs

    def target(self) -> Target:
        """Everything, checked."""
        name = self._text(self.data, "name")
        return Target(
            name=name,
            title=self._text(self.data, "title", default=name),
            generation=self._text(self.data, "generation", default=name),
            **self._values("neuron"),
            **self._values("synapse"),
            core=Core(**self._values("core")),
            memory=Memory(**self._values("memory")),
            mesh=self._mesh(),
            costs=self._costs(),
            facts=tuple(self.facts),
        )
