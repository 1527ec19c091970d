"""Fractional-order spike-timing-dependent gradient descent (after Yang et al. 2024).

`integrate_and_fire` steps the neurons, `firing_rate` has their rate and its slope, `synapses` the
linear maps, `network` the gradient. `docs/fostdgd.md` has the equations and where each is from.
"""

from neurodeploy.training.fostdgd.network import IntegrateAndFireNetwork

__all__ = ["IntegrateAndFireNetwork"]
