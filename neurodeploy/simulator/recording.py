"""When each neuron fired for one sample, and the membranes of the populations that are watched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.closed_form import is_closed_form
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import check_by_sample, prepared

__all__ = ["Recording", "record"]


@dataclass(frozen=True)
class Recording:
    """One sample, the first of a stream.

    Attributes
    ----------
    spikes
        By population, and for the input where it sends spikes: the step (from 1) and the neuron
        (C order) of each spike, int32 (spikes,) both, by step.
    membrane
        int32 (period, neurons) of the populations watched and the decoder's, C order; the first
        row is the step at which the population's window begins.
    """

    spikes: dict[str, tuple[np.ndarray, np.ndarray]]
    membrane: dict[str, np.ndarray]


def record(
    program: Program, level: np.ndarray, index: int = 0, watch: Collection[str] = ()
) -> Recording:
    """Run one sample of an aligned program and keep what happened.

    1. Programs with a closed form: messages from the integers, membranes from the engine, on the
       messages that reach the population.
    2. All others, the rate code for one: as the engine runs them.

    Refused: phases that mix samples.

    Parameters
    ----------
    level
        int32 (inputs,), from `encoding.levels`.
    index
        Position of the sample in its data set (seeds the Poisson encoder).
    watch
        Populations whose membranes are kept: period times neurons integers each.
    """
    check_by_sample(program)
    if is_closed_form(program):
        return _coded(program, level, index, watch)
    return _stepped(program, level, index, watch)


def _stepped(program: Program, level: np.ndarray, index: int, watch: Collection[str]) -> Recording:
    engine = prepared(program, Engine)
    run = engine.run_samples(level[None], index, record=watch, rasters=True)
    spikes = {}
    if not program.encoder.code.steady:
        sent = encoding.encode(program.encoder, level, program.period, index)
        step, neuron = np.nonzero(sent)
        spikes[INPUT] = (step + 1).astype(np.int32), neuron.astype(np.int32)
    for p in program.populations:
        step, neuron = map(np.concatenate, zip(*run.rasters[p.name], strict=True))
        begins = p.fire_phase(program.period)
        ordered = np.lexsort((neuron, step))  # the engine has its own order within a step
        step, neuron = step[ordered], neuron[ordered]
        spikes[p.name] = (step + begins).astype(np.int32), neuron.astype(np.int32)
    membrane = {name: rows[0] for name, rows in run.membranes.items()}
    return Recording(spikes, membrane)


def _coded(program: Program, level: np.ndarray, index: int, watch: Collection[str]) -> Recording:
    window, engine = program.period, prepared(program, Engine)
    fired = {
        INPUT: level,
        **{k: v[0] for k, v in activity(program, level[None], index).fired.items()},
    }
    begins = {INPUT: 1} | {p.name: p.fire_phase(window) for p in program.populations}
    messages = {name: _messages(program, name, x) for name, x in fired.items()}
    spikes = {}
    for name, rows in messages.items():
        step, neuron = np.nonzero(rows)
        spikes[name] = (step + begins[name]).astype(np.int32), neuron.astype(np.int32)
    membrane = {}
    for layer in engine.plan.layers:
        name = layer.population.name
        if name in watch or name == program.decoder.population:
            sources = {c.source for c in program.incoming(name)}
            arriving = {source: messages[source] for source in sources}
            membrane[name] = engine.run_window(layer, arriving)
    return Recording(spikes, membrane)


def _messages(program: Program, name: str, x: np.ndarray) -> np.ndarray:
    """What says the integers `x`, int32 (period, neurons)."""
    code = program.window_code(name)
    assert code is not None  # closed forms are of window codes only
    return np.array([code.messages(x, t, program.period) for t in range(program.period)], np.int32)
