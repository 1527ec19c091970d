"""Simulators made ready for one program: what is timed, and the best form of each torch peer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import neurodeploy as nd
from neurodeploy.program import Program
from neurodeploy.simulator.encoding import levels
from simulator_bench.system_memory import free_bytes

__all__ = ["CLOCKS", "OWN", "Clock", "Contender", "Form", "best_form", "own", "torch_peer"]

#: Seconds that went by.
Clock = Callable[[], float]
#: By the wall, or what the processor worked for this process: on a busy machine, with one thread.
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "processor": time.process_time}

#: Name of this project's engine in the tables.
OWN = "neurodeploy"
FIRST_BATCH = 16
#: A first run longer than this is measured enough.
ENOUGH_SECONDS = 1.5
#: Forms this much slower than the best at the first batch size are not tried at others.
CLEARLY_SLOWER = 1.4
#: Tensors of a layer's window that a torch peer holds at once, roughly.
TENSORS = 6

#: Seconds before each run: threads that wait in a loop for more work of the last one go to sleep.
_PAUSE = 0.5


@dataclass(frozen=True)
class Form:
    """How a torch peer is run.

    Attributes
    ----------
    layered
        Layer by layer, a layer's linear part on all steps at once; else step by step.
    channels_last
        Memory format of maps.
    batch
        Samples at a time.
    """

    layered: bool
    channels_last: bool
    batch: int

    def __str__(self) -> str:
        order = "by layer" if self.layered else "by step"
        return f"{order}{', channels last' if self.channels_last else ''}, batch {self.batch}"


@dataclass(frozen=True)
class Contender:
    """A simulator with a program.

    Attributes
    ----------
    run
        From samples to the readout's membranes, whole numbers (samples, outputs).
    form
        None for ours, which chooses its own.
    """

    name: str
    run: Callable[[np.ndarray], np.ndarray]
    form: Form | None = None

    def timed(self, x: np.ndarray, clock: Clock) -> tuple[float, np.ndarray]:
        """Samples a second, and the membranes."""
        time.sleep(_PAUSE)
        began = clock()
        membranes = self.run(x)
        return len(x) / (clock() - began), membranes


def own(program: Program, threads: int) -> Contender:
    """The engine; samples are encoded within what is timed."""

    def run(x: np.ndarray) -> np.ndarray:
        outputs = nd.simulate(program, x, threads=threads).outputs
        return np.rint(outputs.reshape(len(x), -1) / program.decoder.unit)

    return Contender(OWN, run)


def torch_peer(name: str, program: Program, form: Form) -> Contender:
    """A framework on torch; whole batches run, a last one that is smaller is run as it is."""
    import torch

    from simulator_bench.model import TorchProgram
    from simulator_bench.peers import load

    peer = load(name)
    model = TorchProgram(
        program, peer.neuron, form.layered, form.channels_last, peer.time_axis, peer.unit
    ).eval()

    def run(x: np.ndarray) -> np.ndarray:
        level = levels(program.encoder, x).astype(np.float32)
        parts = torch.from_numpy(level).reshape(len(x), *program.encoder.shape)
        with torch.inference_mode():
            return np.concatenate([model(part).numpy() for part in parts.split(form.batch)])

    return Contender(name, run, form)


def best_form(
    name: str, program: Program, x: np.ndarray, batches: list[int], clock: Clock
) -> tuple[Form, float]:
    """The fastest form of those tried, and its samples a second.

    Every order and memory format at one batch size, then the other sizes for those near the best.
    There are as many samples as the largest batch has at least.
    """
    maps = any(len(p.shape) == 3 for p in program.populations)
    first = min(batches, key=lambda batch: abs(batch - FIRST_BATCH))
    forms = [
        Form(layered, last, first)
        for layered in (True, False)
        for last in ((False, True)[: 1 + maps])
    ]
    speeds = _speeds(name, program, x, forms, clock)
    if not speeds:
        raise MemoryError(f"{program.period} steps of {first} samples do not fit into memory")
    near = [f for f, speed in speeds.items() if speed * CLEARLY_SLOWER >= max(speeds.values())]
    others = [
        Form(f.layered, f.channels_last, batch) for f in near for batch in batches if batch != first
    ]
    speeds |= _speeds(name, program, x, others, clock)
    best = max(speeds, key=speeds.__getitem__)
    return best, speeds[best]


def _speeds(
    name: str, program: Program, x: np.ndarray, forms: list[Form], clock: Clock
) -> dict[Form, float]:
    found = {}
    for form in forms:
        if not _fits(program, form):
            continue
        contender, part = torch_peer(name, program, form), x[: form.batch]
        speed, _ = contender.timed(part, clock)
        if form.batch / speed < ENOUGH_SECONDS:  # the first run also prepares kernels
            speed, _ = contender.timed(part, clock)
        found[form] = speed
    return found


def _fits(program: Program, form: Form) -> bool:
    """Whether the largest layer's tensors fit into half of what is free."""
    steps = program.period if form.layered else 1
    largest = max(p.size for p in program.populations)
    return 4 * TENSORS * largest * steps * form.batch <= free_bytes() / 2
