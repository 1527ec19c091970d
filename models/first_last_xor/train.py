"""Train FIRST-LAST-XOR: is the last bit of a string another than the first?

    python models/first_last_xor/train.py

Needs the `train` extra; a few seconds. Trained on 128 of the 256 strings of eight bits, tried on
the other 128 and on all 16,384 strings of fourteen. Writes, beside this file:

- `program.ndp`       for strings of 14 bits
- `certificate.json`  what was proved and measured
- `test.npz`          `x` uint8 (1000, 14, 2), `y` (1000,): strings of 14 bits
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from neurodeploy.training.reconstruction import ThresholdNetworkClassifier
from neurodeploy.training.reconstruction.compiling import certificate, compiled, program_score
from neurodeploy.training.reconstruction.tasks import first_last_xor, xor_split

HERE = Path(__file__).resolve().parent
LENGTH = 14


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE, help="where the files are written")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    train, test = xor_split(8, 128, rng)
    model = ThresholdNetworkClassifier(random_state=options.seed).fit(*train)

    x, y = first_last_xor((np.arange(2**LENGTH)[:, None] >> np.arange(LENGTH)) & 1)
    program = compiled(model, x)
    record = certificate(model, program) | {
        "the other 128 strings of 8 bits": program_score(model, compiled(model, test[0]), *test),
        "all 16,384 strings of 14 bits": program_score(model, program, x, y),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    program.save(options.out / "program.ndp")
    some = rng.permutation(len(x))[:1000]
    np.savez_compressed(options.out / "test.npz", x=x[some], y=y[some])
    text = json.dumps(record, indent=2)
    (options.out / "certificate.json").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
