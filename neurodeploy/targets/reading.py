"""A target out of a parsed TOML file: every key known, of its type and in range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurodeploy.errors import TargetError, shown
from neurodeploy.targets.target import COST_EVENTS, Core, CostTable, Fact, Memory, Mesh, Target

__all__ = ["COST_KEYS", "FACT_KEYS", "FLAGS", "NUMBERS", "read_target"]

_MANY = 2**40
#: Whole numbers that a file states: section -> key -> (lowest, highest, whether it must).
# the semantics (docs/semantics.md) are those of 24-bit state; others need their own
NUMBERS: dict[str, dict[str, tuple[int, int, bool]]] = {
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
FLAGS: dict[str, dict[str, bool]] = {
    "neuron": {"microcode": True, "soft_reset": False},
    "core": {"power_of_two_columns": False},
}
FACT_KEYS = {"value", "source", "inferred", "note"}
_TOP = {"name", "title", "generation", "sources", "cost", *NUMBERS}
COST_KEYS = {"title", "source", "energy_pj", "time_ns"}


def read_target(data: dict[str, Any], place: str) -> Target:
    """The target that a parsed file describes.

    Parameters
    ----------
    data
        The file's tables.
    place
        The file, for messages.

    Raises
    ------
    TargetError
        A key missing, unknown, of the wrong type or out of range.
    """
    return _Reader(data, place).target()


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
        self._known(f"{section}.{key}", entry, FACT_KEYS)
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
        keys = NUMBERS[section]
        needed = any(must for *_, must in keys.values())
        table = self._section(section, None if needed else {})
        flags = FLAGS.get(section, {})
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
            self._known(where, table, COST_KEYS)
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
