"""What a decoding is: from what one population did in a window to the outputs of a sample.

A decoding is one class in one file, without state. It says what of the run it needs, so that
nothing else is recorded.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import numpy as np

from neurodeploy.errors import ProgramError, shown

__all__ = ["Decoding", "decoding_named", "decodings", "register_decoding"]


class Decoding:
    """Base of all decodings.

    Class attributes
    ----------------
    name, description
        As programs call it; one line.
    membranes
        Which it needs: ``last`` (at the window's last step), ``all`` (at every step), or ``none``.
    messages
        Whether it needs the messages of every step.
    every_step
        Whether it yields an output for each step.
    adds_up
        Whether it yields the sum of the messages.
    """

    name: ClassVar[str] = ""
    description: ClassVar[str] = ""
    membranes: ClassVar[str] = "none"
    messages: ClassVar[bool] = False
    every_step: ClassVar[bool] = False
    adds_up: ClassVar[bool] = False

    def output_shape(self, shape: tuple[int, ...], period: int) -> tuple[int, ...]:
        """Shape of a sample's outputs for a population of `shape`."""
        return (period, *shape) if self.every_step else shape

    def integers(self, membranes: np.ndarray, messages: np.ndarray, period: int) -> np.ndarray:
        """What is multiplied by the decoder's unit.

        Parameters
        ----------
        membranes
            int32 (n, steps, neurons), the last step only where that is what it needs.
        messages
            int32 (n, period, neurons); no steps where it does not need them.

        Returns
        -------
        (n, neurons) or (n, period, neurons), int or float.
        """
        raise NotImplementedError


_DECODINGS: dict[str, Decoding] = {}
D = TypeVar("D", bound=type[Decoding])


def register_decoding(decoding: D) -> D:
    """Make a decoding known by its name; serves as a decorator."""
    if not decoding.name or not decoding.description:
        raise ProgramError(f"{decoding.__name__} needs a `name` and a `description`")
    _DECODINGS[decoding.name] = decoding()
    return decoding


def decodings() -> dict[str, Decoding]:
    """All decodings by name."""
    return dict(sorted(_DECODINGS.items()))


def decoding_named(name: str) -> Decoding:
    """The decoding of that name.

    Raises
    ------
    ProgramError
        There is none.
    """
    found = _DECODINGS.get(name) if isinstance(name, str) else None
    if found is None:
        raise ProgramError(
            f"decoding {shown(name)} is unknown; there are: {', '.join(sorted(_DECODINGS))}"
        )
    return found
