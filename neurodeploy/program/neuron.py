"""Moved to `neurodeploy.program.neurons`."""

from neurodeploy.program.neurons import Earliest, Lif, Neuron, Ttfs  # noqa: F401
from neurodeploy.program.neurons.arithmetic import CURRENT_LIMIT, MEMBRANE_LIMIT  # noqa: F401
from neurodeploy.program.neurons.lif import (  # noqa: F401
    BIAS_MANTISSA_MAX,
    BIAS_MANTISSA_MIN,
    NO_CURRENT_MEMORY,
    STOCK_SHIFT,
    THRESHOLD_MAX,
    Reset,
)
