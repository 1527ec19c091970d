"""The rate code: neurons, integers and spikes on the calibration samples."""

from neurodeploy.conversion.rate.scheme import RateScheme, ResetMode

__all__ = ["RateScheme", "ResetMode"]
