"""Lava models of our neuron kinds beside the step that defines each, without Lava's runtime.

Run by `test_neuron_models.py` in a process of its own, as `model_pairs.py` is: ``python
neuron_models.py CASES`` prints as JSON, by kind, how many messages were compared and how many of
them were not 0; it fails at the first that differs.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from model_pairs import built

from neurodeploy.lava.neurons import Window, process_of
from neurodeploy.lava.neurons.levels import MultiLevelFiring, MultiLevelFiringModel
from neurodeploy.lava.neurons.mask_maximum import FieldMaximum, FieldMaximumModel
from neurodeploy.lava.neurons.online import OnlineDigits, OnlineDigitsModel
from neurodeploy.lava.neurons.radix import RadixDigits, RadixDigitsModel
from neurodeploy.program import Levels, MaskMaximum, Online, Population, Radix
from neurodeploy.testing.neurons import neuron_of

KINDS = {
    "radix": (Radix, RadixDigits, RadixDigitsModel),
    "mask_maximum": (MaskMaximum, FieldMaximum, FieldMaximumModel),
    "levels": (Levels, MultiLevelFiring, MultiLevelFiringModel),
    "online": (Online, OnlineDigits, OnlineDigitsModel),
}


def compare(kind: str, seed: int) -> tuple[int, int]:
    """Messages and membranes over a few windows: how many, and how many messages are not 0."""
    rng = np.random.default_rng(seed)
    of, process_type, model_type = KINDS[kind]
    period, phase = int(rng.integers(1, 13)), int(rng.integers(0, 30))
    shape = tuple(int(n) for n in rng.integers(1, 5, rng.choice([1, 3])))
    size = int(np.prod(shape))
    neuron = neuron_of(rng, of, size, period, extreme=bool(rng.random() < 0.3))
    window = Window(Population("p", shape, neuron, phase), period, phase, {})
    process = process_of(neuron, window)
    assert type(process) is process_type
    model = built(model_type, process)
    state, order = neuron.start(size), window.order
    limit = int(rng.choice([3, 300, 2**22]))
    active = 0
    for step in range(1, 3 * period + 2):
        a = rng.integers(-limit // 3, limit + 1, size)
        model.a_in.message = a[order].reshape(window.shape).astype(np.int32)
        model.time_step = step
        model.run_spk()
        sent = neuron.step(state, a, (step - phase) % period, period).messages
        place = f"{kind}, seed {seed}, step {step}"
        np.testing.assert_array_equal(model.s_out.sent[-1].reshape(-1), sent[order], place)
        if "v" in state:
            np.testing.assert_array_equal(model.v.reshape(-1), state["v"][order], place)
        if "higher" in state:
            higher = model.membranes[1:].reshape(len(state["higher"]), size)
            np.testing.assert_array_equal(higher, state["higher"][:, order], place)
        active += int(np.count_nonzero(sent))
    return (3 * period + 1) * size, active


def main() -> None:
    report = {}
    for kind in KINDS:
        done = [compare(kind, seed) for seed in range(int(sys.argv[1]))]
        report[kind] = [sum(size for size, _ in done), sum(active for _, active in done)]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
