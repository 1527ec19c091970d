"""Neuron kinds, one a file: parameters, states, what is sent, the step that defines it, bounds.

To add one, copy `earliest.py`; `docs/extending.md` shows a whole one.
"""

from neurodeploy.program.neurons.base import Neuron, Register, State, StateVariable, Stepped
from neurodeploy.program.neurons.count_maximum import CountMaximum
from neurodeploy.program.neurons.earliest import Earliest
from neurodeploy.program.neurons.graded_relu import GradedRelu
from neurodeploy.program.neurons.integrate_fire import IntegrateFire
from neurodeploy.program.neurons.levels import Levels
from neurodeploy.program.neurons.lif import Lif
from neurodeploy.program.neurons.mask_maximum import MaskMaximum
from neurodeploy.program.neurons.online import Online
from neurodeploy.program.neurons.radix import Radix
from neurodeploy.program.neurons.registry import kind_named, kinds, register
from neurodeploy.program.neurons.sigma_delta import SigmaDelta
from neurodeploy.program.neurons.ttfs import Ttfs
from neurodeploy.program.neurons.two_compartments import TwoCompartments
from neurodeploy.program.neurons.worst_case import Bounds, Drive, Interval

__all__ = [
    "Bounds",
    "CountMaximum",
    "Drive",
    "Earliest",
    "GradedRelu",
    "IntegrateFire",
    "Interval",
    "Levels",
    "Lif",
    "MaskMaximum",
    "Neuron",
    "Online",
    "Radix",
    "Register",
    "SigmaDelta",
    "State",
    "StateVariable",
    "Stepped",
    "Ttfs",
    "TwoCompartments",
    "kind_named",
    "kinds",
    "register",
]
