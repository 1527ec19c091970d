"""How the largest activation a layer can say (lambda) is chosen; both schemes share it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

from neurodeploy.calibration import LayerStatistics
from neurodeploy.conversion.options import option
from neurodeploy.conversion.scheme import Scheme

__all__ = ["BALANCES", "PERCENTILES", "Balance", "Balanced"]

Balance = Literal["percentile", "max", "mmse"]
BALANCES = ("percentile", "max", "mmse")
#: That `tune` tries beside the default: outliers are clipped less, or more.
PERCENTILES = (99.99, 99.9, 99.0)
_HELP = "How thresholds are chosen: percentile, maximum or least squared error of activations."


@dataclass(frozen=True)
class Balanced(Scheme):
    """Options that every scheme with a largest activation has.

    Attributes
    ----------
    steps
        Time steps a sample, or a window, lasts.
    balance
        ``percentile`` of a layer's non-zero activations (Rueckauer et al. 2017), their ``max``
        (Diehl et al. 2015), or least squared error of the code, ``mmse`` (Li et al. 2021).
    percentile
        Percent of a layer's non-zero activations that lambda is not below, with `balance`
        percentile.

    References
    ----------
    Diehl et al. 2015, "Fast-classifying, high-accuracy spiking deep networks through weight and
    threshold balancing", IJCNN; Rueckauer et al. 2017, "Conversion of continuous-valued deep
    networks to efficient event-driven networks for image classification", Frontiers in
    Neuroscience 11:682; Li et al. 2021, "A free lunch from ANN: towards efficient, accurate spiking
    neural networks calibration", ICML.
    """

    steps: int = option(
        32,
        "Time steps a sample, or a layer's window.",
        low=1,
        high=65536,
        tries=(8, 16, 32, 64, 128, 256),
    )
    balance: Balance = option("percentile", _HELP, choices=BALANCES)
    percentile: float = option(
        99.9, "Percentile of the non-zero activations.", low=0, high=100, above=True
    )

    def refinements(self, stated: Collection[str]) -> tuple[Scheme, ...]:
        """See `Scheme.refinements`: percentiles of the activations."""
        if {"balance", "percentile"} & set(stated):
            return ()
        return tuple(replace(self, balance="percentile", percentile=p) for p in PERCENTILES)

    def level(
        self, statistics: LayerStatistics, maximum: float | None, levels: int | None = None
    ) -> float:
        """Lambda of a layer; never above the clip of its activation, never zero.

        Where the activation was trained with levels, it is their clip: its steps are the neuron's.

        Parameters
        ----------
        statistics
            Histogram and maximum of the layer's activations.
        maximum
            Value at which the activation is clipped, in the network's units; None: it is not.
        levels
            Number of levels that the activation was trained with; None: of any value.

        Returns
        -------
        float
            Value in the network's units that the largest integer stands for. Weights are scaled
            with it: ``W <- W lambda(layer before) / lambda``.

        References
        ----------
        Diehl et al. 2015 (the maximum); Rueckauer et al. 2017 (a percentile); Li et al. 2021 (least
        squared error), see `Balanced`.
        """
        if levels is not None and maximum is not None:
            return maximum
        if self.balance == "max":
            level = statistics.maximum
        elif self.balance == "mmse":
            level = statistics.least_squares(self.steps)
        else:
            level = statistics.percentile(self.percentile)
        if maximum is not None:
            level = min(level, maximum)
        return level or maximum or 1.0
