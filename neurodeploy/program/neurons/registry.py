"""The neuron kinds by name: ours, those of installed packages, those registered by hand."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TypeVar

from neurodeploy.errors import ProgramError, shown
from neurodeploy.program.neurons.base import Neuron

__all__ = ["GROUP", "kind_named", "kinds", "register"]

#: Entry points of packages that bring a kind: ``name = "package.module:Class"``.
GROUP = "neurodeploy.neurons"
_KINDS: dict[str, type[Neuron]] = {}

K = TypeVar("K", bound=type[Neuron])


def register(kind: K) -> K:
    """Make a kind known by its name; serves as a decorator.

    Registering a class anew under its name (a notebook's cell run twice) replaces it.

    Raises
    ------
    ProgramError
        The class is no kind, or another one's name is taken.
    """
    if not (isinstance(kind, type) and issubclass(kind, Neuron)):
        raise ProgramError(f"{kind!r} is no neuron kind: derive it from neurodeploy.program.Neuron")
    kind.check_kind()
    known = _KINDS.get(kind.kind)
    if known is not None and known.__qualname__ != kind.__qualname__:
        raise ProgramError(f"the neuron kind {kind.kind!r} is there already: {known.__qualname__}")
    _KINDS[kind.kind] = kind
    return kind


def kinds() -> dict[str, type[Neuron]]:
    """All kinds by name, those of installed packages included."""
    for point in entry_points(group=GROUP):
        if point.name not in _KINDS:
            register(point.load())
    return dict(sorted(_KINDS.items()))


def kind_named(name: str) -> type[Neuron]:
    """The kind of that name.

    Raises
    ------
    ProgramError
        There is none.
    """
    found = None
    if isinstance(name, str):  # a manifest may hold anything
        found = _KINDS.get(name) or kinds().get(name)
    if found is None:
        raise ProgramError(
            f"neuron kind {shown(name)} is unknown; there are: {', '.join(sorted(_KINDS))}",
            remedy="install the package that defines it, or update neurodeploy",
        )
    return found
