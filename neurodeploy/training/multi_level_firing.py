"""Multi-level firing: K leaky integrate-and-fire neurons of one input, their spikes added.

Feng et al. 2022 (arXiv 2210.06386). With leak 1 - tau, thresholds theta_1 < theta_2 < ..., for each
level k

    u_k[t] = tau * u_k[t - 1] * (1 - s_k[t - 1]) + x[t],    s_k[t] = 1 where u_k[t] > theta_k

and the neuron sends ``s_1 + s_2 + ...``. The surrogate gradient of a level is 1 within half a unit
of its threshold: with thresholds a unit apart the levels' windows tile the axis, so that the
gradient does not vanish between theta_1 - 1/2 and theta_K + 1/2. Each level is SpikingJelly's
`LIFNode`, which fires at its threshold, too; the program fires above it, as the paper does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from spikingjelly.activation_based import neuron, surrogate
from torch import Tensor, nn

from neurodeploy.training.operators import operator

__all__ = ["THRESHOLDS", "LeakyIntegrateAndFire", "MultiLevelFiring", "thresholds_of"]

#: The first threshold; the others follow a unit apart.
FIRST_THRESHOLD = 0.6
#: Of the paper's three levels.
THRESHOLDS = (0.6, 1.6, 2.6)
#: Share of the membrane that is lost in a step.
LEAK = 0.75


def thresholds_of(levels: int) -> tuple[float, ...]:
    """The paper's thresholds for K levels: 0.6, 1.6, 2.6, ..."""
    return tuple(FIRST_THRESHOLD + k for k in range(levels))


class MultiLevelFiring(nn.Module):
    """The neuron of the module's text, over time steps.

    Takes and gives (T, N, *); with torch's ONNX exporter one step (N, *), and becomes the operator
    ``ai.neurodeploy::MultiLevelFiring``.

    Parameters
    ----------
    thresholds
        Rising, above 0.
    leak
        Share of the membrane that is lost in a step, 0 ... below 1.
    """

    def __init__(self, thresholds: Sequence[float] = THRESHOLDS, leak: float = LEAK) -> None:
        super().__init__()
        self.thresholds = tuple(float(theta) for theta in thresholds)
        self.leak = float(leak)
        self.levels = nn.ModuleList(_lif(theta, self.leak, 0.0) for theta in self.thresholds)

    def forward(self, x: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return operator(
                "MultiLevelFiring", x, {"leak": self.leak, "thresholds": list(self.thresholds)}
            )
        sent: Tensor = sum(level(x) for level in self.levels)  # type: ignore[assignment]
        return sent

    def extra_repr(self) -> str:
        return f"thresholds={self.thresholds}, leak={self.leak:g}"


class LeakyIntegrateAndFire(nn.Module):
    """SpikingJelly's `LIFNode` as the operator ``ai.neurodeploy::LeakyIntegrateAndFire``.

    At each step ``v <- (1 - leak) v + x``; it spikes where v reaches the threshold.

    Parameters
    ----------
    reset
        ``subtract`` the threshold where it spikes, or set the membrane to ``zero``.
    """

    def __init__(self, threshold: float = 1.0, leak: float = 0.0, reset: str = "zero") -> None:
        super().__init__()
        self.threshold, self.leak, self.reset = float(threshold), float(leak), reset
        self.node = _lif(self.threshold, self.leak, 0.0 if reset == "zero" else None)

    def forward(self, x: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return operator(
                "LeakyIntegrateAndFire",
                x,
                {"leak": self.leak, "threshold": self.threshold, "reset": self.reset},
            )
        spikes: Tensor = self.node(x)
        return spikes


def _lif(threshold: float, leak: float, v_reset: float | None) -> nn.Module:
    """SpikingJelly's neuron, which writes the leak as 1 / tau; without one it is its `IFNode`."""
    common = {
        "v_threshold": threshold,
        "v_reset": v_reset,
        "surrogate_function": surrogate.Rect(1.0),
        "detach_reset": False,
        "step_mode": "m",
    }
    if leak == 0:
        return neuron.IFNode(**common)
    return neuron.LIFNode(tau=1 / leak, decay_input=False, **common)
