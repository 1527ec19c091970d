"""How a population says a real number: its largest value, its grid, its rounding.

Rate: n spikes in T steps stand for ``n * lambda / T``. Window codes: the integer n of a window
stands for ``n * lambda / top``, where `top` is the largest that a window says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.ledger.neurons import reading_of
from neurodeploy.program import Population, Program

__all__ = ["Code", "code_of", "top_of"]


@dataclass(frozen=True)
class Code:
    """From the sum of a window, in membrane integers, to what the population sends.

    With V the sum of everything that arrives in a window (initial membrane left out), a neuron
    sends ``n = clip(round(V / height), 0, top)``. The rounding is written ``floor(z + shift)`` or
    ``ceil(z + shift) - 1``; they differ on ties only.

    Attributes
    ----------
    level
        lambda: real value of the largest n, for all or for each neuron.
    top
        T, or the largest integer of a window code.
    height
        Membrane integers of one n: threshold, or slope, which may be one a neuron.
    start
        Membrane integers there at the window's begin; for a time code, those that make the
        division round.
    lent
        Membrane integers that the compiler put into the bias to the same end (reset to zero).
    strict
        Whether a neuron fires above its threshold only, not at it (rate).
    natural
        Real value of one membrane integer by the population's own unit, or units.
    """

    level: float | np.ndarray
    top: int
    height: int | np.ndarray
    start: int | np.ndarray
    lent: float | np.ndarray
    strict: bool
    natural: float | np.ndarray

    @property
    def unit(self) -> float | np.ndarray:
        """Real value of n = 1 to those who read it; NumPy's, whose division never raises."""
        return np.asarray(self.level, np.float64) / self.top

    @property
    def gain(self) -> float | np.ndarray:
        """What the program makes of 1: not 1 where threshold and spike value contradict."""
        return self.unit / np.float64(self.height * self.natural)

    def clip(self, a: np.ndarray) -> np.ndarray:
        """Values above the level are said as the level."""
        return np.minimum(a, np.float32(self.level))

    def grid(self, a: np.ndarray) -> np.ndarray:
        """Values on the grid, however large."""
        shift = np.float32((self.start + self.lent) / self.height)
        return self._round(a * np.float32(1 / self.unit) + shift) * np.float32(self.unit)

    def _round(self, z: np.ndarray) -> np.ndarray:
        rounded = np.ceil(z) - 1 if self.strict else np.floor(z)
        return np.maximum(rounded, 0)

    def settle(self, total: np.ndarray) -> np.ndarray:
        """n of a sum V (float64): exact where V is whole; float32."""
        n = self._round((total + self.start) / self.height)
        return np.minimum(n, self.top).astype(np.float32)

    def weighed(self, total: np.ndarray) -> np.ndarray:
        """The sum V as a real number, by the population's own unit."""
        return ((total - self.lent) * self.natural).astype(np.float32)


def top_of(population: Population, steps: int) -> int:
    """The largest integer that a population says in a window, or spikes that it sends."""
    code = population.neuron.window_code(steps)
    return steps if code is None else code.largest(steps)


def code_of(program: Program, population: Population) -> Code:
    """The code of a population that fires, as its kind reads it (`ledger.neurons`)."""
    p, steps = population, program.period
    reading = reading_of(p.neuron, steps)
    if reading.height is None or reading.maximum:
        raise ProgramError("has no code of its own", place=p.name)
    natural = p.membrane_units / steps if reading.repeats else p.membrane_units
    return Code(
        p.spike_values,
        top_of(p, steps),
        reading.height,
        reading.start,
        reading.lent,
        reading.strict,
        natural,
    )
