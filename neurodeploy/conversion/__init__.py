"""Schemes: how activations become spikes."""

from neurodeploy.conversion.rate import RateScheme
from neurodeploy.conversion.scheme import Scheme

__all__ = ["RateScheme", "Scheme"]
