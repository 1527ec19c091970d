"""A Network that was built in Python, as what an importer yields."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np

from neurodeploy.errors import UsageError, shown
from neurodeploy.importing.importer import Imported
from neurodeploy.importing.report.findings import Finding
from neurodeploy.network import Network

__all__ = ["imported_network"]


def imported_network(network: Network, output: str | None = None) -> Imported:
    """The Network with a digest of its content in the place of a file's.

    Raises
    ------
    UsageError
        It has no output of that name.
    """
    if output is not None and output != network.output.name:
        raise UsageError(f"{shown(output)} is no output; there is: {network.output.name}")
    findings = tuple(
        Finding(node.name, type(node).__name__, "converts", "stands in the network")
        for node in network
    )
    return Imported(
        network=network,
        file="",
        sha256=_digest(network),
        external_sha256={},
        opset=0,
        producer="neurodeploy.network",
        input_name=network.input.name,
        integer_input=False,
        output_name=network.output.name,
        other_outputs=(),
        decoder=(),
        class_axis=None,
        findings=findings,
    )


def _digest(network: Network) -> str:
    """SHA-256 of all nodes, their fields and their inputs."""
    digest = hashlib.sha256()
    for node in network:
        digest.update(repr((type(node).__name__, network.inputs_of(node.name))).encode())
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            if isinstance(value, np.ndarray):
                digest.update(f"{field.name} {value.dtype.str} {value.shape}".encode())
                digest.update(np.ascontiguousarray(value).data)
            else:
                digest.update(f"{field.name} {value!r}".encode())
    return digest.hexdigest()
