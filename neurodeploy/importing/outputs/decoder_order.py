"""Whether decoding nodes, one behind the other, still say what the network's outputs say."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx_ir as ir

from neurodeploy.importing.limits import MAX_ACTIVATION

__all__ = ["Fault", "faults"]


class Fault(NamedTuple):
    """Why a decoding node cannot be left to the reader of the outputs, and what to do."""

    reason: str
    remedy: str


#: Leave 0 where it is, so that a sign still tells.
_ODD = ("Tanh",)
_SQUASHES = ("Sigmoid", "Tanh")
_PICKS = ("ArgMax", "Hardmax")
_END = "end the exported model before it"


def faults(nodes: tuple[ir.Node, ...], version: int) -> dict[ir.Node, Fault]:
    """Of decoding nodes those that say something else than the outputs before them.

    1. Softmax, Hardmax or ArgMax along an axis of length 1: the same for every sample.
    2. One of them across the lines of a softmax before it: each line is scaled by itself, so
       across lines the order is lost.
    3. Sigmoid or Tanh behind probabilities: what was beyond a half, or above 0, no longer is. A
       logarithm of what may be negative. Anything that reads classes as if they were scores.
    4. A cast of probabilities to whole numbers or truth values: it rounds all of them to 0, or
       says yes to all.

    Parameters
    ----------
    nodes
        As `decoder_nodes` returns them, in order.
    version
        Operator set version.
    """
    found: dict[ir.Node, Fault] = {}
    before, lines = "", None
    for node in nodes:
        kind = node.op_type
        if kind.startswith("QLinear"):
            kind = kind.removeprefix("QLinear")
        fault = _values(node, kind, before)
        if kind.endswith(("max", "Max")):
            here = _lines(node, version)
            if here is not None and here.shape[1] == 1:
                fault = Fault(
                    f"{kind} works along an axis of length 1: it gives the same for every sample",
                    _END + ": one output is read by its sign",
                )
            elif lines is not None and here is not None and not _within(here, lines):
                fault = fault or Fault(
                    f"{kind} compares numbers that lie in different lines of the softmax before it",
                    "let both work along the same axis, or " + _END,
                )
            if kind != "ArgMax" and here is not None:
                lines = here
        if fault:
            found[node] = fault
        if kind.endswith(("max", "Max", *_SQUASHES)) or kind == "Log":
            before = kind
    return found


def _values(node: ir.Node, kind: str, before: str) -> Fault | None:
    """What the numbers themselves forbid, whatever their axes."""
    decodes = kind.endswith(("max", "Max", *_SQUASHES)) or kind == "Log"
    if before == "ArgMax" and decodes:
        return Fault(f"{kind} reads positions, as if they were scores", _END)
    if kind in _SQUASHES and before and before not in _ODD:
        where = "its 0.5" if kind == "Sigmoid" else "its 0"
        return Fault(
            f"{kind} stands behind {before}: {where} is no longer where {before} changes its mind",
            "export the model with one of the two",
        )
    if kind == "Log" and before not in ("Sigmoid", "Softmax", "Hardmax"):
        return Fault(f"Log of what may be negative, behind {before or 'the outputs'}", _END)
    if kind == "Cast" and before not in ("", *_PICKS):
        to = node.attributes.get("to")
        if to is not None and not _is_float(to.value):
            return Fault(
                f"Cast makes whole numbers of the {before}'s: nearly all of them become one",
                _END + ", or choose the class with ArgMax",
            )
    return None


def _is_float(number: Any) -> bool:
    try:
        return ir.DataType(number).is_floating_point()
    except ValueError:
        return False


def _lines(node: ir.Node, version: int) -> np.ndarray | None:
    """Positions (lines, length) of a sample's numbers that a node compares; None if unknown."""
    shape = None if node.inputs[0] is None else node.inputs[0].shape
    if shape is None or not shape.is_static():
        return None
    sizes = [int(d) for d in shape if isinstance(d, int)]
    if node.op_type.startswith("QLinear"):
        stated = node.attributes.get("opset")
        version = version if stated is None else stated.value
    axis = node.attributes.get("axis")
    default = 0 if node.op_type == "ArgMax" else -1 if version >= 13 else 1
    number = default if axis is None else axis.value
    if type(number) is not int or not -len(sizes) <= number < len(sizes):
        return None
    count = int(np.prod(sizes[1:]))
    number %= len(sizes)
    if number == 0 or not 0 < count <= MAX_ACTIVATION:
        return None  # along the batch, which is refused
    positions = np.arange(count).reshape(sizes[1:])
    if version < 13 and node.op_type != "ArgMax":  # all axes from this one on
        return positions.reshape(int(np.prod(sizes[1:number])), -1)
    return np.moveaxis(positions, number - 1, -1).reshape(-1, sizes[number])


def _within(lines: np.ndarray, others: np.ndarray) -> bool:
    """Whether each of some lines lies within one of the others."""
    number = np.empty(others.size, np.int64)
    number[others] = np.arange(len(others))[:, None]
    found = number[lines]
    return bool((found == found[:, :1]).all())
