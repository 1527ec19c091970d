"""Stages whose sums are shifted path by path: all but one path in whole units.

Lava's synapses shift each connection by itself (docs/semantics.md, section 17). Of the paths into a
stage one keeps its weights in eight bits and is shifted; the others bring whole integers: those
that repeat a source, or sums and differences of it, do, and any other becomes two stages of its
own, its positive and its negative part.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from neurodeploy.network import Conv, Dense
from neurodeploy.network.operators import times
from neurodeploy.network.stages import Operator, Path, Stage
from neurodeploy.quantization.window import WHOLE, repeats

__all__ = ["repeated", "split_sums"]


def split_sums(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages with parts of their own where more than one path is shifted.

    Left alone: readouts, which shift nothing, and maxima.
    """
    found: list[Stage] = []
    for stage in stages:
        if stage.kind == "relu":
            found += _split(stage)
        else:
            found.append(stage)
    return tuple(found)


def repeated(stages: tuple[Stage, ...]) -> set[str]:
    """Stages that others repeat beside a path of their own."""
    return {
        path.source
        for stage in stages
        if stage.kind == "relu" and len(stage.paths) > 1
        for path in stage.paths
        if repeats(path.operator, stage.shape, WHOLE)
    }


def _split(stage: Stage) -> list[Stage]:
    shifted = [i for i, p in enumerate(stage.paths) if not repeats(p.operator, stage.shape, WHOLE)]
    if len(shifted) < 2:
        return [stage]
    kept = max(shifted, key=lambda i: _weights(stage.paths[i].operator))
    size = stage.bias.size
    parts: list[Stage] = []
    paths = [p for i, p in enumerate(stage.paths) if i == kept or i not in shifted]
    for number, i in enumerate((i for i in shifted if i != kept), 1):
        path = stage.paths[i]
        names = [f"{stage.name}/part{number}{sign}" for sign in "+-"]
        for name, sign in zip(names, (1.0, -1.0), strict=True):
            parts.append(
                replace(
                    stage,
                    name=name,
                    activation="",
                    paths=(replace(path, operator=times(path.operator, sign)),),
                    bias=np.zeros(size),
                    maximum=None,
                    like="" if sign > 0 else names[0],
                )
            )
            paths.append(Path(name, sparse.identity(size, format="csr") * sign))
    return [*parts, replace(stage, paths=tuple(paths))]


def _weights(operator: Operator) -> float:
    """Weights a neuron."""
    if isinstance(operator, Conv | Dense):
        return float(operator.weight[0].size)
    return operator.nnz / max(operator.shape[0], 1)
