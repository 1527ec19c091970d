"""What a spiking network's float steps and its program have in common, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neurodeploy.display import Displayed
from neurodeploy.network.operators import operator_matrix
from neurodeploy.network.stages import Stage
from neurodeploy.network.stepping import Steps, step_through
from neurodeploy.program import INPUT, Connection, Dense, Program
from neurodeploy.program.neurons.lif import DECAY_ONE
from neurodeploy.simulator import encoding
from neurodeploy.simulator.engine import Engine
from neurodeploy.simulator.preparing import check_by_sample, prepared

__all__ = ["SpikingExplanation", "SpikingRow", "explain_spiking"]

#: Entries of a matrix up to which rounded weights are held against their floats.
_MOST_ENTRIES = 2**24
_BATCH = 16


@dataclass(frozen=True)
class SpikingRow:
    """One layer.

    Attributes
    ----------
    network, program
        Spikes a sample.
    same
        Share of neurons and steps at which both spike or both do not.
    kept
        Share of the network's spikes that the program has at the same step.
    own
        `same`, where the layer is given the network's own spikes as input: what its own rounding
        changes; None where a source reaches it by ways of different delays.
    membrane
        RMS of the difference of the membranes over the RMS of the network's.
    weights, threshold, leak
        Relative error of the rounded weights (RMS), of the threshold, and of the membrane's leak.
    """

    name: str
    neurons: int
    network: float
    program: float
    same: float
    kept: float
    own: float | None
    membrane: float
    weights: float | None
    threshold: float
    leak: float


@dataclass(frozen=True, repr=False)
class SpikingExplanation(Displayed):
    """All layers, the outputs, and which layer's rounding changes most.

    Attributes
    ----------
    rows
        Layers, sources first.
    samples
        Number of samples.
    agreement
        Share of samples with the same largest output, 0..1 (not percent).
    accuracy
        Shares of right answers of network and program, 0..1 (not percent); None without labels.
    sentence
        Which layer's rounding changes most, in words.
    """

    rows: tuple[SpikingRow, ...]
    samples: int
    agreement: float
    accuracy: tuple[float, float] | None
    sentence: str

    def facts(self) -> dict[str, Any]:
        """See `Displayed.facts`."""
        return {"samples": self.samples, "layers": len(self.rows), "agreement": self.agreement}

    def records(self) -> list[dict[str, Any]]:
        """A row a layer.

        Returns
        -------
        list of dict
            The fields of `SpikingRow`: spikes a sample, and shares of 0..1.
        """
        return [asdict(row) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, as `explain --json` has them.

        Returns
        -------
        dict
            JSON-like.
        """
        return asdict(self)


def explain_spiking(
    program: Program, stages: Sequence[Stage], x: np.ndarray, labels: np.ndarray | None = None
) -> SpikingExplanation:
    """Run both on the same input, and each layer of the program on the network's spikes.

    Parameters
    ----------
    stages
        Of the network that the program was made of.
    x
        (n, *sample shape). The network is given what the program is: integers in real units.
    """
    check_by_sample(program)
    engine = prepared(program, Engine)
    made = {p.name for p in program.populations}
    kept = [stage for stage in stages if stage.name in made]
    size = program.period - program.decoder.tail
    totals = {stage.name: np.zeros(8) for stage in kept}
    outputs: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for start in range(0, len(x), _BATCH):
        level = encoding.levels(program.encoder, x[start : start + _BATCH])
        rows = [
            encoding.encode(program.encoder, row, program.period, start + k)
            for k, row in enumerate(level)
        ]
        sent = np.stack(rows)
        unit = program.encoder.code.unit(program.encoder.unit)
        real = sent[:, :size].reshape(len(level), size, *program.encoder.shape) * unit
        network = step_through(stages, program.encoder.shape, real)
        names = [stage.name for stage in kept]
        run = engine.run_samples(level, start, record=names, messages=names)
        for stage in kept:
            _count(
                totals[stage.name], program, engine, stage, network, sent,
                run.messages[stage.name][:, :size] != 0, run.membranes[stage.name][:, :size],
            )  # fmt: skip
        last = program.population(program.decoder.population)
        steps = network[last.name]
        outputs[0].append(_read(program, steps.membranes / last.membrane_units, steps.spikes))
        outputs[1].append(
            _read(program, run.membranes[last.name][:, :size], run.messages[last.name][:, :size])
        )
    found = tuple(_row(program, stage, totals[stage.name], len(x), size) for stage in kept)
    theirs, ours = (np.concatenate(o).reshape(len(x), -1).argmax(1) for o in outputs)
    accuracy = None
    if labels is not None and labels.shape == theirs.shape:
        accuracy = float((theirs == labels).mean()), float((ours == labels).mean())
    return SpikingExplanation(
        found, len(x), float((theirs == ours).mean()), accuracy, _sentence(found)
    )


