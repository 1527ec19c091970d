"""The neuron kinds of a program and the integer ranges of their parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from neurodeploy.errors import ProgramError, shown

__all__ = [
    "BIAS_MANTISSA_MAX",
    "BIAS_MANTISSA_MIN",
    "CURRENT_LIMIT",
    "MEMBRANE_LIMIT",
    "NO_CURRENT_MEMORY",
    "STOCK_SHIFT",
    "THRESHOLD_MAX",
    "Earliest",
    "Lif",
    "Neuron",
    "Reset",
    "Ttfs",
]

#: `du` for a neuron whose synaptic current lasts one step only.
NO_CURRENT_MEMORY = 4095
#: The shift of synaptic input and threshold that the stock neuron fixes.
STOCK_SHIFT = 6
#: Largest magnitude of the membrane: 24 bit signed, symmetric.
MEMBRANE_LIMIT = 2**23 - 1
#: The current wraps above this value, and at or below its negative.
CURRENT_LIMIT = 2**23
THRESHOLD_MAX = 2**17 - 1
BIAS_MANTISSA_MIN, BIAS_MANTISSA_MAX = -(2**12), 2**12 - 1

Reset = Literal["zero", "subtract", "none"]


def _frozen(name: str, array: np.ndarray, dtype: type) -> np.ndarray:
    """A flat read-only copy of that dtype."""
    array = np.ascontiguousarray(array)
    if array.dtype != dtype or array.ndim != 1:
        raise ProgramError(
            f"{name} are {np.dtype(dtype)} and flat, not {array.dtype} {array.shape}"
        )
    array = array.copy()
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Lif:
    """Leaky integrate-and-fire with integer state; `docs/semantics.md`, section 3.

    Attributes
    ----------
    bias_mantissa
        int16 array, one entry a neuron (flat), -4096..4095.
    bias_exponent
        0..7; the bias added to the membrane each step is ``mantissa << exponent``.
    threshold
        0..131071. The neuron fires when the membrane exceeds ``threshold << shift``.
    du, dv
        Decay of current and membrane, 0..4095. ``du = 4095``: no current memory; ``dv = 0``:
        no leak.
    reset
        What a spike does to the membrane: set it to ``zero``, ``subtract`` the threshold, or
        ``none``: the neuron never fires and only integrates.
    shift
        Left shift of the synaptic input and of the threshold, 0..6. The stock neuron has 6.
    v_initial
        Membrane value at the start of a sample (at reset steps). The stock neuron has 0.
    """

    bias_mantissa: np.ndarray
    threshold: int
    bias_exponent: int = 0
    du: int = NO_CURRENT_MEMORY
    dv: int = 0
    reset: Reset = "zero"
    shift: int = STOCK_SHIFT
    v_initial: int = 0
    kind: str = field(default="lif", init=False)
    #: Windows between the one it integrates in and the one it fires in.
    lag: ClassVar[int] = 0

    def __post_init__(self) -> None:
        bias = _frozen("bias mantissas", self.bias_mantissa, np.int16)
        object.__setattr__(self, "bias_mantissa", bias)
        if bias.size and (bias.min() < BIAS_MANTISSA_MIN or bias.max() > BIAS_MANTISSA_MAX):
            raise ProgramError(
                f"bias mantissa {bias.min()}..{bias.max()} leaves 13 bit signed "
                f"({BIAS_MANTISSA_MIN}..{BIAS_MANTISSA_MAX})"
            )
        ranges = {
            "threshold": (self.threshold, 0, THRESHOLD_MAX),
            "bias_exponent": (self.bias_exponent, 0, 7),
            "du": (self.du, 0, 4095),
            "dv": (self.dv, 0, 4095),
            "shift": (self.shift, 0, STOCK_SHIFT),
            "v_initial": (self.v_initial, -MEMBRANE_LIMIT, MEMBRANE_LIMIT),
        }
        for name, (value, low, high) in ranges.items():
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ProgramError(f"{name} is {shown(value)}, outside {low}..{high}")
        if self.reset not in ("zero", "subtract", "none"):
            raise ProgramError(f"reset is {shown(self.reset)}, not zero, subtract or none")

    @property
    def is_stock(self) -> bool:
        """Whether Lava's `LIFReset` (and Loihi 1) computes exactly this neuron."""
        return self.reset == "zero" and self.shift == STOCK_SHIFT and self.v_initial == 0

    @property
    def bias(self) -> np.ndarray:
        """The bias in membrane units, int32 (n,)."""
        return self.bias_mantissa.astype(np.int32) << self.bias_exponent

    @property
    def size(self) -> int | None:
        """Number of neurons that the parameters are for; None for any."""
        return int(self.bias_mantissa.size)


@dataclass(frozen=True, eq=False)
class Ttfs:
    """Time to first spike: integrates in one window, fires once in the next; section 4.

    A spike at step tau (from 0) of a window of W steps stands for the integer W - tau. The neuron
    sums weight times integer exactly and fires the rounded quotient by `slope`.

    Attributes
    ----------
    bias
        int32 array, one entry a neuron (flat), within 24 bit.
    slope
        Integer value of the membrane that one output level stands for (1..2**23 - 1).
    fires
        False for a readout, which only integrates.
    """

    bias: np.ndarray
    slope: int
    fires: bool = True
    kind: str = field(default="ttfs", init=False)
    lag: ClassVar[int] = 1

    def __post_init__(self) -> None:
        bias = _frozen("biases", self.bias, np.int32)
        object.__setattr__(self, "bias", bias)
        if bias.size and np.abs(bias.astype(np.int64)).max() > MEMBRANE_LIMIT:
            raise ProgramError("a bias leaves 24 bit")
        if type(self.slope) is not int or not 1 <= self.slope <= MEMBRANE_LIMIT:
            raise ProgramError(f"slope is {shown(self.slope)}, outside 1..{MEMBRANE_LIMIT}")
        if type(self.fires) is not bool:
            raise ProgramError(f"fires is {shown(self.fires)}, not true or false")

    @property
    def is_stock(self) -> bool:
        """Never: it is microcode on Loihi 2."""
        return False

    @property
    def size(self) -> int | None:
        """Number of neurons that the parameters are for."""
        return int(self.bias.size)


@dataclass(frozen=True, eq=False)
class Earliest:
    """Passes on the first spike of each window that reaches it: the maximum; section 5."""

    kind: str = field(default="earliest", init=False)
    lag: ClassVar[int] = 0

    @property
    def is_stock(self) -> bool:
        """Never: it is microcode on Loihi 2."""
        return False

    @property
    def size(self) -> int | None:
        """Any number of neurons."""
        return None


Neuron: TypeAlias = Lif | Ttfs | Earliest
