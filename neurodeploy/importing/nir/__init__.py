"""NIR graphs (networks that spike) to Networks; every node is converted or refused with a reason.

`hdf5` reads the file within limits, `neurons` and `layers` make one node's part of the Network,
`importer` walks the graph and tells the verdicts.
"""

from neurodeploy.importing.nir.importer import examine_nir, load_nir
from neurodeploy.importing.nir.neurons import Timing
from neurodeploy.importing.nir.source import is_nir

__all__ = ["Timing", "examine_nir", "is_nir", "load_nir"]
