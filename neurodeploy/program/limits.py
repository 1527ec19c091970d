"""How large a program may be before work of a kind is refused: known from shapes alone.

A file of a few kB can state a map of 10^8 neurons. Looking at such a program costs nothing, but
whatever makes a table of its neurons would take hours and all memory. So the work asks first.
"""

from __future__ import annotations

__all__ = [
    "MAX_CORES",
    "MAX_CORES_BY_TRAFFIC",
    "MAX_EXTENT",
    "MAX_NEURONS_AT_WORK",
    "MAX_OPERATIONS",
    "MAX_PARTS",
    "MAX_PERIOD",
    "MAX_STREAMED",
    "MAX_SYNAPSES",
]

#: Longest window: at a hundred times the steps of the longest published rate codes.
MAX_PERIOD = 2**20
#: Largest stride, padding, dilation and number of sources.
MAX_EXTENT = 2**27
#: Populations of a program, and connections: a hundred times those of the deepest networks.
MAX_PARTS = 2**14
#: Neurons, inputs included, of which tables are made: ResNet-50 at 224 x 224 has 10 million, and as
#: many relays where its windows are longer than the delays of synapses.
MAX_NEURONS_AT_WORK = 2**25
#: Cores that a program is cut into, and those that are placed by traffic: the largest system of
#: Loihi 2 chips has 138,240.
MAX_CORES, MAX_CORES_BY_TRAFFIC = 2**17, 2**13
#: Synapses that are walked for one sample: ResNet-50 has 4 * 10^9.
MAX_SYNAPSES = 2**38
#: Updates of a neuron that one sample may take, neurons times steps: ResNet-50 in 1024 steps takes
#: 1.1 * 10^10. A core does this many in about ten seconds.
MAX_OPERATIONS = 2**34
#: The same where phases mix samples: then all steps from the first on are kept at once.
MAX_STREAMED = 2**28