def _read(program: Program, membranes: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    steps = program.period - program.decoder.tail
    return np.asarray(program.decoder.code.integers(membranes, spikes.astype(np.int32), steps))


def _count(
    total: np.ndarray,
    program: Program,
    engine: Engine,
    stage: Stage,
    network: dict[str, Steps],
    sent: np.ndarray,
    fired: np.ndarray,
    membranes: np.ndarray,
) -> None:
    """Add a batch: spikes of both, steps equal, spikes kept, steps equal alone, squares."""
    steps, p = network[stage.name], program.population(stage.name)
    alone: np.ndarray | None = fired  # where the input alone is read, it is the network's
    if any(c.source != INPUT for c in program.incoming(stage.name)):
        alone = _alone(program, engine, stage.name, network, sent, fired.shape[1])
    total[0] += steps.spikes.sum()
    total[1] += fired.sum()
    total[2] += (steps.spikes == fired).sum()
    total[3] += (steps.spikes & fired).sum()
    total[4] += np.nan if alone is None else (steps.spikes == alone).sum()
    total[5] += ((membranes * p.membrane_units - steps.membranes) ** 2).sum()
    total[6] += (steps.membranes**2).sum()


def _alone(
    program: Program,
    engine: Engine,
    name: str,
    network: dict[str, Steps],
    sent: np.ndarray,
    size: int,
) -> np.ndarray | None:
    """Spikes of a layer that is given the network's, (n, size, neurons)."""
    late: dict[str, set[int]] = {}
    for c in program.incoming(name):
        late.setdefault(c.source, set()).add(program.lead(c))
    if any(len(leads) > 1 for leads in late.values()):
        return None
    layer = next(la for la in engine.plan.layers if la.population.name == name)
    n = len(sent)
    found = np.zeros((n, size, layer.population.size), bool)
    for k in range(n):
        messages = {}
        for source, (lead,) in late.items():
            rows = np.zeros((program.period, int(np.prod(program.shape_of(source)))), np.int32)
            given = sent[k] if source == INPUT else network[source].messages[k]
            length = min(len(given), program.period - lead)
            rows[lead : lead + length] = given[:length]
            messages[source] = rows
        events = engine.run_layer(
            layer, {s: engine.events(s, m) for s, m in messages.items()}, None
        )
        row = np.repeat(np.arange(program.period), np.diff(events.start))
        neuron = layer.order[events.index[: events.start[-1]]]
        fired = np.zeros((program.period, layer.population.size), bool)
        fired[row, neuron] = True
        found[k] = fired[:size]
    return found


def _row(program: Program, stage: Stage, total: np.ndarray, n: int, steps: int) -> SpikingRow:
    p = program.population(stage.name)
    each = n * steps * p.size
    threshold = leak = 0.0
    registers = p.neuron.parameters()
    if stage.neuron is not None and {"threshold", "dv"} <= set(registers):
        if stage.neuron.reset != "none":
            real = registers["threshold"] * 2**p.neuron.input_shift * p.membrane_unit
            threshold = real / stage.neuron.threshold - 1
        stated = float(np.mean(stage.neuron.membrane_leak))
        leak = registers["dv"] / DECAY_ONE / stated - 1 if stated else 0.0
    errors = [_weight_error(program, c, stage) for c in program.incoming(p.name)]
    known = [e for e in errors if e is not None]
    return SpikingRow(
        name=stage.name,
        neurons=p.size,
        network=float(total[0] / n),
        program=float(total[1] / n),
        same=float(total[2] / each),
        kept=float(total[3] / total[0]) if total[0] else 1.0,
        own=None if np.isnan(total[4]) else float(total[4] / each),
        membrane=float(np.sqrt(total[5] / total[6])) if total[6] else 0.0,
        weights=max(known) if known else None,
        threshold=float(threshold),
        leak=float(leak),
    )


def _weight_error(program: Program, c: Connection, stage: Stage) -> float | None:
    """RMS of the rounding of a connection's weights over theirs; None for large or several ways."""
    ways = [path for path in stage.paths if path.source == c.source]
    shape = program.shape_of(c.source)
    p = program.population(c.target)
    if len(ways) != 1 or int(np.prod(shape)) * p.size > _MOST_ENTRIES:
        return None
    real = operator_matrix(ways[0].operator, shape)
    scale = p.membrane_unit * 2**p.neuron.input_shift * 2**c.exponent
    if c.source == INPUT:
        scale /= program.encoder.code.unit(program.encoder.unit)
    if isinstance(c.synapses, Dense):
        whole: Any = c.synapses.weights * scale
    else:
        from neurodeploy.program.triplets import triplets

        to, at, weights = triplets(c.synapses, shape)
        whole = np.zeros((p.size, int(np.prod(shape))))
        np.add.at(whole, (to, at), weights * scale)
    dense = np.asarray(real.todense())
    norm = float(np.sqrt((dense**2).mean()))
    return float(np.sqrt(((whole - dense) ** 2).mean())) / norm if norm else 0.0


def _sentence(rows: Sequence[SpikingRow]) -> str:
    """Which layer to look at first."""
    told = [row for row in rows if row.own is not None]
    if not told or min(row.own for row in told if row.own is not None) == 1:
        return "every spike of every layer is the network's, where it is given the network's input"
    worst = min(told, key=lambda row: row.own if row.own is not None else 1.0)
    causes = {
        "weights": worst.weights or 0.0,
        "threshold": abs(worst.threshold),
        "leak": abs(worst.leak),
    }
    cause = max(causes, key=causes.__getitem__)
    why = "; its weights, threshold and leak are exact, its decay is rounded to integers"
    if causes[cause] > 1e-6:
        why = f"; most of it in its {cause}, off by {100 * causes[cause]:.2g} %"
    own = 100 * (1 - (worst.own or 0.0))
    return f"{worst.name} changes most by itself: {own:.2g} % of its neurons and steps{why}"
