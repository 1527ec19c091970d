"""What is done with a file, as a user would: each way ends well or with one clear refusal."""

from __future__ import annotations

import contextlib
import io
import time
import traceback
import warnings
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from neurodeploy.cli import _invoke
from neurodeploy.errors import NeuroDeployError

__all__ = ["FAILURES", "OUTCOMES", "judge"]

#: `ok`: everything was done. `refused`: an error of ours said why not.
OUTCOMES = ("ok", "refused", "traceback", "unprintable", "hang", "memory", "crash")
FAILURES = OUTCOMES[2:]
#: Samples of more numbers are not made.
_MOST_INPUTS = 10**6
_LONGEST = 10_000


def _program(path: Path) -> None:
    """Load, inspect, map, simulate."""
    from neurodeploy.mapping import map_program
    from neurodeploy.program.storage import load
    from neurodeploy.reporting.inspection import describe
    from neurodeploy.simulating import simulate

    program = load(path)
    _command("inspect", str(path))
    describe(program)
    refusals = []
    for work in (map_program, simulate):
        try:
            if work is map_program:
                map_program(program)
            elif prod(program.encoder.sample_shape) <= _MOST_INPUTS:
                x = np.random.default_rng(0).random((2, *program.encoder.sample_shape))
                simulate(program, x.astype(np.float32), threads=1)
        except NeuroDeployError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def _samples(path: Path) -> None:
    """Load, and take for samples of a program."""
    from neurodeploy.samples import load_samples
    from neurodeploy.simulator.encoding import check_samples

    samples = load_samples(path)
    x = samples.limit(2).x
    shapes = [(1, 4, 4), (7,), (2, 3)]
    fitting = [shape for shape in shapes if shape == x.shape[1:]] or shapes[:1]
    check_samples(x, fitting[0], str(path))


def _target(path: Path) -> None:
    """Load, show, and map a small program onto it."""
    from neurodeploy.mapping import map_program
    from neurodeploy.targets import load_target
    from neurodeploy.testing.programs import random_program

    target = load_target(str(path))
    program, _ = random_program(np.random.default_rng(3), aligned=True)
    map_program(program, target)


def _model(path: Path) -> None:
    """Check, and compile without samples, in either scheme by the file's size."""
    import neurodeploy as nd
    from neurodeploy.conversion import schemes

    names = sorted(schemes())
    scheme = names[path.stat().st_size % len(names)]
    report = nd.check(path, scheme)
    if not report.ok:
        # what check refuses, compile need not be tried for
        raise NeuroDeployError(report.refused[0].reason, place=report.refused[0].node)
    nd.compile(path, scheme=scheme, steps=8)


_WORK: dict[str, Callable[[Path], None]] = {
    ".ndp": _program,
    ".npz": _samples,
    ".npy": _samples,
    ".toml": _target,
    ".onnx": _model,
}


def _command(*arguments: str) -> None:
    """A command of the command line; what it prints has no control characters."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        _invoke(list(arguments))
    _printable(out.getvalue())


class UnprintableError(Exception):
    """Something that must not reach a terminal was printed."""


def _printable(text: str) -> None:
    found = [c for c in text if not c.isprintable() and c not in "\n\t"]
    if found:
        raise UnprintableError(f"{found[0]!r} in {text[:200]!r}")


def judge(path: Path, phase: Callable[[str], None] = lambda name: None) -> dict[str, Any]:
    """Outcome and detail of a file; `phase` is told ``import`` and, behind the work, ``done``."""
    phase("import")
    start = time.monotonic()
    outcome, detail = "ok", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _WORK[path.suffix](path)
    except NeuroDeployError as error:
        outcome, detail = "refused", str(error)
        try:
            _printable(detail)
            if len(detail) > _LONGEST:
                raise UnprintableError(f"a message of {len(detail)} characters")
        except UnprintableError as other:
            outcome, detail = "unprintable", str(other)
    except UnprintableError as error:
        outcome, detail = "unprintable", str(error)
    except MemoryError:
        outcome, detail = "memory", traceback.format_exc()[-1500:]
    except BaseException:
        outcome, detail = "traceback", traceback.format_exc()[-1500:]
    seconds = round(time.monotonic() - start, 2)
    phase("done")
    return {"outcome": outcome, "detail": detail, "seconds": seconds}
