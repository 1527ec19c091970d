"""How the ledger reads each neuron kind, one file a kind, found by its type."""

from neurodeploy.ledger.neurons import (
    digits,
    earliest,
    graded_relu,
    integrate_fire,
    lif,
    sigma_delta,
    ttfs,
)
from neurodeploy.ledger.neurons.reading import Reading, reading_of

__all__ = [
    "Reading",
    "digits",
    "earliest",
    "graded_relu",
    "integrate_fire",
    "lif",
    "reading_of",
    "sigma_delta",
    "ttfs",
]
