"""Threshold units without a leak are a finite automaton: a proof for sequences of any length.

The state is the spikes of the step before, nothing else. Run beside an automaton that says what is
right, it has finitely many joint states, and one shortest sequence to each of their transitions
covers everything that a sequence of any length can do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import UsageError
from neurodeploy.training.reconstruction.branches import Branches

__all__ = ["Cover", "transition_cover"]

#: State of the automaton that is right and a symbol, to its next state and the right label.
Advance = Callable[[Hashable, int], tuple[Hashable, int]]


@dataclass(frozen=True)
class Cover:
    """Sequences that take every transition once, at their last step.

    Attributes
    ----------
    sequences
        Symbols, one tuple a transition.
    labels
        What is right at the last step of each.
    states
        Number of joint states that can be reached.
    """

    sequences: tuple[tuple[int, ...], ...]
    labels: tuple[int, ...]
    states: int


def transition_cover(
    branches: Branches,
    alphabet: np.ndarray,
    start: Hashable,
    advance: Advance,
    *,
    most: int = 100_000,
) -> Cover:
    """Every transition that threshold units and what is right can take together.

    Parameters
    ----------
    branches
        One layer with beta 0.
    alphabet
        Inputs of a step that there are, (symbols, inputs).
    start, advance
        The automaton that is right.
    most
        Joint states that are looked at.

    Raises
    ------
    UsageError
        Units with a memory of their own, or more states than can be looked at.
    """
    (layer, *deeper) = branches.layers
    if deeper or layer.beta.any():
        raise UsageError(
            "only one layer of units without memory is a finite automaton", place="branches"
        )
    drive = np.stack([x @ layer.weight for x in np.asarray(alphabet, np.float32)])
    silent = np.zeros(layer.theta.shape, bool)
    left: deque[tuple[np.ndarray, Hashable, tuple[int, ...]]] = deque([(silent, start, ())])
    seen: set[tuple[bytes, Hashable]] = {(silent.tobytes(), start)}
    sequences: list[tuple[int, ...]] = []
    labels: list[int] = []
    while left:
        spikes, right, taken = left.popleft()
        back = np.zeros_like(layer.theta)
        if layer.recurrent is not None:
            back = np.einsum("bi,bij->bj", spikes.astype(np.float32), layer.recurrent)
        for symbol in range(len(drive)):
            now = drive[symbol] + back > layer.theta
            then, label = advance(right, symbol)
            sequences.append((*taken, symbol))
            labels.append(label)
            if (now.tobytes(), then) not in seen:
                seen.add((now.tobytes(), then))
                left.append((now, then, sequences[-1]))
        if len(seen) > most:
            raise UsageError(f"more than {most} states can be reached", place="branches")
    return Cover(tuple(sequences), tuple(labels), len(seen))
