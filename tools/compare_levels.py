"""Random programs of multi-level firing, in every way there is: how many numbers differ.

Each program on the reference, on the engine (in all its ways), written out as stock populations on
the reference, and on Lava: every message, and the membranes of all levels. Exit code 1 if anything
differs.

    python tools/compare_levels.py --programs 200
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, field, replace

import numpy as np

from neurodeploy.program import Levels, Program
from neurodeploy.program.expansion import expand_levels, level_name
from neurodeploy.program.neurons import State, Stepped
from neurodeploy.simulator import reference
from neurodeploy.testing.comparing import compare_stream
from neurodeploy.testing.level_programs import random_levels


@dataclass(frozen=True, eq=False)
class Watched(Levels):
    """Keeps the membranes of all levels, step by step."""

    log: list[np.ndarray] = field(default_factory=list)

    def step(self, state: State, a: np.ndarray, tau: int, period: int) -> Stepped:
        """As `Levels.step`."""
        stepped = super().step(state, a, tau, period)
        self.log.append(np.vstack([state["v"], state["higher"]]))
        return stepped


def against_stock(program: Program, messages: np.ndarray) -> dict[str, int]:
    """Messages and membranes of all levels beside those of the stock populations."""
    watched = {
        p.name: Watched(**vars(p.neuron))
        for p in program.populations
        if isinstance(p.neuron, Levels)
    }
    own = replace(
        program,
        populations=tuple(
            replace(p, neuron=watched.get(p.name, p.neuron)) for p in program.populations
        ),
    )
    found = reference.run(own, messages)
    expected = reference.run(expand_levels(program), messages)
    count = dict.fromkeys(("messages", "messages_differ", "membranes", "membranes_differ"), 0)
    for p in program.populations:
        names = [p.name]
        sent, membranes = found.spikes[p.name].astype(int), [found.membrane[p.name]]
        if p.name in watched:
            names = [level_name(p.name, k + 1) for k in range(len(watched[p.name].thresholds))]
            sent = found.messages.get(p.name, sent)
            membranes = list(np.stack(watched[p.name].log, axis=1))
        total = sum(expected.spikes[name].astype(int) for name in names)
        count["messages"] += int(np.count_nonzero(total))
        count["messages_differ"] += int((sent != total).sum())
        for name, membrane in zip(names, membranes, strict=True):
            count["membranes"] += membrane.size
            count["membranes_differ"] += int((expected.membrane[name] != membrane).sum())
    return count


def against_lava(program: Program, messages: np.ndarray) -> dict[str, int]:
    """Messages and first membranes beside those on Lava."""
    from neurodeploy.lava.comparison import compare
    from neurodeploy.lava.run import run

    names = [p.name for p in program.populations]
    found = run(program, messages, membranes=names, timeout=300)
    told = compare(program, found, reference.run(program, messages), True)
    return {
        "lava_messages": told.compared_spikes,
        "lava_messages_differ": told.mismatched_spikes,
        "lava_membranes": told.compared_membranes or 0,
        "lava_membranes_differ": told.mismatched_membranes or 0,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--no-lava", action="store_true")
    options = parser.parse_args()
    total: dict[str, int] = {"programs": 0, "engine_programs_differ": 0}
    for seed in range(options.seed, options.seed + options.programs):
        program, messages = random_levels(seed)
        parts = [against_stock(program, messages)]
        if not options.no_lava:
            parts.append(against_lava(program, messages))
        try:
            compare_stream(program, messages)
        except AssertionError as error:
            total["engine_programs_differ"] += 1
            print(f"seed {seed}: {str(error).splitlines()[0]}", file=sys.stderr)
        total["programs"] += 1
        for part in parts:
            for name, value in part.items():
                total[name] = total.get(name, 0) + value
    print(json.dumps(total, indent=2))
    return int(any(value for name, value in total.items() if name.endswith("differ")))


if __name__ == "__main__":
    sys.exit(main())
