"""Train FIRST-LAST-XOR: at each step, is the bit another than the first of the string?

    python models/first_last_xor/train.py

Needs the `train` extra; a few seconds. Trained on 128 of the 256 strings of eight bits with a label
at every step, tried on the other 128, on all 16,384 strings of fourteen, and on every transition
that its units can take. Writes, beside this file:

- `program.ndp`       for strings of 14 bits
- `certificate.json`  what was proved and measured
- `test.npz`          `x` uint8 (1000, 14, 2), `y` (1000, 14): strings of 14 bits
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

import neurodeploy as nd
from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.automaton import transition_cover
from neurodeploy.training.reconstruction.compiling import certificate, compiled, program_score
from neurodeploy.training.reconstruction.tasks import first_last_xor, xor_split

HERE = Path(__file__).resolve().parent
LENGTH = 14


def every_step(x: np.ndarray) -> np.ndarray:
    """Of strings (n, T, 2) whether each bit is another than the first, (n, T)."""
    bits = x[..., 1].astype(int)
    return bits ^ bits[:, :1]


def first_and_last(first: int | None, bit: int) -> tuple[int, int]:
    """The first bit, and whether this one is another."""
    first = bit if first is None else first
    return first, first ^ bit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE, help="where the files are written")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    (x, _), (test, _) = xor_split(8, 128, rng)
    model = ThresholdNetworkClassifier(
        rounds=3, candidates=3000, keep=150, random_state=options.seed
    ).fit(x, every_step(x))  # fmt: skip

    cover = transition_cover(model.result_.branches, np.eye(2), None, first_and_last)
    bits = np.zeros((len(cover.sequences), LENGTH), int)
    for row, symbols in enumerate(cover.sequences):
        bits[row, : len(symbols)] = symbols
    last = np.arange(len(bits)), [len(symbols) - 1 for symbols in cover.sequences]
    x, _ = first_last_xor(bits)
    program = compiled(model, x)
    found = nd.simulate(program, x).outputs.argmax(2)
    right = found[last] == cover.labels
    x, _ = first_last_xor((np.arange(2**LENGTH)[:, None] >> np.arange(LENGTH)) & 1)
    record = certificate(model, program) | {
        "the other 128 strings of 8 bits": model.score(test, every_step(test)),
        "all 16,384 strings of 14 bits": program_score(model, program, x, every_step(x)),
        "reachable states": cover.states,
        "transitions": len(right),
        "transitions that are right": int(right.sum()),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    program.save(options.out / "program.ndp")
    some = rng.permutation(len(x))[:1000]
    np.savez_compressed(options.out / "test.npz", x=x[some], y=every_step(x[some]))
    text = json.dumps(record, indent=2)
    (options.out / "certificate.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
