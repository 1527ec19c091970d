"""`export`: a program, or a network that spikes, as a NIR graph."""

from __future__ import annotations

from pathlib import Path

from neurodeploy.errors import UsageError
from neurodeploy.files import write_atomically
from neurodeploy.network import Network
from neurodeploy.network.from_program import program_network
from neurodeploy.network.nir_export import nir_bytes, nir_graph
from neurodeploy.program import Program
from neurodeploy.program.type_check import check_program

__all__ = ["export"]


def export(what: Program | Network, path: str | Path, dt: float | None = None) -> None:
    """Write a NIR graph.

    Of a program: the network that it computes, with its integers in real units; samples, code and
    decoder have no place in NIR. Compiled again with the same `dt` and reset, it has the same
    spikes.

    Parameters
    ----------
    what
        A program, or a network that spikes.
    path
        Of the ``.nir`` to write.
    dt
        Seconds a step; default: what the program was compiled with, else 1e-3.

    Raises
    ------
    NeuroDeployError
        ProgramError, ModelError: what NIR has no node for. UsageError: another suffix, or `nir` is
        not installed.

    References
    ----------
    Pedersen et al. 2024, "Neuromorphic intermediate representation", Nature Communications.
    """
    if Path(path).suffix.lower() != ".nir":
        raise UsageError(f"{path} is no .nir", place="--output", remedy="name it like model.nir")
    if not isinstance(what, Network):
        check_program(what)
    if isinstance(what, Program):
        said = what.recorded("options").get("dt")
        known = said if isinstance(said, int | float) and said > 0 else None
        network = program_network(what)
    else:
        known, network = None, what
    graph = nir_graph(network, dt if dt is not None else known or 1e-3)
    write_atomically(path, nir_bytes(graph))
