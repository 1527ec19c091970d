"""Train the adder: two binary numbers in, their sum out, digit by digit.

    python models/adder/train.py

Needs the `train` extra; a few seconds. Trained on 250 pairs of five digits, tried on all pairs of
five digits and on 10,000 of twenty. Writes, beside this file:

- `program.ndp`       for numbers of up to 20 digits
- `certificate.json`  what was proved and measured
- `test.npz`          `x` uint8 (500, 21, 2), `y` (500, 21): pairs of 20 digits
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
from neurodeploy.training.reconstruction.tasks import addition

HERE = Path(__file__).resolve().parent
DIGITS = 20
#: Two digits of a step.
PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint8)


def carried(carry: int, symbol: int) -> tuple[int, int]:
    """The carry after a step, and the digit of the sum."""
    total = carry + int(PAIRS[symbol].sum())
    return total // 2, total % 2


def every_pair(digits: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of numbers of so many binary digits, and their sums."""
    a, b = np.divmod(np.arange(4**digits), 2**digits)
    place = np.arange(digits + 1)
    x = np.stack([(a[:, None] >> place) & 1, (b[:, None] >> place) & 1], axis=2)
    return x.astype(np.uint8), ((a + b)[:, None] >> place) & 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE, help="where the files are written")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    model = ThresholdNetworkClassifier(
        thetas=(0.5, 1.5, 2.5), rho=1e-3, rounds=4, candidates=1000, keep=80,
        random_state=options.seed,
    ).fit(*addition(2, 5, 250, rng))  # fmt: skip

    long = addition(2, DIGITS, 10_000, rng)
    program = compiled(model, long[0])
    x, y = every_pair(5)
    more = ((0, 0), (0, DIGITS - 5))  # zeros behind the highest digit
    short = np.pad(x, (*more, (0, 0))), np.pad(y, more)
    cover = transition_cover(model.result_.branches, PAIRS, 0, carried)
    x = np.zeros((len(cover.sequences), DIGITS + 1, 2), np.uint8)
    y = np.zeros(x.shape[:2], int)
    for row, (symbols, label) in enumerate(zip(cover.sequences, cover.labels, strict=True)):
        x[row, : len(symbols)], y[row, len(symbols) - 1] = PAIRS[list(symbols)], label
    last = np.array([len(symbols) - 1 for symbols in cover.sequences])
    found = nd.simulate(program, x).outputs.argmax(2)
    every = np.arange(len(last)), last
    record = certificate(model, program) | {
        "all 1,024 pairs of 5 digits": program_score(model, program, *short),
        "reachable states": cover.states,
        "transitions": len(last),
        "transitions that are right": int((found[every] == y[every]).sum()),
        "10,000 pairs of 20 digits": program_score(model, program, *long),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    program.save(options.out / "program.ndp")
    np.savez_compressed(options.out / "test.npz", x=long[0][:500], y=long[1][:500])
    text = json.dumps(record, indent=2)
    (options.out / "certificate.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
