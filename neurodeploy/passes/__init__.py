"""Network to Network: the same function, closer to what a chip holds."""

from neurodeploy.network import Network
from neurodeploy.passes.base import Pass, run_passes
from neurodeploy.passes.clips_as_relus import ClipsAsReLUs
from neurodeploy.passes.equalize import Equalize
from neurodeploy.passes.fire_after_pooling import FireAfterPooling
from neurodeploy.passes.fire_before_max_pooling import FireBeforeMaxPooling
from neurodeploy.passes.fold_batch_norm import FoldBatchNorm
from neurodeploy.passes.fold_dense import FoldDense
from neurodeploy.passes.fold_pooling import FoldPooling
from neurodeploy.passes.join_late import JoinLate
from neurodeploy.passes.l4_correction import L4Correction
from neurodeploy.passes.max_pooling_as_relus import MaxPoolingAsReLUs
from neurodeploy.passes.move_max_pooling import MoveMaxPooling
from neurodeploy.passes.split_max_pooling import SplitMaxPooling
from neurodeploy.program.choices import Choice

__all__ = [
    "ClipsAsReLUs",
    "Equalize",
    "FireAfterPooling",
    "FireBeforeMaxPooling",
    "FoldBatchNorm",
    "FoldDense",
    "FoldPooling",
    "JoinLate",
    "L4Correction",
    "MaxPoolingAsReLUs",
    "MoveMaxPooling",
    "Pass",
    "SplitMaxPooling",
    "prepare",
    "run_passes",
    "standard_passes",
]


def standard_passes(
    *,
    max_pooling: bool = True,
    largest_pool: int | None = None,
    of_input: bool = True,
    largest_fan_in: int | None = None,
    clips: bool = True,
) -> tuple[Pass, ...]:
    """What every conversion starts with, in order.

    Parameters
    ----------
    max_pooling
        Whether the scheme has a neuron that takes the maximum; else max pooling becomes ReLUs.
    largest_pool
        Cells that such a neuron takes the maximum of, at most; None: any number.
    of_input
        Whether it can read the input.
    largest_fan_in
        Synapses of one neuron that fit a core of the target; None: any number.
    clips
        Whether the scheme's neurons can hold a clip; else clips become ReLUs.
    """
    return (
        *(() if clips else (ClipsAsReLUs(),)),
        JoinLate(),
        MoveMaxPooling(),
        *((FireBeforeMaxPooling(),) if max_pooling else ()),
        MaxPoolingAsReLUs(only_sums=max_pooling, of_input=of_input),
        *((SplitMaxPooling(largest_pool),) if max_pooling and largest_pool else ()),
        FireAfterPooling(largest_fan_in),
        FoldPooling(),
        FoldBatchNorm(),
        FoldPooling(),
        FoldDense(),
        Equalize(),
    )


def prepare(
    network: Network,
    *,
    max_pooling: bool,
    largest_pool: int | None = None,
    of_input: bool = True,
    largest_fan_in: int | None = None,
    clips: bool = True,
    l4: bool = False,
    told: list[Choice] | None = None,
) -> Network:
    """The network after all passes.

    Parameters
    ----------
    max_pooling, largest_pool, of_input, largest_fan_in, clips
        As for `standard_passes`.
    l4
        Whether the L4-norm correction comes last.
    told
        Takes what passes choose.
    """
    passes = standard_passes(
        max_pooling=max_pooling,
        largest_pool=largest_pool,
        of_input=of_input,
        largest_fan_in=largest_fan_in,
        clips=clips,
    )
    network = run_passes(network, passes, told)
    return L4Correction().apply(network) if l4 else network
