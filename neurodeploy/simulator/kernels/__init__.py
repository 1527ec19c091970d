"""The inner loops of the engine, compiled by Numba and cached on disk.

Conventions: an event list is `index` (int32, internal neuron numbers) cut by `start`
(int64, one more than steps) and, within a step, by `place` (int64, one more than positions);
a block holds the currents of a few steps, (steps, neurons); internal neuron numbers run
channels last, so that a spike adds contiguous rows. All kernels release the interpreter lock.
"""

import sys

from neurodeploy.simulator.kernels.changes import DELTA, SIGMA, SIGMA_DELTA, step_sigma_delta
from neurodeploy.simulator.kernels.collect import WIDTH, collect
from neurodeploy.simulator.kernels.counting import (
    count_active,
    count_by_position,
    count_digits,
    count_fan_out,
)
from neurodeploy.simulator.kernels.diagonal import add_diagonal, add_diagonal_integers
from neurodeploy.simulator.kernels.digits import step_mask_maximum, step_online, step_radix
from neurodeploy.simulator.kernels.gather import LANES, gather, pool_events
from neurodeploy.simulator.kernels.levels import step_levels, step_levels_plain
from neurodeploy.simulator.kernels.maps import (
    add_by_channel,
    add_scaled,
    count_by_table,
    count_words,
    extremes,
    lay_out_maps,
    pool_maps,
    quotients,
)
from neurodeploy.simulator.kernels.neurons import (
    RESET_NONE,
    RESET_SUBTRACT,
    RESET_ZERO,
    step_earliest,
    step_lif,
    step_plain,
    step_ttfs,
)
from neurodeploy.simulator.kernels.patches import (
    MOVED,
    lay_out,
    lay_out_bits,
    lay_out_integers,
    lay_out_rows,
    put,
    spread_patches,
)
from neurodeploy.simulator.kernels.rates import (
    step_count_maximum,
    step_integrate_fire,
    step_integrate_fire_plain,
    step_two_compartments,
    step_two_compartments_plain,
)
from neurodeploy.simulator.kernels.recurrent import step_recurrent
from neurodeploy.simulator.kernels.registers import WORD
from neurodeploy.simulator.kernels.scatter import (
    scatter_grouped,
    scatter_rows,
    scatter_single,
    scatter_sparse,
)
from neurodeploy.simulator.kernels.stamp import STAMPED, stamp
from neurodeploy.simulator.kernels.sums import PAIRED_BIAS
from neurodeploy.simulator.kernels.units import MOST_UNITS, pick, spread_units, turn_units
from neurodeploy.simulator.sealing import seal

__all__ = [
    "DELTA",
    "LANES",
    "MOST_UNITS",
    "MOVED",
    "PAIRED_BIAS",
    "RESET_NONE",
    "RESET_SUBTRACT",
    "RESET_ZERO",
    "SIGMA",
    "SIGMA_DELTA",
    "STAMPED",
    "WIDTH",
    "WORD",
    "add_by_channel",
    "add_diagonal",
    "add_diagonal_integers",
    "add_scaled",
    "collect",
    "count_active",
    "count_by_position",
    "count_by_table",
    "count_digits",
    "count_fan_out",
    "count_words",
    "extremes",
    "gather",
    "lay_out",
    "lay_out_bits",
    "lay_out_integers",
    "lay_out_maps",
    "lay_out_rows",
    "pick",
    "pool_events",
    "pool_maps",
    "put",
    "quotients",
    "scatter_grouped",
    "scatter_rows",
    "scatter_single",
    "scatter_sparse",
    "spread_patches",
    "spread_units",
    "stamp",
    "step_count_maximum",
    "step_earliest",
    "step_integrate_fire",
    "step_integrate_fire_plain",
    "step_levels",
    "step_levels_plain",
    "step_lif",
    "step_mask_maximum",
    "step_online",
    "step_plain",
    "step_radix",
    "step_recurrent",
    "step_sigma_delta",
    "step_ttfs",
    "step_two_compartments",
    "step_two_compartments_plain",
    "turn_units",
]

# before any of them is compiled
seal(module for name, module in list(sys.modules.items()) if name.startswith(f"{__name__}."))
