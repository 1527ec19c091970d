"""Which processes a program needs on a chip, and who ships each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from neurodeploy.program import Convolution, Dense, Program

__all__ = ["Needed", "as_rows", "needed", "needs"]

_LAVA = "Intel, in Lava"
_NOBODY = "nobody: to be written in Loihi 2's microcode (docs/to-a-chip.md)"


@dataclass(frozen=True)
class Needed:
    """One process, or what a chip does of itself.

    Attributes
    ----------
    process
        Its name.
    use
        What it does in the program.
    count
        Populations or connections that need it.
    by
        Who ships it.
    """

    process: str
    use: str
    count: int
    by: str


def needed(program: Program) -> tuple[Needed, ...]:
    """Of neurons, biases and connections; input and output are the deployment's."""
    found: dict[tuple[str, str, str], int] = {}

    def add(process: str, use: str, by: str) -> None:
        found[process, use, by] = found.get((process, use, by), 0) + 1

    for p in program.populations:
        if not program.is_stock(p.name):
            add(f"neuron kind {p.neuron.kind!r}", "neurons", _NOBODY)
            continue
        shipped = p.neuron.shipped
        add(shipped, "neurons", "Intel, in NxSDK" if "NxSDK" in shipped else _LAVA)
        if p.neuron.bias_synapses:
            add("lava.proc.lif.LIF, lava.proc.dense.Dense", "biases", _LAVA)
    for c in program.connections:
        shifts = bool(program.population(c.target).neuron.synapse_shift)
        add(f"lava.proc.{_connection(c.synapses, shifts, c.delay > 1)}", "connections", _LAVA)
    return tuple(Needed(process, use, n, by) for (process, use, by), n in found.items())


def _connection(synapses: object, shifts: bool, waits: bool) -> str:
    if isinstance(synapses, Dense) and not waits:
        return "dense.Dense"
    if isinstance(synapses, Convolution) and not shifts and not waits:
        return "conv.Conv"
    return "sparse.DelaySparse" if waits else "sparse.Sparse"


def needs(program: Program) -> str:
    """In one line: what of it has to be asked for."""
    own = sorted({p.neuron.kind for p in program.populations if not program.is_stock(p.name)})
    if own:
        return (
            f"custom microcode ({', '.join(own)}): you need Intel's Loihi 2 assembler and have to "
            "write it, nobody ships it (docs/to-a-chip.md)"
        )
    shipped = sorted({p.neuron.shipped for p in program.populations})
    return f"stock ({', '.join(shipped)}): nothing, Intel ships all of it"


def as_rows(program: Program) -> list[dict[str, Any]]:
    """JSON-like."""
    return [asdict(row) for row in needed(program)]
