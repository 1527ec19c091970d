"""`--scheme auto`: a program of every scheme that the target can run, and the best of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neurodeploy.conversion import AUTO, candidates
from neurodeploy.errors import ConversionError, NeuroDeployError, UnsupportedError, UsageError
from neurodeploy.importing import load_network
from neurodeploy.ledger.choosing import choose
from neurodeploy.program import Program
from neurodeploy.samples import read_samples
from neurodeploy.targets import Target

if TYPE_CHECKING:
    from neurodeploy.importing.reading.sources import Model
    from neurodeploy.ledger import Trial

__all__ = ["compile_best"]


def compile_best(
    make: Callable[..., Program],
    model: Model,
    calibration: Any,
    given: Mapping[str, Any],
    hardware: Target,
    output: str | None,
    progress: Callable[[str, int, int], None],
) -> tuple[Program, Trial, list[str]]:
    """The program of the scheme that is best for a network and a target, and what to say of it."""
    taken, left_out = candidates(given, hardware)
    if calibration is None:
        raise UsageError(
            "schemes are compared on calibration samples, and there are none",
            place=f"--scheme {AUTO}",
            remedy=f"give --calibration, or name one of {', '.join(taken)}",
        )
    network = load_network(model, output).network
    x = read_samples(calibration, network.shapes[network.input.name], "calibration").x
    programs: dict[str, Program] = {}
    lines: dict[str, list[str]] = {}
    refusal: NeuroDeployError | None = None
    for done, name in enumerate(taken):
        progress("choose", done, len(taken))
        said: list[str] = []
        try:
            programs[name] = make(model, x, scheme=name, warn=said.append, **given)
        except (ConversionError, UnsupportedError, UsageError) as error:
            left_out[name], refusal = error.message, error
            continue
        lines[name] = said
    if refusal is not None and not programs:
        raise refusal
    choice = choose(programs, network, x)
    progress("choose", len(taken), len(taken))
    if not choice.name:
        notes = "; ".join(f"{name}: {trial.note}" for name, trial in choice.trials.items())
        raise UsageError(
            f"no scheme could be tried on the calibration samples: {notes}",
            place=f"--scheme {AUTO}",
            remedy=f"name one of {', '.join(programs)}",
        )
    line = f"scheme {choice.reason}"
    if left_out:
        line += "; left out: " + "; ".join(f"{n} ({why})" for n, why in left_out.items())
    program = programs[choice.name]
    record = {"choice": choice.as_dict() | {"left_out": left_out, "reason": line}}
    program = replace(program, provenance={**program.provenance, **record})
    return program, choice.trials[choice.name], [line, *lines[choice.name]]
