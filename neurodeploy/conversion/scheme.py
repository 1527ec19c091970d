"""What a conversion scheme is: options as fields, and the way from stages to a program."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any, ClassVar, TypeVar

from neurodeploy.calibration import Calibration
from neurodeploy.conversion.options import check_options, flag_of, options_of
from neurodeploy.errors import UsageError, shown
from neurodeploy.network.stages import Stage
from neurodeploy.program import Preprocessing, Program
from neurodeploy.targets import Target

__all__ = [
    "AUTO",
    "GROUP",
    "Scheme",
    "make_scheme",
    "register_scheme",
    "scheme_named",
    "scheme_of",
    "schemes",
]

#: The word that stands for a choice among the schemes: no scheme has it as a name.
AUTO = "auto"
#: Entry points of packages that bring a scheme: ``name = "package.module:Class"``.
GROUP = "neurodeploy.schemes"


@dataclass(frozen=True)
class Scheme:
    """A frozen dataclass of options that turns stages and statistics into a Program.

    A field declared by `conversion.options.option` is an option of the command line, of
    `nd.compile`, of ``check``, and is kept in the program's provenance.

    Class attributes
    ----------------
    name, title
        As ``--scheme`` takes it; one line.
    max_pooling
        Whether max pooling can be a stage of its own.
    largest_pool
        Of how many cells at most; None: of any number. Larger poolings are made of several.
    pools_input
        Whether it can read the input.
    exact
        Whether a program equals the network with activations of so many levels, integer for
        integer: no error of timing.
    is_remedy
        Whether `explain` tries it where another one's error of timing is too large.
    spiking
        Whether it takes networks with spiking activations (and no others).
    of_streams
        Whether its samples are frames of a stream, which only the user can know.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    max_pooling: ClassVar[bool] = False
    largest_pool: ClassVar[int | None] = None
    pools_input: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    is_remedy: ClassVar[bool] = False
    spiking: ClassVar[bool] = False
    of_streams: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_options(self)

    def resolved(self, target: Target) -> Scheme:
        """The same with every option that was left to the target decided.

        Parameters
        ----------
        target
            The hardware, as `targets.load_target` reads it.

        Returns
        -------
        Scheme
            Of the same class.

        Raises
        ------
        UsageError
            Options that the target cannot have.
        """
        return self

    def lacks(self, target: Target) -> str:
        """What the target lacks to run it.

        A scheme that lacks something is none of those that ``--scheme auto`` chooses from.

        Parameters
        ----------
        target
            The hardware.

        Returns
        -------
        str
            In words; empty where nothing is lacking.
        """
        return ""

    @property
    def clips(self) -> bool:
        """Whether its neurons can hold a clip (ReLU6); else it is written with ReLUs."""
        return True

    def by_layer(self, program: Program) -> Program:
        """A program of one population a layer that says the same, each sample by itself.

        For `explain`, which holds a population against a layer.

        Parameters
        ----------
        program
            Of this scheme.

        Returns
        -------
        Program
            The same outputs for samples by themselves.
        """
        return program

    def shaped(self, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        """The stages as its neurons take them: some may need others beside them.

        Parameters
        ----------
        stages
            Of the network, sources first.

        Returns
        -------
        tuple of Stage
            Sources first.
        """
        return stages

    def check_stages(self, stages: tuple[Stage, ...]) -> None:
        """Refuse a network that spikes already where activations are coded, and the reverse.

        Parameters
        ----------
        stages
            Of the network, sources first.

        Raises
        ------
        UsageError
            The network is not of the kind that the scheme takes.
        """
        spiking = [stage.name for stage in stages if stage.kind == "spiking"]
        if spiking and not self.spiking:
            raise UsageError(
                f"{self.name} codes activations, and {spiking[0]!r} spikes already",
                place="--scheme",
                remedy="use --scheme direct",
            )
        if self.spiking and not spiking:
            raise UsageError(
                f"{self.name} takes networks that spike already, and this one does not",
                place="--scheme",
                remedy="use --scheme rate, or another that codes activations",
            )

    def convert(
        self,
        stages: tuple[Stage, ...],
        input_shape: tuple[int, ...],
        calibration: Calibration,
        target: Target,
        preprocessing: Preprocessing,
        seed: int,
        provenance: dict[str, Any],
    ) -> Program:
        """The integer program.

        Parameters
        ----------
        stages
            Of the network, sources first.
        input_shape
            Shape of one sample, without the axis of samples.
        calibration
            Statistics of each layer's activations, in the network's own units.
        target
            The hardware whose limits on integers hold.
        preprocessing
            How raw samples become the network's input.
        seed
            Seed of a random input code.
        provenance
            JSON-like: what the program is to keep of where it came from.

        Returns
        -------
        Program

        Raises
        ------
        ConversionError
            Integers that the target's registers do not hold.
        UsageError
            Options that the target cannot have.
        """
        raise NotImplementedError(f"{type(self).__name__} has no convert")

    @property
    def uses_noise(self) -> bool:
        """Whether its input is random, so that the L4-norm correction helps."""
        return False

    def alternatives(self, stated: Collection[str]) -> tuple[Scheme, ...]:
        """Other settings that are worth a try where a trial on calibration samples is poor.

        Parameters
        ----------
        stated
            Names of the options that the user has stated: they stay.

        Returns
        -------
        tuple of Scheme
            Of the same class, the most promising first; empty where there are none.
        """
        return ()

    def levels(self, stated: Collection[str]) -> tuple[Scheme, ...]:
        """The settings that `tune` tries one after the other, from the cheapest to the nearest.

        Every option that says which values are worth it (`Option.tries`), unless it was stated.

        Parameters
        ----------
        stated
            Names of the options that the user has stated: they stay.

        Returns
        -------
        tuple of Scheme
            Of the same class; this one alone where no option says any values.
        """
        axes = [
            (field.name, said.tries)
            for field, said in options_of(self)
            if said.tries and field.name not in stated
        ]
        names = [name for name, _ in axes]
        values = itertools.product(*(tries for _, tries in axes))
        made = []
        for each in values:
            with contextlib.suppress(UsageError):  # what a stated option does not go with
                made.append(replace(self, **dict(zip(names, each, strict=True))))
        return tuple(made)

    def refinements(self, stated: Collection[str]) -> tuple[Scheme, ...]:
        """Other settings at the same cost, which `tune` tries where the goal is near.

        Parameters
        ----------
        stated
            Names of the options that the user has stated: they stay.

        Returns
        -------
        tuple of Scheme
            Of the same class; empty where there are none.
        """
        return ()

    def told(self, other: Scheme) -> str:
        """The options in which it differs from another of its kind.

        Parameters
        ----------
        other
            A scheme of the same class.

        Returns
        -------
        str
            Such as ``percentile 99``; empty where they are equal.
        """
        theirs = other.options()
        changed = {k: v for k, v in self.options().items() if v != theirs.get(k)}
        return ", ".join(
            f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in changed.items()
        )

    def options(self) -> dict[str, Any]:
        """Values of the options, for the provenance.

        Returns
        -------
        dict
            By name, as `neurodeploy.compile` takes them.
        """
        return {field.name: getattr(self, field.name) for field, _ in options_of(self)}


_SCHEMES: dict[str, type[Scheme]] = {}
S = TypeVar("S", bound=type[Scheme])


def register_scheme(scheme: S) -> S:
    """Make a scheme known by its name; serves as a decorator.

    Raises
    ------
    UsageError
        The class is no scheme, or another one's name is taken.
    """
    if not (isinstance(scheme, type) and issubclass(scheme, Scheme)):
        raise UsageError(f"{scheme!r} is no scheme: derive it from neurodeploy.conversion.Scheme")
    if not scheme.name or not scheme.title or scheme.convert is Scheme.convert:
        raise UsageError(f"{scheme.__name__} needs a `name`, a `title` and a `convert`")
    if scheme.name == AUTO:
        raise UsageError(f"{scheme.__name__}: {AUTO!r} stands for a choice among the schemes")
    known = _SCHEMES.get(scheme.name)
    if known is not None and known.__qualname__ != scheme.__qualname__:
        raise UsageError(f"the scheme {scheme.name!r} is there already: {known.__qualname__}")
    _SCHEMES[scheme.name] = scheme
    return scheme


def schemes() -> dict[str, type[Scheme]]:
    """All schemes by name, those of installed packages included."""
    for point in entry_points(group=GROUP):
        if point.name not in _SCHEMES:
            register_scheme(point.load())
    return dict(sorted(_SCHEMES.items()))


def scheme_named(name: str) -> type[Scheme]:
    """The scheme of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    found = schemes().get(name) if isinstance(name, str) else None
    if found is None:
        raise UsageError(
            f"{shown(name)} is not a scheme; there are: {', '.join(schemes())}", place="--scheme"
        )
    return found


def scheme_of(program: Program) -> Scheme:
    """The scheme that a program was made with, and its options as far as the program says them.

    Raises
    ------
    UsageError
        There is no such scheme.
    """
    kind = scheme_named(program.scheme)
    recorded = program.recorded("options")
    said = {f.name: recorded[f.name] for f, _ in options_of(kind) if f.name in recorded}
    try:
        return kind(**said)
    except UsageError:  # another maker's options
        return kind()


def make_scheme(scheme: str | Scheme, given: Mapping[str, Any], target: Target) -> Scheme:
    """A scheme with the options that were given, resolved for a target.

    1. A name: the options that are not None are the scheme's; all others have its defaults.
    2. A scheme: as it is; options beside it are refused, they would be a second opinion.

    Parameters
    ----------
    given
        Options by name; None where the user said nothing.

    Raises
    ------
    UsageError
        No such scheme; an option that it does not have (named with the schemes that do).
    """
    said = {name: value for name, value in given.items() if value is not None}
    if isinstance(scheme, Scheme):
        if said:
            raise UsageError(
                f"options beside a scheme that is an object: {', '.join(sorted(said))}",
                place="scheme",
                remedy=f"give them to it: {type(scheme).__name__}({next(iter(said))}=...)",
            )
        return scheme.resolved(target)
    kind = scheme_named(scheme)
    own = {field.name for field, _ in options_of(kind)}
    for name, value in said.items():
        if name not in own:
            others = [
                other
                for other, made in schemes().items()
                if name in {field.name for field, _ in options_of(made)}
            ]
            raise UsageError(
                f"{value} is no option of the scheme {kind.name}"
                + (f"; {' and '.join(others)} would take it" if others else ""),
                place=flag_of(name),
                remedy=f"leave it out with --scheme {kind.name}"
                + (f", or use --scheme {others[0]}" if others else ""),
            )
    return replace(kind(), **said).resolved(target) if said else kind().resolved(target)
