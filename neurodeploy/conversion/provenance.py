"""Where a program comes from, told in the program."""

from __future__ import annotations

import hashlib
import platform
from typing import TYPE_CHECKING, Any

import numpy as np

import neurodeploy

if TYPE_CHECKING:
    from neurodeploy.calibration import Calibration
    from neurodeploy.importing import Imported

__all__ = ["provenance_of"]


def provenance_of(
    imported: Imported,
    calibration: np.ndarray | None,
    known: Calibration,
    scale_from: str,
    options: dict[str, Any],
    task: dict[str, Any],
) -> dict[str, Any]:
    """Model, calibration, options, versions: JSON-like, for `Program.provenance`.

    Parameters
    ----------
    calibration
        The samples before preprocessing, if there are any.
    known
        What was learned of them.
    scale_from
        What the choice of the samples' scale rests on.
    options
        Of the scheme, and of `compile` besides it.
    task
        How outputs are judged.
    """
    return {
        "model": {
            "file": imported.file,
            "sha256": imported.sha256,
            "external_sha256": dict(imported.external_sha256),
            "producer": imported.producer,
            "opset": imported.opset,
            "input": imported.input_name,
            "output": imported.output_name,
            "decoder": list(imported.decoder),
            "classes": list(imported.classes),
        },
        "calibration": {
            "samples": known.samples,
            "sha256": "" if calibration is None else _digest(calibration),
            "dtype": "" if calibration is None else str(calibration.dtype),
            "scale_from": scale_from,
        },
        "task": task,
        "options": {
            **options,
            "input_range": list(known.input_range),
            "output_range": list(known.output_range),
        },
        "versions": {"neurodeploy": neurodeploy.__version__, "numpy": np.__version__},
        "platform": platform.machine(),
    }


def _digest(x: np.ndarray) -> str:
    """SHA-256 of an array's dtype, shape and content."""
    x = np.ascontiguousarray(x)
    digest = hashlib.sha256(f"{x.dtype.str} {x.shape}".encode())
    digest.update(x.data)
    return digest.hexdigest()
