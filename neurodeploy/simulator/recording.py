"""When each neuron fired for one sample, and the membranes of the populations that are watched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from neurodeploy.program import INPUT, Program
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import activity
from neurodeploy.simulator.closed_form import is_time_coded
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

    1. Rate code, and programs that mix the codes: as the engine runs it.
    2. Time to first spike: spikes from their times, membranes from the engine, on the spikes
       that reach the population.

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
    if is_time_coded(program):
        return _timed(program, level, index, watch)
    return _rated(program, level, index, watch)


def _rated(program: Program, level: np.ndarray, index: int, watch: Collection[str]) -> Recording:
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
        spikes[p.name] = (step + begins).astype(np.int32), neuron.astype(np.int32)
    membrane = {name: rows[0] for name, rows in run.membranes.items()}
    return Recording(spikes, membrane)


def _timed(program: Program, level: np.ndarray, index: int, watch: Collection[str]) -> Recording:
    window, engine = program.period, prepared(program, Engine)
    fired = {
        INPUT: level,
        **{k: v[0] for k, v in activity(program, level[None], index).fired.items()},
    }
    begins = {INPUT: 1} | {p.name: p.fire_phase(window) for p in program.populations}
    spikes = {}
    for name, x in fired.items():
        (neuron,) = np.nonzero(x)
        neuron = neuron[np.argsort(-x[neuron], kind="stable")]
        spikes[name] = (
            (begins[name] + window - x[neuron]).astype(np.int32),
            neuron.astype(np.int32),
        )
    membrane = {}
    for layer in engine.plan.layers:
        name = layer.population.name
        if name in watch or name == program.decoder.population:
            sources = {c.source for c in program.incoming(name)}
            # the integer x arrives x steps before the window ends
            lead = np.arange(window, 0, -1)[:, None]
            arriving = {source: (fired[source] == lead).astype(np.int8) for source in sources}
            membrane[name] = engine.run_window(layer, arriving)
    return Recording(spikes, membrane)
