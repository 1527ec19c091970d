"""The verdict on each ONNX node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Verdict"]

Verdict = Literal["converts", "folds", "decoder", "refused", "unknown"]


@dataclass(frozen=True)
class Finding:
    """The verdict on one node.

    Attributes
    ----------
    node
        Name of the node; empty for a finding about the whole file.
    op_type
        Its operator, with the domain where that is not ONNX's own.
    verdict
        ``converts``: becomes nodes of the Network. ``folds``: disappears into constants, shapes or
        a neighbour. ``decoder``: only reads the class off the outputs, moved there. ``refused``:
        cannot become spikes. ``unknown``: not examined, because it reads what a refused node
        makes, and the shape of that is not known.
    reason, remedy
        Why, and what the user can do.
    """

    node: str
    op_type: str
    verdict: Verdict
    reason: str
    remedy: str = ""
