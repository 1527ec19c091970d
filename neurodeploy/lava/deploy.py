"""Samples through a program on Lava's runtime, and the proof that it computed the same."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.errors import DataWarning, ProgramError, RunWarning, UsageError
from neurodeploy.event_samples import samples_for
from neurodeploy.lava.comparison import Comparison, Mismatch, compare
from neurodeploy.lava.run import LavaTrace, Models, run
from neurodeploy.log import logged
from neurodeploy.metrics.task import Task
from neurodeploy.program import INPUT, Population, Program
from neurodeploy.program.type_check import check_program
from neurodeploy.program.workable import check_workable
from neurodeploy.sample_checks import look_at_samples
from neurodeploy.simulator.encoding import check_samples, encode, levels
from neurodeploy.simulator.reference import Trace
from neurodeploy.simulator.result import Result, warn_of_overflow
from neurodeploy.warning import Warn, warner

__all__ = ["DeployResult", "Simulator", "default_simulator", "deploy", "stream"]


Simulator = Callable[[Program, np.ndarray], Trace]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, repr=False)
class DeployResult(Result):
    """A run on Lava.

    `wrapped` and `clipped` are the simulator's: filled if the run was verified.

    Attributes
    ----------
    comparison
        With the simulator; None if the run was not verified.
    start_seconds, step_seconds
        Parts of `seconds`, in seconds: until the first step, and while stepping.
    lava_steps
        Steps that Lava ran: all samples, and the silence after the last.
    models
        Whose models of Lava's own processes ran: ``neurodeploy`` or ``lava``.
    """

    comparison: Comparison | None = None
    start_seconds: float = 0.0
    step_seconds: float = 0.0
    lava_steps: int = 0
    models: Models = "neurodeploy"

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        compared = {"compared": self.compared_spikes, "mismatched": self.mismatched_spikes}
        return super().facts() | (compared if self.comparison else {})

    @property
    def compared_spikes(self) -> int | None:
        """Places (neuron, step) where at least one side fired; None if not verified."""
        return self.comparison.compared_spikes if self.comparison else None

    @property
    def mismatched_spikes(self) -> int | None:
        """Places where only one side fired; None if not verified."""
        return self.comparison.mismatched_spikes if self.comparison else None

    @property
    def compared_membranes(self) -> int | None:
        """Membrane values compared; None if they were not."""
        return self.comparison.compared_membranes if self.comparison else None

    @property
    def mismatched_membranes(self) -> int | None:
        """Membrane values that differ; None if they were not compared."""
        return self.comparison.mismatched_membranes if self.comparison else None

    @property
    def first_mismatch(self) -> Mismatch | None:
        """The earliest difference; None if there is none."""
        return self.comparison.first_mismatch if self.comparison else None


@logged
def deploy(
    program: Program,
    x: Any,
    *,
    verify: bool = False,
    membranes: bool = False,
    limit: int | None = None,
    timeout: float | None = None,
    stock: bool = False,
    simulator: Simulator | None = None,
    task: str | None = None,
    bin: str | None = None,
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> DeployResult:
    """Stream samples through a program on Lava's CPU runtime.

    Parameters
    ----------
    program
        To run; its phases must not mix neighbouring samples.
    x
        Samples (n, *shape): integers (preprocessed as the program says) or network input. An
        array, the path of a `.npz` or `.npy` file, or an iterable of batches.
    verify
        Compare every spike of every population at every step with the simulator.
    membranes
        With `verify`: compare every membrane as well.
    bin
        Time of a step, like ``1ms``, where `x` is a file of raw events.
    limit
        Only the first so many samples.
    timeout
        Seconds until Lava is stopped; by the size of the work if None.
    stock
        Run Lava's own processes by Lava's own models, which take far longer. By default, and
        where Numba is installed, by ours, which compute the same spike for spike.
    simulator
        What to compare with, ``(program, messages) -> trace``. Default: the fast engine, or
        the reference where numba is not installed.
    task
        What the outputs are, one of `metrics.KINDS`; default: as the program says.
    progress
        Called with (steps done, all steps).
    warn
        Called with each line that the user should read. Default: Python's warnings, of the
        classes ``DataWarning`` and ``RunWarning``.

    Returns
    -------
    DeployResult
        As of `simulate`, and with `verify` `compared_spikes`, `mismatched_spikes` and where the
        first difference is.

    Raises
    ------
    DeploymentError
        Lava is missing, failed, or did not finish in time.
    DataError
        The samples do not fit.
    ProgramError
        The phases mix neighbouring samples.

    References
    ----------
    Davies et al. 2018, "Loihi: a neuromorphic manycore processor with on-chip learning", IEEE Micro
    38(1), p. 82 (the compartment that Lava's LIF computes bit by bit); `docs/lava.md`.
    """
    check_program(program)
    if membranes and not verify:
        raise UsageError("membranes are compared with verify only")
    if limit is not None and limit < 1:
        raise UsageError(f"the limit is {limit}, not a number of samples")
    if not program.windows_meet or any(p.phase < 1 for p in program.populations):
        raise ProgramError("the phases mix neighbouring samples, so no output is of one sample")
    judged = Task.of(program, task)
    check_workable(program, "deployment")
    shape = program.encoder.sample_shape
    x = check_samples(samples_for(program, x, limit, bin, warner(warn, DataWarning)).x, shape)
    look_at_samples(program, x, warner(warn, DataWarning))
    messages = stream(program, x)
    names = [p.name for p in program.populations]
    total = len(messages)
    trace = run(
        program,
        messages,
        membranes=names if membranes else _read_membranes(program),
        stock=stock,
        timeout=timeout,
        progress=None if progress is None else lambda done: progress(done, total),
    )
    comparison = None
    wrapped: dict[str, int] = {}
    clipped: dict[str, int] = {}
    if verify:
        expected = (simulator or default_simulator(membranes))(program, messages)
        comparison = compare(program, trace, expected, membranes)
        wrapped, clipped = expected.wrapped, expected.clipped
    made = DeployResult(
        **_samples(program, len(x), messages, trace, judged),
        wrapped=dict(wrapped),
        clipped=dict(clipped),
        seconds=trace.seconds,
        start_seconds=trace.start_seconds,
        step_seconds=trace.step_seconds,
        lava_steps=total,
        models=trace.models,
        comparison=comparison,
    )
    warn = warner(warn, RunWarning)
    if made.models == "lava" and not stock:
        warn("numba is not installed: Lava's own models ran, which take far longer")
    warn_of_overflow(made, warn)
    if made.first_mismatch is not None:
        warn(f"not the same: {made.first_mismatch}")
    return made


def stream(program: Program, x: np.ndarray) -> np.ndarray:
    """Input messages of samples one after the other, and silence until the last leaves.

    Parameters
    ----------
    x
        Checked samples (n, *shape).

    Returns
    -------
    int32 (n * period + largest phase - 1, inputs): until the last window has ended.
    """
    level = levels(program.encoder, x)
    period = program.period
    drain = max(_fire_phase(program, p) for p in program.populations) - 1
    messages = np.zeros((len(x) * period + drain, program.inputs), np.int32)
    for k, row in enumerate(level):
        messages[k * period : (k + 1) * period] = encode(program.encoder, row, period, k)
    return messages


def _read_membranes(program: Program) -> list[str]:
    """Populations whose membranes the outputs are made of."""
    none = program.decoder.code.membranes == "none"
    return [] if none else [program.decoder.population]


def _fire_phase(program: Program, population: Population) -> int:
    """Step at which a population's last window of the first sample begins."""
    if not population.neuron.fires:
        return population.phase
    return population.fire_phase(program.period)


def default_simulator(membranes: bool) -> Simulator:
    """The fast engine, or the reference where Numba is not installed."""
    if importlib.util.find_spec("numba") is None:
        from neurodeploy.simulator import reference

        return reference.run
    from neurodeploy.simulator.engine import Engine

    return lambda program, messages: Engine(program).run_stream(messages, membranes)


def _samples(
    program: Program, samples: int, messages: np.ndarray, trace: LavaTrace, task: Task
) -> dict[str, Any]:
    """Outputs, spikes and synaptic operations, from the windows of the samples."""
    period = program.period

    def window(k: int, phase: int) -> slice:
        return slice(k * period + phase - 1, k * period + phase - 1 + period)

    sent: dict[str, tuple[np.ndarray, int]] = {INPUT: (messages, 1)}
    sent |= {p.name: (trace.spikes[p.name], _fire_phase(program, p)) for p in program.populations}
    # messages of each source neuron in each sample, int64 (samples, neurons)
    counts = {
        name: np.stack([np.count_nonzero(raster[window(k, phase)], 0) for k in range(samples)])
        for name, (raster, phase) in sent.items()
    }
    operations: dict[str, np.ndarray] = {}
    for c in program.connections:
        done = counts[c.source] @ c.synapses.fan_out(program.shape_of(c.source))
        operations[c.name] = operations[c.name] + done if c.name in operations else done
    decoder = program.population(program.decoder.population)
    fires = _fire_phase(program, decoder)
    of_step = trace.messages.get(decoder.name, trace.spikes[decoder.name])
    held = trace.membrane.get(decoder.name)
    integers = program.decoder.integers(
        np.zeros((samples, 0, decoder.size), np.int32)
        if held is None
        else np.stack([held[window(k, decoder.phase)] for k in range(samples)]),
        np.stack([of_step[window(k, fires)] for k in range(samples)]).astype(np.int32),
        period,
    )
    outputs = (integers * program.decoder.unit).astype(np.float32)
    return {
        "outputs": task.shaped(outputs),
        "task": task,
        "spikes": {p.name: counts[p.name].sum(1) for p in program.populations},
        "synaptic_operations": operations,
    }
