"""Generic clean-up by onnx-ir and onnxscript: inline, fold constants, drop the unused.

What is ours here is only the fence around them: how much a file may make them do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnx_ir as ir
import onnx_ir.passes.common as common

from neurodeploy.errors import ModelError
from neurodeploy.importing.constants.constant_of_shape import lift_filled
from neurodeploy.importing.constants.folding import fold
from neurodeploy.importing.constants.quantizers import QUANTISERS
from neurodeploy.importing.reading.classical_weights import state_shapes
from neurodeploy.importing.reading.opsets import modernise, version
from neurodeploy.importing.reading.structure import (
    check_expansion,
    check_splits,
    check_structure,
    data_input,
    fix_batch,
    name_nodes,
)

__all__ = ["Cleaned", "clean"]


@dataclass(frozen=True)
class Cleaned:
    """A model ready to be walked.

    Attributes
    ----------
    model
        Functions inlined, constants folded, nodes in topological order.
    original
        Name and operator of each node of the file's main graph, in its order.
    functions
        Operators that the file defines itself, spelled as in `original`.
    batch
        Size of the batch axis in `model`: the file's, or 1 where the file leaves it open.
    opset
        Version of ONNX's own operators in `model`: the file's, or 7 where that is older.
    unfolded
        Why a node that depends on constants alone was not computed, by its name.
    """

    model: ir.Model
    original: tuple[tuple[str, str], ...]
    functions: frozenset[str]
    batch: int
    opset: int
    unfolded: dict[str, str] = field(default_factory=dict)


@contextmanager
def _quiet() -> Iterator[None]:
    """What is not folded, or not finite, is said by the findings, not by libraries."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _forget_shapes(graph: ir.Graph) -> None:
    """Drop the file's own claims: they may be wrong, and name the batch that is now fixed."""
    for node in graph.all_nodes():
        for value in node.outputs:
            value.shape = None


def _own_domain(graph: ir.Graph) -> None:
    """ONNX Runtime has these in its own domain, for types that old operator sets did not have."""
    for node in graph:
        if node.domain == "com.microsoft" and node.op_type in QUANTISERS:
            node.domain = ""


def clean(model: onnx.ModelProto) -> Cleaned:
    """Reduce a model to operators on activations, with every shape a number.

    1. Unnamed or equally named nodes get names; initialisers are no inputs any more.
    2. An open batch axis becomes 1: the network is what the model computes on one sample.
    3. Operator set 6 becomes 7 (`modernise`).
    4. Functions are inlined, nodes sorted, constants and shape arithmetic folded within
       `MAX_FOLDED`, larger fillings kept as views (`lift_filled`), identities and unused nodes
       removed.

    Refused: no or several data inputs, open dimensions other than the batch, values produced
    twice or never, cycles, recursive functions, more than `MAX_NODES` nodes.

    Parameters
    ----------
    model
        Changed in place.

    Raises
    ------
    ModelError
        See above; any failure of the libraries is one, too.
    """
    original = name_nodes(model.graph)
    functions = frozenset(f"{f.domain}::{f.name}" if f.domain else f.name for f in model.functions)
    batch = fix_batch(data_input(model))
    check_structure(model.graph)
    check_expansion(model)
    check_splits(model)
    del model.graph.value_info[:]
    modern = modernise(model)
    name_nodes(modern.graph)  # those that came in on the way
    try:
        with _quiet():
            graph_model = ir.from_proto(modern)
            common.InlinePass()(graph_model)
            common.TopologicalSortPass()(graph_model)
            _forget_shapes(graph_model.graph)
            state_shapes(graph_model.graph, batch)
            _own_domain(graph_model.graph)
            unfolded = fold(graph_model, version(modern))
            lift_filled(graph_model.graph)
            common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(
                graph_model
            )
            common.IdentityEliminationPass()(graph_model)
            common.RemoveUnusedNodesPass()(graph_model)
    except ModelError:
        raise
    except Exception as error:  # libraries on a hostile graph: whatever they raise is a bad model
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelError(
            f"is not a valid graph: {reason}",
            remedy="run onnx.checker.check_model on it, or export it again",
        ) from error
    return Cleaned(graph_model, original, functions, batch, version(modern), unfolded)
