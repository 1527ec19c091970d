"""Time to first spike: one spike a neuron, exact (Stanojevic et al. 2022, 2024; the B1 model).

A layer integrates in one window of W steps and fires in the next; a spike stands for the integer
W - tau. In integers the spiking network equals the network with activations rounded to W levels
(docs/semantics.md, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from neurodeploy.calibration import LayerStatistics
from neurodeploy.conversion.balance import BALANCES, Balance, Balanced
from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import register_scheme
from neurodeploy.conversion.window.messages import Messages, Times
from neurodeploy.conversion.window.scheme import WindowScheme

__all__ = ["TtfsScheme"]


@register_scheme
@dataclass(frozen=True)
class TtfsScheme(WindowScheme, Balanced):
    """Options of the time-to-first-spike code: those of `Balanced`, with its own defaults.

    References
    ----------
    Stanojevic et al. 2022, "An exact mapping from ReLU networks to spiking neural networks",
    arXiv 2212.12522; Stanojevic et al. 2024, "High-performance deep spiking neural networks with
    0.3 spikes per neuron", Nature Communications 15:6793, the B1 model: a neuron integrates until
    t_min and fires at ``t = t_min + threshold - V(t_min)``, which stands for ``t_max - t``.
    """

    balance: Balance = option(
        "mmse", "How the largest activation of a layer is chosen.", choices=BALANCES
    )

    name: ClassVar[str] = "ttfs"
    title: ClassVar[str] = "time to first spike: one spike a neuron, exact to W levels"
    #: The earliest spike.
    max_pooling: ClassVar[bool] = True
    is_remedy: ClassVar[bool] = True
    needs: ClassVar[str] = "neuron that fires at a computed time"

    def messages(self) -> Messages:
        """See `WindowScheme.messages`."""
        return Times(period=self.steps, top=self.steps)

    def layer_level(
        self, statistics: LayerStatistics, maximum: float | None, levels: int | None = None
    ) -> float | None:
        """See `WindowScheme.layer_level`."""
        if levels is None and self.balance == "mmse":
            return None
        return self.level(statistics, maximum, levels)
