"""`sigma_delta` on Lava: its own `SigmaDelta`, `Delta` and `Sigma`.

None of them begins anew by itself: where a window begins, the host sets their variables.
"""

from __future__ import annotations

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.proc.sdn.process import Delta, Sigma
from lava.proc.sdn.process import SigmaDelta as LavaSigmaDelta

from neurodeploy.lava.neurons.process import Variables, Window, process_of, step_of, variables_of
from neurodeploy.program.neurons import SigmaDelta

__all__: list[str] = []


@process_of.register
def _(neuron: SigmaDelta, window: Window) -> AbstractProcess:
    if not window.stock:
        return step_of(neuron, window)
    if neuron.process == "sigma":
        return Sigma(shape=window.shape)
    if neuron.process == "delta":
        return Delta(shape=window.shape, vth=neuron.threshold)
    return LavaSigmaDelta(shape=window.shape, vth=neuron.threshold)


@variables_of.register
def _(neuron: SigmaDelta, window: Window) -> Variables:
    """The bias is what the sum begins with, so that Lava's own has to hold none."""
    if not window.stock:
        return Variables()
    bias = window.laid(neuron.bias).astype(np.int32)
    nothing = np.zeros_like(bias)
    if neuron.process == "sigma":
        return Variables("sigma", {"sigma": bias})
    if neuron.process == "delta":
        return Variables("act", {"act": nothing, "residue": nothing})
    return Variables("sigma", {"sigma": bias, "act": nothing, "residue": nothing})
