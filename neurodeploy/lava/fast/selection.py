"""The choice of models: ours by their tag where there is one, Lava's ``fixed_pt`` elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from lava.proc.sparse.process import Sparse

from neurodeploy.lava.fast.models import (
    PREPARED,
    TAG,
    ConvModel,
    DenseModel,
    LifResetModel,
    SparseModel,
    loihi_weights,
)

__all__ = ["FastSimCfg", "prepare"]

#: Those that our models stand for; Lava runs delayed ones itself.
_PREPARED = (Conv, Dense, Sparse)
_MODELS = (ConvModel, DenseModel, LifResetModel, SparseModel)


class FastSimCfg(Loihi2SimCfg):
    """`Loihi2SimCfg` for ``fixed_pt`` that prefers models with our tag.

    Lava searches for models beside the process, so that it would never find these by itself.
    """

    def __init__(self) -> None:
        super().__init__(select_tag="fixed_pt")

    def select(self, process: Any, proc_models: list[Any]) -> Any:
        """The model for a process."""
        ours = [m for m in _MODELS if m.implements_process is type(process)]
        tagged = [m for m in (*ours, *proc_models) if TAG in m.tags]
        return tagged[0] if tagged else super().select(process, proc_models)


def prepare(connections: Iterable[Any]) -> None:
    """Lay out connections and load, or compile, their kernels, once and before Lava forks.

    The processes that Lava starts share all of it. Without it each does its part at its first
    step.

    Parameters
    ----------
    connections
        `Conv`, `Dense` and `Sparse` processes whose variables will not be set before they run.
    """
    for process in connections:
        if type(process) not in _PREPARED:
            continue
        if isinstance(process, Conv):
            scatter = ConvModel.lay_out(_initial(process), process.s_in.shape)
        else:
            params = process.proc_params
            weights = loihi_weights(process.weights.init, params)
            model = DenseModel if isinstance(weights, np.ndarray) else SparseModel
            scatter = model.lay_out(weights, params, process.num_message_bits.init > 0)
        scatter(np.zeros(process.s_in.shape, np.int8))
        process.proc_params[PREPARED] = scatter


def _initial(process: Any) -> Any:
    return lambda name: getattr(process, name).init
