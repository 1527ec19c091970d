"""A Program laid out for the engine: internal numbering, scatter tables, accumulator widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodeploy.program import Connection, Convolution, Dense, Population, Program
from neurodeploy.program.bounds import bounds
from neurodeploy.simulator import kernels
from neurodeploy.simulator.layout import convolution_grouped, convolution_rows, internal_order
from neurodeploy.simulator.steppers import is_plain

__all__ = ["Layer", "Plan", "Scatter"]

#: Bytes of currents worked on at once: stays in a core's second-level cache with the weights.
_BLOCK_BYTES = 400_000


@dataclass(frozen=True)
class Scatter:
    """One connection: ``kernel(block, first, index, start, value, *arguments)``."""

    connection: Connection
    kernel: Callable[..., Any]
    arguments: tuple[Any, ...]
    fan_out: np.ndarray


@dataclass(frozen=True)
class Layer:
    """One population with what arrives at it, in internal numbering.

    Attributes
    ----------
    order
        C-order index of each internal neuron.
    plain
        Whether `kernels.step_plain` may compute it (no decay, wrap excluded by proof).
    checked
        Whether the membrane could clip, so far as is proved.
    block_steps
        Steps worked on at once.
    """

    population: Population
    scatters: tuple[Scatter, ...]
    order: np.ndarray
    dtype: type
    plain: bool
    checked: bool
    block_steps: int


class Plan:
    """The layers of a program, sources first.

    Attributes
    ----------
    program : Program
    layers : tuple of Layer
    input_order : numpy.ndarray
        C-order index of each internal input number.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.input_order = internal_order(program.encoder.shape)
        proofs = bounds(program)
        layers = []
        for p in program.order:
            proof = proofs[p.name]
            # a partial sum, in whatever order messages come, lies within the bound of the whole
            dtype = _dtype(max(-proof.synaptic[0], proof.synaptic[1]))
            layers.append(
                Layer(
                    population=p,
                    scatters=tuple(_scatter(program, c, dtype) for c in program.incoming(p.name)),
                    order=internal_order(p.shape),
                    dtype=dtype,
                    plain=is_plain(p.neuron, proof, dtype),
                    checked=not proof.cannot_clip,
                    block_steps=max(1, _BLOCK_BYTES // (p.size * np.dtype(dtype).itemsize)),
                )
            )
        self.layers = tuple(layers)


def _dtype(largest: int) -> type:
    """Narrowest accumulator that provably holds every partial sum."""
    if largest < 2**15:
        return np.int16
    return np.int32 if largest < 2**31 else np.int64


def _scatter(program: Program, connection: Connection, dtype: type) -> Scatter:
    synapses = connection.synapses
    shape = program.shape_of(connection.source)
    order = internal_order(shape)
    target_order = internal_order(program.population(connection.target).shape)
    weights = synapses.weights
    if connection.exponent:
        weights = weights.astype(np.int32) << connection.exponent
        if dtype is np.int16:
            weights = weights.astype(np.int16)
    kernel: Callable[..., Any]
    if isinstance(synapses, Dense):
        rows = convolution_rows(
            Convolution(np.zeros((weights.shape[0], weights.shape[1], 1, 1), np.int8)),
            np.ascontiguousarray(weights[target_order][:, order])[:, :, None, None],
            (weights.shape[1], 1, 1),
        )
        kernel, arguments = kernels.scatter_rows, _fields(rows)
    elif isinstance(synapses, Convolution):
        if synapses.groups == 1:
            kernel = kernels.scatter_rows
            arguments = _fields(convolution_rows(synapses, weights, shape))
        else:
            kernel = kernels.scatter_grouped
            arguments = _fields(convolution_grouped(synapses, weights, shape))
    else:
        place = np.empty_like(target_order)
        place[target_order] = np.arange(target_order.size)
        rows_of = place[np.repeat(np.arange(place.size), np.diff(synapses.row_starts))]
        inverse = np.empty_like(order)
        inverse[order] = np.arange(order.size)
        columns = inverse[synapses.columns]
        by_column = np.lexsort((rows_of, columns))
        starts = np.zeros(order.size + 1, np.int64)
        np.cumsum(np.bincount(columns, minlength=order.size), out=starts[1:])
        kernel = kernels.scatter_sparse
        arguments = (weights[by_column], rows_of[by_column].astype(np.int32), starts)
    return Scatter(connection, kernel, arguments, synapses.fan_out(shape)[order])


def _fields(tables: Any) -> tuple[Any, ...]:
    """Fields of a dataclass in order, without copying arrays."""
    return tuple(getattr(tables, name) for name in tables.__dataclass_fields__)
