"""What schemes and neuron kinds there are, read from their own fields."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from neurodeploy.conversion import scheme_named, schemes
from neurodeploy.conversion.options import flag_of, options_of
from neurodeploy.program.neurons import kind_named, kinds
from neurodeploy.program.neurons.fields import (
    Choice,
    Flag,
    Integer,
    IntegerOrEach,
    PerNeuron,
    Rising,
    Rule,
    rules,
)
from neurodeploy.reporting.console import table

__all__ = ["neuron_list", "scheme_list", "show_neurons", "show_schemes"]


def scheme_list(name: str | None = None) -> list[dict[str, Any]]:
    """Name, title and options of every scheme, or of one."""
    found = schemes() if name is None else {name: scheme_named(name)}
    return [
        {
            "name": scheme.name,
            "title": scheme.title,
            "max_pooling": scheme().max_pooling,
            "options": [
                {
                    "name": field.name,
                    "flag": flag_of(field.name),
                    "type": option.type.__name__,
                    "default": field.default,
                    "absent": option.absent,
                    "range": option.range,
                    "help": option.help,
                }
                for field, option in options_of(scheme)
            ],
        }
        for scheme in found.values()
    ]


def show_schemes(found: list[dict[str, Any]]) -> None:
    """A table a scheme."""
    for scheme in found:
        rows = [
            (
                o["flag"],
                o["absent"] if o["default"] is None else str(o["default"]),
                o["range"],
                o["help"],
            )
            for o in scheme["options"]
        ]
        title = f"--scheme {scheme['name']}: {scheme['title']}"
        table(title, ("option", "default", "range", "what"), rows)


def neuron_list(name: str | None = None) -> list[dict[str, Any]]:
    """Kind, description, states and parameters of every neuron kind, or of one."""
    found = kinds() if name is None else {name: kind_named(name)}
    return [
        {
            "kind": kind.kind,
            "description": kind.description,
            "lag_windows": kind.lag,
            "messages": kind.message,
            "states": [{"name": s.name, "bits": s.bits, "meaning": s.meaning} for s in kind.states],
            "parameters": [
                {
                    "name": field.name,
                    "range": _range(rule),
                    "default": None if field.default is MISSING else field.default,
                }
                for field, rule in rules(kind)
            ],
        }
        for kind in found.values()
    ]


def show_neurons(found: list[dict[str, Any]]) -> None:
    """A table of all, or the parameters of one."""
    if len(found) == 1:
        (kind,) = found
        parameters = [
            (p["name"], p["range"], "" if p["default"] is None else str(p["default"]))
            for p in kind["parameters"]
        ]
        states = [(s["name"], f"{s['bits']} bit", s["meaning"]) for s in kind["states"]]
        title = f"{kind['kind']}: {kind['description']}"
        table(title, ("parameter", "range", "default"), parameters)
        table("states", ("variable", "width", "what"), states)
        return
    rows = [(k["kind"], k["description"], ", ".join(s["name"] for s in k["states"])) for k in found]
    table("neuron kinds", ("kind", "what", "states"), rows)


def _range(rule: Rule) -> str:
    if isinstance(rule, Integer):
        return f"{rule.low}..{rule.high}"
    if isinstance(rule, Choice):
        return ", ".join(rule.words)
    if isinstance(rule, Flag):
        return "true or false"
    if isinstance(rule, Rising):
        return f"{rule.low}..{rule.high}, 1 to {rule.most} that rise"
    if isinstance(rule, IntegerOrEach):
        return f"{rule.one.low}..{rule.one.high}, one for all or one a neuron"
    assert isinstance(rule, PerNeuron)
    return f"{rule.low}..{rule.high}, one a neuron"
