"""Neurons whose bias is a mantissa and an exponent, as Loihi's registers hold it."""

from __future__ import annotations

import numpy as np

from neurodeploy.program.neurons.base import Neuron, Register

__all__ = ["MantissaBias"]


class MantissaBias(Neuron):
    """What kinds have in common whose bias is two registers of the chip.

    The fields are the kind's own: their order is that of its parameters in a file.

    Attributes
    ----------
    bias_mantissa
        int16 array, one entry a neuron (flat).
    bias_exponent
        The bias added at each step is ``mantissa << exponent``.
    """

    bias_mantissa: np.ndarray
    bias_exponent: int

    @property
    def bias(self) -> np.ndarray:
        """The bias in membrane units, int32 (n,)."""
        return self.bias_mantissa.astype(np.int32) << self.bias_exponent

    @property
    def membrane_bias(self) -> np.ndarray:
        """`bias`, added at every step."""
        return self.bias

    @property
    def always_active(self) -> int:
        """Neurons with a bias."""
        return int(np.count_nonzero(self.bias_mantissa))

    def registers(self) -> tuple[Register, ...]:
        """Bias mantissa and exponent; a kind adds its threshold."""
        mantissa = self.bias_mantissa.astype(np.int64)
        return (
            Register("bias_mantissa", int(mantissa.min(initial=0)), int(mantissa.max(initial=0))),
            Register("bias_exponent", 0, self.bias_exponent),
        )
