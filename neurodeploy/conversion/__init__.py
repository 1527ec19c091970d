"""Schemes: how activations become spikes, one file a scheme.

To add one, copy `ttfs.py`; `docs/extending.md` shows a whole one.
"""

from neurodeploy.conversion.rate import RateScheme
from neurodeploy.conversion.scheme import (
    Scheme,
    make_scheme,
    register_scheme,
    scheme_named,
    schemes,
)
from neurodeploy.conversion.ttfs import TtfsScheme

__all__ = [
    "RateScheme",
    "Scheme",
    "TtfsScheme",
    "make_scheme",
    "register_scheme",
    "scheme_named",
    "schemes",
]
