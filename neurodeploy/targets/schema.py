"""A JSON Schema of target files, from the same tables that the reader checks by.

Editors complete and check a target file by it. It cannot say three things that the reader checks
too: that a source is among `[sources]`, that cores fit the mesh, that a cost model prices an event
in one way. `targets/target.schema.json` is what `target_schema` returns (`tests/test_targets.py`).
"""

from __future__ import annotations

from typing import Any

from neurodeploy.targets.reading import COST_KEYS, FACT_KEYS, FLAGS, NUMBERS
from neurodeploy.targets.target import COST_EVENTS

__all__ = ["target_schema"]


def target_schema() -> dict[str, Any]:
    """The schema, draft 2020-12, as JSON has it."""
    sections = {name: _section(name) for name in NUMBERS}
    costs = {
        kind: _object({event: {"type": "number", "minimum": 0} for event in COST_EVENTS})
        for kind in ("energy_pj", "time_ns")
    }
    cost = {key: costs.get(key, _TEXT) for key in sorted(COST_KEYS)}
    some = [{"required": [kind]} for kind in costs]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A hardware target of neurodeploy",
        **_object(
            {
                "name": _TEXT,
                "title": _TEXT,
                "generation": _TEXT,
                "sources": {"type": "object", "additionalProperties": _TEXT},
                **sections,
                "cost": {
                    "type": "object",
                    "additionalProperties": {**_object(cost), "anyOf": some},
                },
            },
            ["name", *(name for name, found in sections.items() if found["required"])],
        ),
    }


_TEXT = {"type": "string", "minLength": 1}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required or [],
        "additionalProperties": False,
    }


def _section(name: str) -> dict[str, Any]:
    numbers, flags = NUMBERS[name], FLAGS.get(name, {})
    fields = {
        key: _fact({"type": "integer", "minimum": low, "maximum": high})
        for key, (low, high, _) in numbers.items()
    } | {key: _fact({"type": "boolean"}) for key in flags}
    needed = [key for key, (*_, must) in numbers.items() if must]
    return _object(fields, [*needed, *(key for key, must in flags.items() if must)])


def _fact(value: dict[str, Any]) -> dict[str, Any]:
    """The bare value, or a table that says where it comes from."""
    kinds = {"value": value, "source": _TEXT, "inferred": {"type": "boolean"}, "note": _ANY_TEXT}
    assert set(kinds) == FACT_KEYS
    return {"anyOf": [value, _object(kinds, ["value"])]}


_ANY_TEXT = {"type": "string"}
