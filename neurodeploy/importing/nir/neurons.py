"""NIR's neurons, in continuous time, as steps of dt (Euler): gain of the input, and a `Spiking`.

``tau dv/dt = (v_leak - v) + R I`` becomes ``v <- v + dt/tau (v_leak - v + R I)``, so the leak of a
step is dt/tau and the input's gain R dt/tau. `IF` has no tau: an input of 1 adds R at each step,
as most writers mean it (Pedersen et al. 2024, table 1); r = 1/dt is one of SpikingJelly's, where
it adds 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.nir.hdf5 import RawNode
from neurodeploy.network import Shape, Spiking

__all__ = ["NEURONS", "NEUTRAL", "Neuron", "Timing", "delay_steps", "neuron_of"]

Reset = Literal["subtract", "subtract_late", "zero"]
Leak = Literal["euler", "exponential"]
#: A neuron whose threshold is asked of each neuron alone has this one, its input divided.
NEUTRAL = 1.0
#: Share of a number that counts as rounding of float32.
_WHOLE = 1e-4


@dataclass(frozen=True)
class Timing:
    """What NIR leaves open: seconds a step, what a spike does; None where nobody said.

    Attributes
    ----------
    reset
        ``subtract_late``: at the step after the spike, once the membrane has decayed.
    leak
        Share that is lost in a step: dt/tau (``euler``), or 1 - exp(-dt/tau).
    inclusive
        Whether a neuron spikes at its threshold, too.
    """

    dt: float | None
    reset: Reset | None
    leak: Leak = "euler"
    inclusive: bool = False


@dataclass(frozen=True, eq=False)
class Neuron:
    """A `Spiking` node and the factor on what it reads: a number, or one a neuron.

    `back` is what each of its spikes adds to its own current at the next step.
    """

    gain: float | np.ndarray
    node: Spiking
    said: str
    back: float | np.ndarray = 0.0


def neuron_of(raw: RawNode, shape: Shape, timing: Timing) -> Neuron:
    """The neuron of a node.

    Raises
    ------
    ModelError, UnsupportedError
        Numbers that are missing or do not fit; a reset value other than 0; `dt` or `reset` needed.
    """
    return NEURONS[raw.kind](_Fields(raw, shape), timing)


def delay_steps(raw: RawNode, timing: Timing) -> int:
    """Steps of a Delay.

    Raises
    ------
    ModelError, UnsupportedError
        Less than a step, no whole number of steps, not one number for all; `dt` needed.
    """
    if timing.dt is None:
        raise ModelError(
            "delays by seconds, and NIR does not say how long a step is",
            remedy="give --dt, in seconds: that of the framework that wrote the file",
        )
    value = raw.fields.get("delay")
    if not isinstance(value, np.ndarray) or not value.size:
        raise ModelError("has no numbers 'delay'")
    if np.any(value != value.flat[0]):
        raise UnsupportedError(
            "its delays differ", remedy="use one delay a node, or split the layer"
        )
    steps = float(value.flat[0]) / timing.dt
    if not 0.5 <= steps < 2**16 or abs(steps - round(steps)) > _WHOLE * steps:
        raise UnsupportedError(
            f"its delay of {float(value.flat[0]):g} s is {steps:.4g} steps of {timing.dt:g} s, not "
            "a whole number above 0",
            remedy="use delays of whole steps",
        )
    return round(steps)


class _Fields:
    """The numbers of a node, each of the layer's shape or one for all."""

    def __init__(self, raw: RawNode, shape: Shape) -> None:
        self.raw, self.shape = raw, shape

    def __call__(self, key: str, default: float | None = None) -> np.ndarray:
        fields: Mapping[str, Any] = self.raw.fields
        if key not in fields and default is not None:
            return np.asarray(default)
        value = fields.get(key)
        if not isinstance(value, np.ndarray):
            raise ModelError(f"has no numbers {key!r}")
        value = value.astype(np.float64)
        if value.size and np.all(value == value.flat[0]):
            return np.asarray(value.flat[0])
        if value.size == prod(self.shape) and value.size:
            return value.reshape(self.shape)
        if value.ndim == len(self.shape):
            try:
                return np.broadcast_to(value, self.shape)
            except ValueError:
                pass
        raise ModelError(f"{key} {value.shape} does not fit neurons {self.shape}")

    def dt_over(self, key: str, timing: Timing) -> np.ndarray:
        """The share that is lost in a step."""
        if timing.dt is None:
            raise ModelError(
                f"has a time constant ({key}), and NIR does not say how long a step is",
                remedy="give --dt, in seconds: that of the framework that wrote the file",
            )
        tau = self(key)
        if not np.all(tau > 0):
            raise ModelError(f"{key} is not above 0")
        leak = timing.dt / tau
        if timing.leak == "exponential":
            return -np.expm1(-leak)
        if np.any(leak > 1 + 1e-6):
            raise UnsupportedError(
                f"{key} of {float(tau.min()):g} s is shorter than a step of {timing.dt:g} s",
                remedy="use a smaller --dt",
            )
        return np.minimum(leak, 1.0)

    def check_reset(self) -> None:
        if np.any(self("v_reset", 0.0) != 0):
            raise UnsupportedError(
                "its reset value (v_reset) is not 0", remedy="shift the membrane so that it is"
            )


