"""Schemes: how activations become spikes, one file a scheme.

To add one, copy `ttfs.py`; `docs/extending.md` shows a whole one.
"""

from neurodeploy.conversion.automatic import AUTO, candidates
from neurodeploy.conversion.direct import DirectScheme
from neurodeploy.conversion.online import OnlineScheme
from neurodeploy.conversion.radix import GradedScheme, RadixScheme
from neurodeploy.conversion.rate import RateScheme
from neurodeploy.conversion.scheme import (
    Scheme,
    make_scheme,
    register_scheme,
    scheme_named,
    scheme_of,
    schemes,
)
from neurodeploy.conversion.sigma_delta import SigmaDeltaScheme
from neurodeploy.conversion.ttfs import TtfsScheme

__all__ = [
    "AUTO",
    "DirectScheme",
    "GradedScheme",
    "OnlineScheme",
    "RadixScheme",
    "RateScheme",
    "Scheme",
    "SigmaDeltaScheme",
    "TtfsScheme",
    "candidates",
    "make_scheme",
    "register_scheme",
    "scheme_named",
    "scheme_of",
    "schemes",
]
