"""Operator sets: which can be read, and old ones brought to the oldest that the handlers know."""

from __future__ import annotations

import onnx
import onnx.shape_inference
import onnx.version_converter

from neurodeploy.errors import ModelError

__all__ = ["OLDEST", "modernise", "version"]

#: Handlers know operators of this set and later: implicit broadcasting, no is_test.
HANDLED = 7
#: onnx's own converter brings these to `HANDLED`. For older ones there is no record to test with.
OLDEST = 6


def version(model: onnx.ModelProto) -> int:
    """Version of ONNX's own operators, which `read_model` has checked to be one."""
    return int(next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")))


def modernise(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model in operator set 7 or later.

    1. 7 and later: as it is.
    2. 6: shapes are inferred and `onnx.version_converter` rewrites broadcasts and drops what only
       training needed. Nodes keep their names; those that it inserts have none.

    Refused: operators that set 6 does not have, and nodes that the converter cannot rewrite.

    Parameters
    ----------
    model
        Checked; initialisers are not among its inputs, every input dimension is a number, and no
        other shapes are claimed.

    Raises
    ------
    ModelError
        See above; any failure of the library is one.
    """
    found = version(model)
    if found >= HANDLED:
        return model
    remedy = f"export with operator set {HANDLED} or later, best 17"
    for node in model.graph.node:
        if node.domain in ("", "ai.onnx") and not _exists(node.op_type, found):
            raise ModelError(
                f"operator {node.op_type} does not exist in operator set {found}",
                place=f"node {node.name!r}",
                remedy=remedy,
            )
    old = onnx.ModelProto()
    old.CopyFrom(model)
    # Before IR version 4 every initialiser had to be an input as well, and the converter insists.
    old.ir_version = max(old.ir_version, 4)
    try:
        return onnx.version_converter.convert_version(
            onnx.shape_inference.infer_shapes(old), HANDLED
        )
    except Exception as error:  # a library on a hostile graph
        text = str(error).partition("failed: ")[2] or str(error) or type(error).__name__
        raise ModelError(
            f"cannot be brought from operator set {found} to {HANDLED}: "
            f"{text.splitlines()[0][:200]}",
            remedy=remedy,
        ) from error


def _exists(op_type: str, found: int) -> bool:
    try:
        onnx.defs.get_schema(op_type, found)
    except onnx.defs.SchemaError:
        return False
    return True
