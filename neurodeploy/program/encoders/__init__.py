"""Input encodings, one a file. To add one, copy `frames.py`."""

from neurodeploy.program.encoders.base import (
    PROBABILITY_ONE,
    InputEncoding,
    encoding_named,
    encodings,
    register_encoding,
)
from neurodeploy.program.encoders.binary_digits import BinaryDigits
from neurodeploy.program.encoders.current import Current
from neurodeploy.program.encoders.deterministic import Deterministic
from neurodeploy.program.encoders.events import Events
from neurodeploy.program.encoders.first_spike import FirstSpike
from neurodeploy.program.encoders.frames import Frames
from neurodeploy.program.encoders.integer import Graded, GradedFirst
from neurodeploy.program.encoders.poisson import Poisson

__all__ = [
    "PROBABILITY_ONE",
    "BinaryDigits",
    "Current",
    "Deterministic",
    "Events",
    "FirstSpike",
    "Frames",
    "Graded",
    "GradedFirst",
    "InputEncoding",
    "Poisson",
    "encoding_named",
    "encodings",
    "register_encoding",
]
