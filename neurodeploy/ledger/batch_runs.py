"""One batch of samples through the ANN, through the idealised programs, and through the real one.

Everything is compared at every population. `Values` are real numbers by population, float32
(n, neurons); the input is one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from neurodeploy.errors import DataError
from neurodeploy.ledger.input_layer import Entrance
from neurodeploy.ledger.layer import Layer
from neurodeploy.ledger.matching import Twin
from neurodeploy.network.evaluate import Evaluator
from neurodeploy.program import INPUT
from neurodeploy.simulator import encoding
from neurodeploy.simulator.activity import Activity, activity, sent_by_input

__all__ = ["Batch", "Runner", "Values", "only"]

Values = Mapping[str, np.ndarray]
Shape = Callable[["Layer | Entrance", np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Batch:
    """What a batch did.

    Attributes
    ----------
    exact
        The ANN.
    clipped, stepped, weighed
        The network with clips in all layers; with clips and grids; with the program's integers as
        well, spikes coming evenly (the closed form of the program).
    real
        The program, as simulated.
    alone
        For each cause what a population says if its inputs are the ANN's and nothing else is
        wrong with it: ``clipping``, ``steps``, ``weights``.
    late
        What a population says beyond its closed form on the very messages that reached it.
    activity
        What each population sent; the exit's membrane; overflows.
    """

    exact: Values
    clipped: Values
    stepped: Values
    weighed: Values
    real: Values
    alone: Mapping[str, Values]
    late: Values
    activity: Activity


class Runner:
    """A `Twin` made ready to run batches; thread-safe."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        taps = [layer.tap for layer in twin.layers if layer.tap]
        self._evaluator = Evaluator(twin.network, taps)

    def exact(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The ANN's values by population; `x` is network input (n, *shape).

        Raises
        ------
        DataError
            It computes NaN or infinity.
        """
        n = len(x)
        found = self._evaluator.run(x)
        values = {INPUT: x.reshape(n, -1)}
        for layer in self.twin.layers:
            known = found[layer.tap].reshape(n, -1) if layer.tap else layer.exact(values)
            values[layer.name] = known
        if not all(np.isfinite(value).all() for value in values.values()):
            raise DataError(
                "the network computes NaN or infinity on these samples",
                remedy="check scale, mean and std, and the model itself",
            )
        return values

    def run(self, x: np.ndarray, first_index: int = 0) -> Batch:
        """Everything there is to know of some samples; network input (n, *shape)."""
        twin = self.twin
        exact = self.exact(x)
        level = encoding.levels(twin.program.encoder, x)
        found = activity(twin.program, level, first_index)
        sent: dict[str, np.ndarray] = {INPUT: sent_by_input(twin.program, level, first_index)}
        for layer in twin.layers:
            readout = layer.kind == "readout"
            sent[layer.name] = found.membrane if readout else found.fired[layer.name]
        return Batch(
            exact=exact,
            clipped=self._floats(exact, lambda layer, a: layer.clip(a)),
            stepped=self._floats(exact, lambda layer, a: layer.grid(layer.clip(a))),
            weighed=self._closed_form(exact),
            real={part.name: part.real(sent[part.name]) for part in twin.parts},
            alone={
                "clipping": {part.name: part.clip(exact[part.name]) for part in twin.parts},
                "steps": {part.name: part.grid(exact[part.name]) for part in twin.parts},
                "weights": {layer.name: layer.weighed(exact) for layer in twin.layers},
            },
            late=self._late(exact, sent),
            activity=found,
        )

    def _floats(self, exact: Values, shape: Shape) -> dict[str, np.ndarray]:
        """The network with float weights and something done to every layer's values."""
        values = {INPUT: shape(self.twin.entrance, exact[INPUT])}
        for layer in self.twin.layers:
            values[layer.name] = shape(layer, layer.exact(values))
        return values

    def _closed_form(self, exact: Values) -> dict[str, np.ndarray]:
        messages = {INPUT: self.twin.entrance.settle(exact[INPUT])}
        for layer in self.twin.layers:
            messages[layer.name] = layer.settle(messages)
        return {part.name: part.real(messages[part.name]) for part in self.twin.parts}

    def _late(self, exact: Values, sent: Values) -> dict[str, np.ndarray]:
        """In integers first: where nothing is late this is zero, not merely small."""
        entrance = self.twin.entrance
        late: dict[str, np.ndarray] = {
            INPUT: entrance.worth(sent[INPUT] - entrance.settle(exact[INPUT]))
        }
        for layer in self.twin.layers:
            late[layer.name] = (sent[layer.name] - layer.settle(sent)) * layer.unit
        return {name: value.astype(np.float32) for name, value in late.items()}


def only(twin: Twin, exact: Values, name: str, value: np.ndarray) -> np.ndarray:
    """The output if one population says `value` and all behind it compute like the ANN."""
    values, changed = {**exact, name: value}, {name}
    for layer in twin.layers:
        if not changed.isdisjoint(layer.sources):
            values[layer.name] = layer.exact(values)
            changed.add(layer.name)
    return values[twin.readout.name]
