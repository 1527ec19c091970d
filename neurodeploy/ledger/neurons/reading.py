"""How the ledger reads a neuron kind: what a window adds up to, and what is sent for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons import Neuron

__all__ = ["Reading", "reading_of"]


@dataclass(frozen=True, eq=False)
class Reading:
    """A population over one window of `steps` steps, in membrane integers.

    Attributes
    ----------
    bias
        float64 (neurons,): what the bias adds in a window.
    factor
        Of an input that arrives once.
    repeats
        Whether the membrane's unit is that of one step, of which a window has many.
    initial
        Membrane at the window's begin, for all or for each neuron.
    height
        Membrane integers of one message more, one for all or one a neuron; None for what has none.
    start
        Membrane integers that count towards the first message: the initial membrane, or what
        makes a division round.
    lent
        Membrane integers that the compiler put into the bias to the same end.
    strict
        Whether it fires above its threshold only, not at it.
    maximum
        Whether it repeats the largest of its inputs instead of adding them.
    loses_overshoot
        Whether a spike drops what the membrane had above the threshold (reset to zero).
    keeps_back
        Integers below which nothing is sent; 0 where that is no matter.
    fitted
        Whether a spike may stand for somewhat more or less than its threshold: fitted to samples.
    """

    bias: np.ndarray
    factor: int = 1
    repeats: bool = False
    initial: int | np.ndarray = 0
    height: int | np.ndarray | None = None
    start: int | np.ndarray = 0
    lent: float | np.ndarray = 0.0
    strict: bool = False
    maximum: bool = False
    loses_overshoot: bool = False
    keeps_back: int = 0
    fitted: bool = False


@singledispatch
def reading_of(neuron: Neuron, steps: int) -> Reading:
    """The reading of a kind; kinds register theirs for their type.

    Raises
    ------
    ProgramError
        The kind has none.
    """
    raise ProgramError(
        f"explain cannot read neurons of the kind {neuron.kind!r}",
        remedy="register a reading for it (neurodeploy.ledger.neurons.reading_of)",
    )
