"""Rounded quotients of many sums at once: multiplications by inverses that are proved exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.closed_form import Quotient
from neurodeploy.simulator import kernels
from neurodeploy.simulator.map_layers import channels_last

__all__ = ["Division", "divided"]


@dataclass(frozen=True, eq=False)
class Division:
    """``clip(floor((total + bias) / slope), 0, top)``, channels last.

    Attributes
    ----------
    bias
        int32, the rounding half included; of a line of the map where lines are alike.
    inverse
        1 / slope, a little above; float32 where that is exact.
    """

    bias: np.ndarray
    inverse: np.ndarray
    top: int

    def send(self, total: np.ndarray, out: np.ndarray) -> None:
        """Integers of int32 sums, both flat, into uint8."""
        kernels.quotients(total, self.bias, self.inverse, self.top, out)


def divided(form: Quotient, shape: tuple[int, ...]) -> Division:
    """The division of a population.

    Raises
    ------
    ProgramError
        No float multiplication is exact.
    """
    size = form.bias.size
    slopes: np.ndarray = np.broadcast_to(np.asarray(form.slope, np.int64), size)
    bias = form.bias.astype(np.int64) + (slopes >> 1)
    different = np.unique(slopes)
    for dtype in (np.float32, np.float64):
        inverse = np.nextafter((1 / different).astype(dtype), dtype(np.inf))
        if _is_exact(different, inverse, form.top):
            break
    else:
        raise ProgramError("its division is exact in no float")
    found = inverse[np.searchsorted(different, slopes)]
    parts = [channels_last(one, shape) for one in (bias.astype(np.int32), found)]
    if len(shape) == 3:
        lines = [one.reshape(shape[1], -1) for one in parts]
        if all((line == line[:1]).all() for line in lines):
            parts = [np.ascontiguousarray(line[0]) for line in lines]
    return Division(parts[0], parts[1], form.top)


def _is_exact(slopes: np.ndarray, inverse: np.ndarray, top: int) -> bool:
    """Whether products reach each whole number where the quotient does, and not before.

    A product of floats never falls where its factor grows, so nothing else has to be looked at.
    """
    dtype = inverse.dtype.type
    whole = np.arange(1, top + 1)
    at = slopes[:, None] * whole
    if at.max(initial=0) >= 1 << (24 if dtype is np.float32 else 53):
        return False
    reached = np.floor(at.astype(dtype) * inverse[:, None])
    before = np.floor((at - 1).astype(dtype) * inverse[:, None])
    return bool((reached == whole).all() and (before == whole - 1).all())
