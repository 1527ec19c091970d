"""Which kernels ran, and on what: proof that a suite of programs reached every path."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

from neurodeploy.simulator import kernels

__all__ = ["watched"]

_RESETS = {
    kernels.RESET_ZERO: "zero",
    kernels.RESET_SUBTRACT: "subtract",
    kernels.RESET_NONE: "none",
}


@contextmanager
def watched() -> Iterator[Counter[str]]:
    """A count of the kernels that engines call, by name and by what tells their paths apart.

    Engines must be made inside: they keep some kernels by reference.
    """
    seen: Counter[str] = Counter()
    with ExitStack() as stack:
        for name in kernels.__all__:
            kernel = getattr(kernels, name)
            if callable(kernel):
                stack.enter_context(mock.patch.object(kernels, name, _counted(kernel, name, seen)))
        yield seen


def _counted(kernel: Any, name: str, seen: Counter[str]) -> Callable[..., Any]:
    signature = inspect.signature(getattr(kernel, "py_func", kernel))
    more = _MORE.get(name, lambda **arguments: [])

    def call(*arguments: Any) -> Any:
        given = signature.bind(*arguments).arguments
        block = given.get("block")
        bits = "" if block is None else str(8 * block.dtype.itemsize)
        seen.update({name, f"{name}{bits}", *(f"{name} {what}" for what in more(**given))})
        return kernel(*arguments)

    return call


def _gather(block: np.ndarray, first: int, geometry: np.ndarray, keep: bool, **_: Any) -> list[str]:
    _, width, height, rows, pitch, _, stride_y, stride_x, top, left = geometry[:10].tolist()
    out_width, out_height, outputs, tile, lanes, panels, tile_rows = geometry[10:].tolist()
    found = {
        f"lanes {lanes}": True,
        f"tile {tile}": True,
        "two rows": tile_rows > 1,
        "last two rows in part": out_height % tile_rows > 0,
        "several panels": panels > 1,
        "last panel in part": tile * outputs % lanes > 0,
        "last tile in part": out_width % tile > 0,
        "added": keep,
        "in place": not keep,
        "before the first event": first < 0,
        "one position": width * height == 1,
        "one row": height == 1 and width > 1 and out_width > 1,
        "strided": stride_y > 1 or stride_x > 1,
        "rows dilated": pitch > 1,
        "strided and dilated": pitch > 1 and stride_y > 1 and rows > 1,
        "padded": top + left > 0,
    }
    return [what for what, true in found.items() if true]


def _stamp(
    first: int, start: np.ndarray, geometry: np.ndarray, where: np.ndarray, keep: bool, **_: Any
) -> list[str]:
    channels, reached, pieces, lanes, _ = geometry.tolist()
    kinds = np.unique(where[:, 1] // (channels * reached * pieces * lanes))
    found = {
        f"lanes {lanes}": True,
        "several pieces": pieces > 1,
        "one run": reached == 1,
        "fewer runs at an edge": bool((where[:, 2] < reached).any()),
        "several kinds": kinds.size > 1,
        "added": keep,
        "in place": not keep,
        "before the first event": first < 0,
        "a silent step": bool((np.diff(start) == 0).any()),
    }
    return [what for what, true in found.items() if true]


def _scattered(
    block: np.ndarray, first: int, start: np.ndarray, value: np.ndarray, **_: Any
) -> list[str]:
    kind = ("graded" if value.size else "binary") if start[-1] else "no"
    return [kind, f"{kind} {8 * block.dtype.itemsize}", *_early(first)]


def _early(first: int, **_: Any) -> list[str]:
    return ["before the first event"] if first < 0 else []


def _signed(first: int, zero: int, **_: Any) -> list[str]:
    return [*_early(first), "from a zero point" if zero else "from 0"]


_MORE: dict[str, Callable[..., list[str]]] = {
    "gather": _gather,
    "stamp": _stamp,
    "scatter_rows": _scattered,
    "scatter_grouped": _scattered,
    "scatter_single": _scattered,
    "scatter_sparse": _scattered,
    "add_diagonal": _early,
    "add_diagonal_integers": _early,
    "pool_events": lambda high, wide, **_: [f"{high}x{wide}"],
    "put": lambda keep, **_: ["added" if keep else "in place"],
    "lay_out": _early,
    "lay_out_bits": _early,
    "lay_out_integers": _signed,
    "lay_out_rows": _signed,
    "turn_units": lambda behind, **_: ["negated" if behind else "as they are"],
    "spread_units": lambda behind, **_: ["negated" if behind else "as they are"],
    "collect": lambda channels, **_: [
        "by position" if channels % kernels.WIDTH == 0 else "located"
    ],
    "step_plain": lambda mode, checked, neurons, **_: [
        _RESETS[mode],
        "checked" if checked else "unchecked",
        "last word in part" if neurons % kernels.WORD else "whole words",
    ],
    "step_lif": lambda mode, **_: [_RESETS[mode]],
    "step_integrate_fire_plain": lambda signed, checked, fires, **_: [
        ("signed" if signed else "unsigned") if fires else "readout",
        "checked" if checked else "unchecked",
    ],
    "step_levels_plain": lambda checked, dv, **_: [
        "checked" if checked else "unchecked",
        "leaky" if dv else "without leak",
    ],
}
