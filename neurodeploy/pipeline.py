"""The one way from a model to a Program: which front door it takes, and what all have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from neurodeploy.errors import (
    CompileWarning,
    DataWarning,
    UsageError,
)
from neurodeploy.log import logged
from neurodeploy.option_values import whole
from neurodeploy.program import Program
from neurodeploy.targets import load_target
from neurodeploy.warning import Warn, warner

if TYPE_CHECKING:
    import torch

    from neurodeploy.conversion import Scheme
    from neurodeploy.importing.reading.sources import Model
    from neurodeploy.ledger import Trial
    from neurodeploy.network import Network

__all__ = ["Overflow", "Stage", "Warn", "compile"]

Overflow = Literal["off", "warn", "error"]
#: Called with the name of a stage, the work done and the work there is.
Stage = Callable[[str, int, int], None]


def _seed(given: int) -> int:
    seed = whole("--seed", given)
    if not 0 <= seed < 2**63:
        raise UsageError(f"{seed!r} is outside 0..2**63 - 1", place="--seed")
    return seed


def _quiet(*_: object) -> None:
    """Ignore progress."""


@logged
def compile(
    model: Model | Network | torch.nn.Module,
    calibration: Any = None,
    scheme: str | Scheme = "rate",
    steps: int | None = None,
    target: str = "loihi2",
    reset: str | None = None,
    encoding: str | None = None,
    balance: str | None = None,
    l4: bool | None = None,
    seed: int = 0,
    *,
    percentile: float | None = None,
    scale: float | None = None,
    mean: tuple[float, ...] = (0.0,),
    std: tuple[float, ...] = (1.0,),
    input_range: tuple[float, float] | None = None,
    overflow: Overflow = "warn",
    output: str | None = None,
    task: str | None = None,
    try_samples: int = 128,
    tried: Callable[[Trial], None] = _quiet,
    progress: Stage = _quiet,
    warn: Warn | None = None,
    **others: Any,
) -> Program:
    """Compile a trained ReLU network, or one that spikes already (NIR), to a spiking program.

    Parameters
    ----------
    model
        Path of the ONNX file, its bytes, an ``onnx.ModelProto`` or an ``onnx_ir.Model``; or the
        path or bytes of a NIR graph or of a lava-dl file (`.net`), or a
        `neurodeploy.network.Network` that spikes (`docs/spiking-networks.md`); these need no
        samples. Or a ``torch.nn.Module``, which torch's exporter turns into ONNX, in the mode of
        inference and for any number of samples (`docs/from-pytorch.md`); it needs samples.
    calibration
        Samples (n, *input shape): float32 as the model takes them, or integers such as uint8
        images (then `scale`, `mean` and `std` say what the model takes). An array, the path of a
        `.npz` (array `x`) or `.npy` file, a ``DataLoader``, a data set, or another iterable of
        batches or samples, each alone or with its labels. Without samples, bounds are
        used. Of a network that spikes: (n, steps, *input shape), for the input's range alone.
    scheme
        Name of a scheme (`neurodeploy schemes` lists them), or one with its options, such as
        ``nd.Rate(steps=32, reset="zero")``. ``"auto"``: every scheme that the target can run and
        that has the options stated is tried on 128 calibration samples, and the one of shortest
        latency among those nearest to the ANN is taken, and said (docs/schemes.md).
    steps
        Time steps a sample, or a layer's window, lasts; None: the scheme's default.
    reset, encoding, balance
        Options of the scheme by name; None: its default (`neurodeploy schemes` lists them).
    percentile
        Percent of a layer's non-zero activations that its largest integer is not below. Where the
        rate code keeps the ANN's class of fewer than 95 % of 64 samples and no percentile is
        stated, lower ones are tried as well; the best is taken, and said.
    others
        Further options of the scheme by name, such as ``bits=5`` (bits a message).
        `neurodeploy schemes` lists all with ranges and defaults.
    target
        ``loihi1``, ``loihi2``, or the path of a target's TOML file.
    l4
        L4-norm correction; default: with Poisson input only, where it helps.
    seed
        Seed of the Poisson encoder's random numbers, 0 or more.
    scale
        Factor of samples of an integer dtype, stored in the program: the model is given
        ``(raw * scale - mean) / std``. Default: 1/255 where model and calibration say that these
        are images, else 1 (`docs/samples.md`); a warning says which.
    mean
        Subtracted then, in the units of ``raw * scale``: one number, or one a channel.
    std
        Divided by then, in the same units: one number, or one a channel.
    input_range
        Lowest and highest network input; default: from the samples, else 0..1.
    overflow
        What to do where the compiler cannot prove that nothing overflows.
    output
        Name of the model's output to compute, where it has several; default: the first.
    task
        What the outputs are, one of `metrics.KINDS`; default: inferred (docs/metrics.md).
    try_samples
        So many calibration samples are run on the program and on the ANN, for about two seconds;
        who keeps less than 95 % of the ANN's classes is warned (`docs/trial.md`). 0: none.
    tried
        Called with the outcome, a `neurodeploy.ledger.Trial`. It never changes the program.
    progress
        Called with the name of a stage, the work done and the work there is.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        classes ``CompileWarning`` and ``DataWarning``.

    Returns
    -------
    Program
        To be saved, simulated, mapped and deployed.

    Raises
    ------
    NeuroDeployError
        ModelError (no such model), UnsupportedError (a node that does not convert), DataError
        (samples that do not fit), TargetError, UsageError (an option out of its range) or
        ConversionError (integers that the target's registers do not hold).

    References
    ----------
    Diehl et al. 2015, "Fast-classifying, high-accuracy spiking deep networks through weight and
    threshold balancing", and Rueckauer et al. 2017, "Conversion of continuous-valued deep networks
    to efficient event-driven networks for image classification", Frontiers in Neuroscience 11:682
    (rate code: ``W <- W lambda(layer before) / lambda``); Stanojevic et al. 2022, arXiv 2212.12522
    (ttfs); Allred & Roy 2021, arXiv 2111.09446 (L4 norm). Each scheme's class says its own.
    """
    from neurodeploy.conversion import AUTO
    from neurodeploy.importing.lava_dl import is_lava_dl
    from neurodeploy.importing.nir import is_nir
    from neurodeploy.importing.reading.spiking_models import is_spiking_onnx
    from neurodeploy.importing.reading.torch_modules import is_torch_module
    from neurodeploy.network import Network

    if is_torch_module(model):
        from neurodeploy.compiling.torch_modules import from_torch

        progress("export", 0, 1)
        model, calibration = from_torch(model, calibration)
        progress("export", 1, 1)
    given = dict(
        others, steps=steps, reset=reset, encoding=encoding, balance=balance, percentile=percentile
    )
    if is_lava_dl(model):
        from neurodeploy.compiling.lava_dl import compile_lava_dl

        if calibration is not None or scale is not None or mean != (0.0,) or std != (1.0,):
            raise UsageError(
                "calibration samples, scale, mean and std beside a lava-dl file, which is integers",
                place="--calibration",
                remedy="leave them out",
            )
        return compile_lava_dl(
            model, scheme, {**given, "l4": l4}, target,
            overflow=overflow, task=task, progress=progress, warn=warner(warn, CompileWarning),
        )  # fmt: skip
    if isinstance(model, Network) or is_nir(model) or is_spiking_onnx(model):
        from neurodeploy.compiling.spiking import compile_spiking

        return compile_spiking(
            model, calibration, scheme, {**given, "l4": l4}, target,
            seed=_seed(seed), scale=scale, mean=mean, std=std, input_range=input_range,
            overflow=overflow, output=output, task=task,
            progress=progress, warn=warner(warn, CompileWarning),
        )  # fmt: skip
    data_warn, warn = warner(warn, DataWarning), warner(warn, CompileWarning)
    hardware = load_target(target)
    if isinstance(scheme, str) and scheme == AUTO:
        from neurodeploy.compiling.automatic import compile_best

        make = partial(
            compile, target=target, l4=l4, seed=seed, scale=scale, mean=mean, std=std,
            input_range=input_range, overflow=overflow, output=output, task=task, try_samples=0,
        )  # fmt: skip
        program, trial, lines = compile_best(
            make, model, calibration, given, hardware, output, progress
        )
        for line in lines:
            warn(line)
        if whole("--try", try_samples, low=0):
            tried(trial)
            if trial.warning:
                warn(trial.warning)
        return program
    from neurodeploy.compiling.relu import compile_relu

    return compile_relu(
        model, calibration, scheme, given, hardware, l4=l4, seed=_seed(seed), scale=scale,
        mean=mean, std=std, input_range=input_range, overflow=overflow, output=output, task=task,
        try_samples=try_samples, tried=tried, progress=progress, warn=warn, data_warn=data_warn,
    )  # fmt: skip
