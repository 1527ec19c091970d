"""Messages and membranes of many samples at every step, sample by sample or as one stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import prepared
from neurodeploy.simulator.streaming import messages_of_samples, windows

__all__ = ["run_recorded"]

#: Samples that the engine runs at once.
_BATCH = 16


def run_recorded(
    program: Program, x: np.ndarray, populations: Sequence[str], membranes: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Messages and membranes, (n, period, *shape) by population.

    Parameters
    ----------
    x
        (n, *sample shape), checked.
    populations
        ``"input"`` may be among them.
    """
    period, n = program.period, len(x)
    sent = {
        name: np.zeros(
            (n, period, *program.shape_of(name)), np.int32 if program.is_graded(name) else bool
        )
        for name in populations
    }
    held = {name: np.zeros((n, period, *program.shape_of(name)), np.int32) for name in membranes}

    def keep(kept: dict[str, np.ndarray], name: str, part: slice, rows: np.ndarray) -> None:
        kept[name][part] = rows.reshape(kept[name][part].shape)

    engine = prepared(program, Engine)
    if INPUT in sent:
        for k in range(n):
            keep(sent, INPUT, slice(k, k + 1), messages_of_samples(program, x, range(k, k + 1)))
    alone = program.is_aligned and all(p.phase >= 1 for p in program.populations)
    names = [name for name in populations if name != INPUT]
    if alone:
        for start in range(0, n, _BATCH):
            part = slice(start, min(start + _BATCH, n))
            level = encoding.levels(program.encoder, x[part])
            run = engine.run_samples(level, start, record=membranes, messages=names)
            for name in names:
                keep(sent, name, part, run.messages[name])
            for name in membranes:
                keep(held, name, part, run.membranes[name])
        return sent, held
    last = max(p.fire_phase(period) for p in program.populations)
    stream = messages_of_samples(program, x, range(n))
    stream = np.concatenate([stream, np.zeros((last, stream.shape[1]), np.int32)])
    trace = engine.run_stream(stream, set(membranes))
    for p in program.populations:
        fires, reads = p.fire_phase(period) - 1, p.phase - 1
        if p.name in sent:
            rows = trace.messages.get(p.name, trace.spikes[p.name])
            keep(sent, p.name, slice(0, n), windows(rows, fires, fires + n * period, period))
        if p.name in held:
            rows = trace.membrane[p.name]
            keep(held, p.name, slice(0, n), windows(rows, reads, reads + n * period, period))
    return sent, held