def _plain(value: np.ndarray) -> float | np.ndarray:
    return float(value) if value.ndim == 0 else value


def _made(
    fields: _Fields,
    timing: Timing,
    gain: np.ndarray,
    *,
    spikes: bool = True,
    current_leak: np.ndarray | float = 1.0,
    membrane_leak: np.ndarray | float = 0.0,
    bias: np.ndarray | float = 0.0,
) -> Neuron:
    """The node; thresholds that differ become one, their rows divided."""
    threshold, bias = np.asarray(NEUTRAL), np.asarray(bias)
    reset: Literal["subtract", "zero", "none"] = "none"
    if spikes:
        fields.check_reset()
        if timing.reset is None:
            raise ModelError(
                "spikes, and NIR does not say whether a spike subtracts the threshold or sets 0",
                remedy="give --reset subtract or --reset zero: that of the framework that wrote it",
            )
        reset = "zero" if timing.reset == "zero" else "subtract"
        threshold = fields("v_threshold")
        if not np.all(threshold > 0):
            raise UnsupportedError("its threshold is not above 0")
        if threshold.ndim:
            gain, bias, threshold = gain / threshold, bias / threshold, np.asarray(NEUTRAL)
    elif "v_threshold" in fields.raw.fields:
        raise ModelError("has a threshold, and is of a kind without one")
    node = Spiking(
        fields.raw.name,
        current_leak=_plain(np.asarray(current_leak)),
        membrane_leak=_plain(np.asarray(membrane_leak)),
        threshold=float(threshold),
        reset=reset,
        bias=_plain(np.asarray(bias)),
        inclusive=timing.inclusive,
    )
    leak = np.asarray(membrane_leak)
    lost = f"{leak.min():.4g}" + (f"..{leak.max():.4g}" if leak.min() < leak.max() else "")
    said = f"loses {lost} of its membrane a step" if leak.any() else "integrates without a leak"
    back = np.zeros(())
    if spikes and timing.reset == "subtract_late":
        # (1 - leak) v - threshold is (1 - leak) (v - threshold) less leak * threshold
        back = -leak * threshold
        if back.any() and np.any(np.asarray(current_leak) < 1):
            raise UnsupportedError(
                "its reset comes a step late, past a current with memory",
                remedy="train it with a reset to zero",
            )
    told = timing.reset if spikes else "none"
    return Neuron(_plain(np.asarray(gain)), node, f"{said}; reset: {told}", _plain(back))


def _if(fields: _Fields, timing: Timing) -> Neuron:
    return _made(fields, timing, _added(fields, timing))


def _integrator(fields: _Fields, timing: Timing) -> Neuron:
    return _made(fields, timing, _added(fields, timing), spikes=False)


def _added(fields: _Fields, timing: Timing) -> np.ndarray:
    """What an input of 1 adds at a step: r, or r dt by those who write r = 1/dt."""
    r = fields("r")
    if timing.dt is not None and np.all(np.abs(r * timing.dt - 1) < _WHOLE):
        return np.ones_like(r)
    return r


def _leaky(spikes: bool) -> Callable[[_Fields, Timing], Neuron]:
    def make(fields: _Fields, timing: Timing) -> Neuron:
        leak = fields.dt_over("tau", timing)
        return _made(
            fields,
            timing,
            fields("r") * leak,
            spikes=spikes,
            membrane_leak=leak,
            bias=fields("v_leak") * leak,
        )

    return make


def _cuba(spikes: bool) -> Callable[[_Fields, Timing], Neuron]:
    """``tau_syn dI/dt = -I + w_in S``, then the membrane reads the new current."""

    def make(fields: _Fields, timing: Timing) -> Neuron:
        current = fields.dt_over("tau_syn", timing)
        leak = fields.dt_over("tau_mem", timing)
        return _made(
            fields,
            timing,
            fields("w_in", 1.0) * current * fields("r") * leak,
            spikes=spikes,
            current_leak=current,
            membrane_leak=leak,
            bias=fields("v_leak") * leak,
        )

    return make


def _threshold(fields: _Fields, timing: Timing) -> Neuron:
    """A step function: a neuron that forgets everything from step to step."""
    threshold = fields("threshold")
    renamed = RawNode(fields.raw.name, fields.raw.kind, {"v_threshold": threshold})
    forgets = Timing(timing.dt, "zero", inclusive=timing.inclusive)
    return _made(_Fields(renamed, fields.shape), forgets, np.asarray(1.0), membrane_leak=1.0)


NEURONS: dict[str, Callable[[_Fields, Timing], Neuron]] = {
    "CubaLI": _cuba(False),
    "CubaLIF": _cuba(True),
    "I": _integrator,
    "IF": _if,
    "LI": _leaky(False),
    "LIF": _leaky(True),
    "Threshold": _threshold,
}
