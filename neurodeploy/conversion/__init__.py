"""Schemes: how activations become spikes."""

from neurodeploy.conversion.rate import RateScheme
from neurodeploy.conversion.scheme import Scheme
from neurodeploy.conversion.ttfs import TtfsScheme

__all__ = ["RateScheme", "Scheme", "TtfsScheme"]
