"""Random neurons of any kind, drawn from what the fields of the kind declare.

A kind that is new needs no generator: its ranges, its usual values and its defaults are in
`program.neurons.fields`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, replace
from typing import Any

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons import Neuron, kinds
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
from neurodeploy.testing.foreign_kinds import Announcer, Graded
from neurodeploy.testing.synapses import chance, one_of

__all__ = ["EVERY_KIND", "OUR_KINDS", "draw_neuron", "neuron_of", "with_fields", "works_in_windows"]

Kinds = Sequence[type[Neuron]]
_ROOM = "neurodeploy.program.neurons."
#: The kinds that the package brings. Not those that somebody else registered: then random programs
#: would depend on what is imported besides.
#: Nor those whose messages of 23 bits leave no room for weights behind them: tests of their own
#: (`tests/program/test_graded_relu.py`, `tests/conversion/test_stock_graded.py`, and programs of
#: their own: `testing.stream_programs`).
_ALONE = ("graded_relu", "sigma_delta")
OUR_KINDS: Kinds = tuple(
    k for k in kinds().values() if k.__module__.startswith(_ROOM) and k.kind not in _ALONE
)
#: These and the ones for tests, which send integers.
EVERY_KIND: Kinds = (*OUR_KINDS, Graded, Announcer)


def works_in_windows(kind: type[Neuron]) -> bool:
    """Whether a window is a unit to it, not just the time between two resets."""
    return kind.lag > 0 or kind.message != "count"


def draw_neuron(
    rng: np.random.Generator,
    size: int,
    period: int,
    *,
    among: Kinds = OUR_KINDS,
    stock: bool | None = None,
    extreme: bool = False,
    fixed: Mapping[str, Any] | None = None,
) -> Neuron:
    """A neuron of one of some kinds.

    Parameters
    ----------
    size
        Neurons of the population.
    among
        The kinds. One that a chip has in stock is drawn more often than the others.
    stock
        Whether it must be stock; by chance if None.
    extreme
        Whether parameters often are at the ends of their ranges.
    fixed
        Values of fields, where the kind has these.
    """
    among = [k for k in among if _suits(k, period)]
    able = [k for k in among if k.stock is not None]
    others = [k for k in among if k.stock is None]
    if stock and not able:
        raise ValueError("none of the kinds can be stock")
    common = able and (stock or not others or chance(rng, 0.8))
    kind = one_of(rng, *(able if common else others))
    given: dict[str, Any] = {}
    if kind.stock is not None and (chance(rng, 0.4) if stock is None else stock):
        given |= kind.stock
    return neuron_of(rng, kind, size, period, extreme=extreme, fixed={**given, **(fixed or {})})


def neuron_of(
    rng: np.random.Generator,
    kind: type[Neuron],
    size: int,
    period: int,
    *,
    extreme: bool = False,
    fixed: Mapping[str, Any] | None = None,
) -> Neuron:
    """A neuron of a kind, every field somewhere in its range."""
    values = {}
    for field, rule in rules(kind):
        if fixed is not None and field.name in fixed:
            values[field.name] = fixed[field.name]
        else:
            values[field.name] = _value(rng, field, rule, size, extreme)
    return _fitted(kind, kind.suited(values, period), period)


def _suits(kind: type[Neuron], period: int) -> bool:
    """Whether some neuron of a kind works in windows of so many steps."""
    try:
        neuron_of(np.random.default_rng(0), kind, 1, period)
    except ProgramError:
        return False
    return True


def with_fields(neuron: Neuron, **values: Any) -> Neuron:
    """The neuron with other values of some fields that its kind has."""
    return replace(neuron, **values)


def _fitted(kind: type[Neuron], values: dict[str, Any], period: int) -> Neuron:
    """The neuron; integers that do not suit the window become the largest that do."""

    def fits(**changed: int | np.ndarray) -> bool:
        try:
            kind(**{**values, **changed}).check_period(period)
        except ProgramError:
            return False
        return True

    if not fits():
        for field, rule in rules(kind):
            one = rule.one if isinstance(rule, IntegerOrEach) else rule
            if not isinstance(one, Integer) or not fits(**{field.name: one.low}):
                continue
            value = values[field.name]
            low, high = one.low, int(np.max(value, initial=one.low))
            while low + 1 < high:
                middle = (low + high) // 2
                low, high = (middle, high) if fits(**{field.name: middle}) else (low, middle)
            each = isinstance(value, np.ndarray)
            values[field.name] = np.minimum(value, np.array(low, value.dtype)) if each else low
            break
    neuron = kind(**values)
    neuron.check_period(period)
    return neuron


def _value(
    rng: np.random.Generator, field: Field[Any], rule: Rule, size: int, extreme: bool
) -> Any:
    default = field.default
    # what came later is left as it was before in most programs
    keep = 0.8 if rule.optional else 0.45
    if default is not MISSING and chance(rng, keep):
        return default
    if isinstance(rule, Integer):
        return _integer(rng, rule, extreme)
    if isinstance(rule, Flag):
        return chance(rng, 0.5)
    if isinstance(rule, Choice):
        return one_of(rng, *rule.words)
    if isinstance(rule, Rising):
        return _rising(rng, rule, extreme)
    if isinstance(rule, IntegerOrEach):
        if chance(rng, 0.5):
            return _integer(rng, rule.one, extreme)
        return _array(rng, rule.each, size, extreme)
    assert isinstance(rule, PerNeuron)
    return _array(rng, rule, size, extreme)


def _integer(rng: np.random.Generator, rule: Integer, extreme: bool) -> int:
    """Usual, at an end, or anywhere; small magnitudes as often as large ones."""
    if chance(rng, 0.35 if extreme else 0.1):
        return int(one_of(rng, rule.low, rule.high))
    low, high = (rule.low, rule.high) if chance(rng, 0.2) else rule.usual or (rule.low, rule.high)
    start = min(max(0, low), high)
    if start > low and chance(rng, 0.5):
        return start - _spread(rng, start - low)
    return start + _spread(rng, high - start)


def _rising(rng: np.random.Generator, rule: Rising, extreme: bool) -> tuple[int, ...]:
    """As integers are drawn, as many as are different."""
    one = Integer(rule.low, rule.high, usual=rule.usual)
    drawn = {_integer(rng, one, extreme) for _ in range(int(rng.integers(1, rule.most + 1)))}
    return tuple(sorted(drawn))


def _spread(rng: np.random.Generator, span: int) -> int:
    """0 ... span, evenly on a logarithmic scale."""
    return min(span, int(math.exp(rng.uniform(0, math.log(span + 2)))) - 1)


def _array(rng: np.random.Generator, rule: PerNeuron, size: int, extreme: bool) -> np.ndarray:
    if extreme and chance(rng, 0.3):
        return rng.choice(np.array([rule.low, rule.high], rule.dtype), size)
    low, high = (rule.low, rule.high) if extreme else rule.usual or (rule.low, rule.high)
    return rng.integers(low, high + 1, size).astype(rule.dtype)
