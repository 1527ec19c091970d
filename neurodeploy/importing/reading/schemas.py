"""A node against ONNX's own description of its operator."""

from __future__ import annotations

import onnx
import onnx_ir as ir

from neurodeploy.errors import ModelError

__all__ = ["check_schema"]

_REMEDY = "export the model again; onnx.checker.check_model says more"


def check_schema(node: ir.Node, version: int) -> None:
    """Refuse a node that no runtime would take: handlers may then rely on its form.

    1. Inputs and outputs: as many as the operator has.
    2. Attributes: known, of their type, the required ones given.
    3. Operators of other domains have no schema here.

    Parameters
    ----------
    version
        Of the operator set.

    Raises
    ------
    ModelError
        What does not fit.
    """
    if node.domain not in ("", "ai.onnx"):
        return
    try:
        schema = onnx.defs.get_schema(node.op_type, version, "")
    except onnx.defs.SchemaError:
        raise ModelError(
            f"there is no {node.op_type} in operator set {version}", remedy=_REMEDY
        ) from None
    for what, count, least, most in (
        ("inputs", len(node.inputs), schema.min_input, schema.max_input),
        ("outputs", len(node.outputs), schema.min_output, schema.max_output),
    ):
        if not least <= count <= most:
            fits = least if least == most else f"{least} to {most}"
            raise ModelError(f"has {count} {what}; {node.op_type} has {fits}", remedy=_REMEDY)
    for name, attribute in node.attributes.items():
        known = schema.attributes.get(name)
        if known is None:
            raise ModelError(f"{node.op_type} has no attribute {name!r}", remedy=_REMEDY)
        wanted = ir.AttributeType(int(known.type.value))  # type: ignore[attr-defined]
        if attribute.type != wanted:
            raise ModelError(
                f"attribute {name!r} is of type {attribute.type.name}, not {wanted.name}",
                remedy=_REMEDY,
            )
    for name, known in schema.attributes.items():
        if known.required and name not in node.attributes:
            raise ModelError(f"attribute {name!r} is missing", remedy=_REMEDY)
