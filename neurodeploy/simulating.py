"""`simulate`: samples through a program on this machine, or on the machines of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodeploy.errors import DataWarning, RunWarning, UsageError
from neurodeploy.event_samples import samples_for
from neurodeploy.log import logged
from neurodeploy.metrics.task import Task
from neurodeploy.option_values import whole
from neurodeploy.program import Program
from neurodeploy.program.type_check import check_program
from neurodeploy.sample_checks import look_at_samples
from neurodeploy.simulator.encoding import check_samples
from neurodeploy.simulator.result import warn_of_overflow
from neurodeploy.warning import Warn, warner

if TYPE_CHECKING:
    from neurodeploy.simulator.result import Result

__all__ = ["simulate"]


@logged
def simulate(
    program: Program,
    x: Any,
    *,
    limit: int | None = None,
    threads: int | None = None,
    workers: str | None = None,
    memory: str | int | None = None,
    task: str | None = None,
    bin: str | None = None,
    journal: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
    warn: Warn | None = None,
) -> Result:
    """Run samples through a program on the CPU, bit for bit as `docs/semantics.md` defines.

    Parameters
    ----------
    program
        To run.
    x
        (n, *input shape): float32 as the ONNX model takes it, or integers (preprocessed as the
        program says). An array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    limit
        Only the first so many samples.
    threads
        Number of threads; default: one a core. The result does not depend on it.
    workers
        Address of a dask scheduler, ``tcp://host:8786``: run on the workers of that cluster, on
        all their threads (`docs/simulate.md`). The result does not depend on it.
    memory
        Limit for the buffers of the run, of each worker if there are `workers`: bytes, or a size
        like ``2GiB`` or ``500MB``. Default: half of what is available.
    task
        What the outputs are, one of `metrics.KINDS`; default: as the program says.
    bin
        Time of a step, like ``1ms``, where `x` is a file of raw events
        (`docs/spiking-networks.md`); default: the `dt` that the program was compiled with.
    journal
        A file in which finished samples are noted: the same run again goes on where it was
        interrupted, here or on `workers` (`docs/simulate.md`). The result does not depend on it.
    progress
        Called with the number of samples just finished.
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        classes ``DataWarning`` and ``RunWarning``.

    Returns
    -------
    Result
        `outputs` (n, *output shape), `predictions`, `scores(labels)`, `spikes_per_sample`,
        `checksum`, ...

    Raises
    ------
    NeuroDeployError
        UsageError, DataError, ProgramError; DeploymentError where `workers` cannot be used;
        StorageError where the journal is of another run, or cannot be written.

    References
    ----------
    Davies et al. 2018, "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro
    38(1), p. 82, the compartment; `docs/semantics.md` has the equations of every kind of
    neuron, and the source of each.
    """
    from neurodeploy.simulator.memory import parse_size
    from neurodeploy.simulator.simulation import simulate as run

    for option, value in (("limit", limit), ("threads", threads)):
        if value is not None:
            whole(option, value, low=1)
    most = None if memory is None else parse_size(memory)
    check_program(program)
    judged = Task.of(program, task)
    shape = program.encoder.sample_shape
    x = check_samples(samples_for(program, x, limit, bin, warner(warn, DataWarning)).x, shape)
    look_at_samples(program, x, warner(warn, DataWarning))
    if workers is not None and threads is not None:
        raise UsageError(
            "the workers decide about threads", place="--threads", remedy="leave it out"
        )
    if journal is not None:
        from neurodeploy.simulator.journal import Journal, run_of
        from neurodeploy.simulator.resumed import simulate_noted, simulate_on_noted

        with Journal(journal, run_of(program, x), judged, warner(warn, RunWarning)) as noted:
            if workers is None:
                result = simulate_noted(
                    noted, program, x, threads=threads, memory=most, progress=progress
                )
            else:
                result = simulate_on_noted(
                    noted, workers, program, x, memory=most, progress=progress
                )
    elif workers is None:
        result = run(program, x, threads=threads, memory=most, progress=progress)[0]
    else:
        from neurodeploy.simulator.sharding import simulate_on

        result = simulate_on(workers, program, x, memory=most, progress=progress)
    warn_of_overflow(result, warner(warn, RunWarning))
    return replace(result, task=judged)
