"""Which models are NIR graphs, told without a reader of HDF5."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeGuard

__all__ = ["HDF5_HEAD", "is_nir"]

HDF5_HEAD = b"\x89HDF\r\n\x1a\n"


def is_nir(model: Any) -> TypeGuard[str | os.PathLike[str] | bytes]:
    """Whether a model is a NIR graph: a file named ``.nir``, or HDF5 with a graph's members."""
    if isinstance(model, str | os.PathLike):
        path = Path(os.fsdecode(model))
        if path.suffix.lower() == ".nir":
            return True
        try:
            with path.open("rb") as file:
                head = file.read(2**20)
        except (OSError, ValueError):
            return False  # told by whoever opens it
    elif isinstance(model, bytes | bytearray | memoryview):
        head = bytes(model[: 2**20])
    else:
        return False
    return head.startswith(HDF5_HEAD) and b"nodes" in head and b"edges" in head
