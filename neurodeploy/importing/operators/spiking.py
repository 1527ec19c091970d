"""Spiking neurons: operators of the domain `ai.neurodeploy`, in a graph that is one time step.

No runtime has them; `neurodeploy.training` writes them from torch. What they remember from step to
step is theirs; the rest of the graph is ONNX as ever.
"""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.building.builder import Builder, Signal
from neurodeploy.importing.building.operation import Operation
from neurodeploy.importing.reading.spiking_models import DOMAIN
from neurodeploy.importing.registry import register
from neurodeploy.network import Spiking
from neurodeploy.program.neurons.levels import MOST_LEVELS

__all__ = ["integrate_and_fire", "multi_level"]


@register(f"{DOMAIN}::LeakyIntegrateAndFire")
def integrate_and_fire(operation: Operation, net: Builder) -> Signal:
    """``LeakyIntegrateAndFire``: ``v <- (1 - leak) v + x``, a spike above `threshold` resets v.

    Attributes: ``leak`` 0 ... below 1 (default 0), ``threshold`` above 0 (1), ``reset`` ``zero`` or
    ``subtract`` (``zero``).
    """
    operation.only_first_output()
    reset = operation.text("reset", "zero")
    if reset not in ("zero", "subtract"):
        raise UnsupportedError(f"reset {reset!r} is neither zero nor subtract")
    node = Spiking(
        net.unique(operation.name),
        membrane_leak=_leak(operation),
        threshold=_meant(operation.number("threshold", 1.0)),
        reset="zero" if reset == "zero" else "subtract",
    )
    return net.add(node, operation.signal())


@register(f"{DOMAIN}::MultiLevelFiring")
def multi_level(operation: Operation, net: Builder) -> Signal:
    """``MultiLevelFiring``: such a neuron with reset to zero for each threshold, spikes added.

    Attributes: ``leak`` (default 0), ``thresholds``, 1 to 8 that rise (Feng et al. 2022).
    """
    operation.only_first_output()
    thresholds = operation.numbers("thresholds")
    if not thresholds:
        raise ModelError("attribute 'thresholds' is missing")
    if len(thresholds) > MOST_LEVELS:
        raise UnsupportedError(
            f"has {len(thresholds)} levels; a neuron has up to {MOST_LEVELS}",
            remedy="train with fewer levels",
        )
    first, *higher = map(_meant, thresholds)
    node = Spiking(
        net.unique(operation.name),
        membrane_leak=_leak(operation),
        threshold=first,
        reset="zero",
        higher=tuple(higher),
    )
    return net.add(node, operation.signal())


def _leak(operation: Operation) -> float:
    leak = _meant(operation.number("leak", 0.0))
    if not 0 <= leak < 1:
        raise ModelError(f"attribute 'leak' is {leak:g}, outside 0 ... below 1")
    return leak


def _meant(value: float) -> float:
    """The shortest decimal number with that float32: 0.6 was written, 0.60000002 is in the file."""
    return float(np.format_float_positional(np.float32(value)))
