"""ai.onnx.ml: the linear models and scalers of scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx_ir as ir

from neurodeploy.errors import ModelError, UnsupportedError
from neurodeploy.importing.affine import affine
from neurodeploy.importing.builder import Builder, Signal
from neurodeploy.importing.coefficients import floats, linear_parts
from neurodeploy.importing.moving import elements, move
from neurodeploy.importing.operation import Operation, float32
from neurodeploy.importing.real import real_signal
from neurodeploy.importing.registry import register
from neurodeploy.network import Dense

__all__ = ["extractor", "imputer", "linear_classifier", "linear_regressor", "scaler"]


def _word(operation: Operation, name: str, default: str) -> str:
    attribute = operation.node.attributes.get(name)
    if attribute is None:
        return default
    if attribute.is_ref() or attribute.type != ir.AttributeType.STRING:
        raise ModelError(f"attribute {name!r} has the wrong type")
    return str(attribute.as_string())


def _flat(operation: Operation, net: Builder) -> Signal:
    """The features of a sample as real values."""
    x = operation.signal()
    if x.grid is not None:
        x = real_signal(operation, net, 0, replace(x.grid, scale=1.0, zero_point=0))
    if len(x.shape) != 1:
        raise UnsupportedError(
            f"reads features in a row, here are {x.shape}", remedy="flatten the input before it"
        )
    return x


@register("ai.onnx.ml::Scaler", integers="reads")
def scaler(operation: Operation, net: Builder) -> Signal:
    """``Scaler``: ``(x - offset) * scale``, one number or one a feature."""
    x = _flat(operation, net)
    parts = []
    for name, default in (("offset", 0.0), ("scale", 1.0)):
        values = floats(operation.node, name)
        if values.size not in (0, 1, x.shape[0]):
            raise ModelError(f"has {values.size} numbers in {name!r} for {x.shape[0]} features")
        parts.append(values.astype(np.float64) if values.size else np.array([default]))
    offset, scale = parts
    return affine(net, operation.name, x, scale, -offset * scale)


def _dense(operation: Operation, net: Builder) -> Signal:
    x = _flat(operation, net)
    parts = linear_parts(operation.node)
    if parts is None or parts[0].shape[1] != x.shape[0]:
        shape = "that contradict each other" if parts is None else f"of shape {parts[0].shape}"
        raise ModelError(f"has coefficients {shape} for {x.shape[0]} features")
    weight, bias = (float32(part, "the coefficients").copy() for part in parts)
    return net.add(Dense(net.unique(operation.name), weight=weight, bias=bias), x)


@register("ai.onnx.ml::LinearRegressor", integers="reads")
def linear_regressor(operation: Operation, net: Builder) -> Signal:
    """``LinearRegressor`` without a transform: a `Dense`."""
    transform = _word(operation, "post_transform", "NONE")
    if transform != "NONE":
        raise UnsupportedError(
            f"transforms its results ({transform})", remedy="export it without post_transform"
        )
    return _dense(operation, net)


@register("ai.onnx.ml::LinearClassifier", integers="reads")
def linear_classifier(operation: Operation, net: Builder) -> tuple[Signal, Signal]:
    """``LinearClassifier`` whose scores are read: a `Dense`; its labels belong to the decoder."""
    transform = _word(operation, "post_transform", "NONE")
    outputs = operation.node.outputs
    if transform != "NONE":
        raise UnsupportedError(
            f"its probabilities ({transform}) are read by further nodes",
            remedy="end the exported model at this node, and compute the rest outside",
        )
    if outputs[0].uses() or outputs[0].is_graph_output():
        raise UnsupportedError(
            "its labels are read by further nodes, and they jump",
            remedy="end the exported model at this node, and compute the rest outside",
        )
    scores = _dense(operation, net)
    operation.note = "its scores become Dense; the labels are left to the reader"
    return scores, scores


@register("ai.onnx.ml::ArrayFeatureExtractor", integers="moves")
def extractor(operation: Operation, net: Builder) -> Signal:
    """``ArrayFeatureExtractor`` of constant positions: elements of the last axis."""
    if not operation.is_signal(0):
        raise UnsupportedError(
            "looks up a table at positions that the data give",
            remedy="end the exported model before this node, and look up outside",
        )
    x = operation.signal()
    positions = operation.constant(1)
    if positions is None or positions.dtype.kind not in "iu" or not x.shape:
        raise ModelError("input 1 is no list of positions")
    taken = positions.reshape(-1)
    if not taken.size or taken.min() < 0 or taken.max() >= x.shape[-1]:
        raise ModelError(f"takes positions outside the {x.shape[-1]} elements of its input")
    return move(net, operation.name, x, elements(x)[..., taken])


@register("ai.onnx.ml::Imputer", integers="reads")
def imputer(operation: Operation, net: Builder) -> Signal:
    """``Imputer`` of missing values (NaN), which samples cannot have: its input."""
    missing = operation.node.attributes.get("replaced_value_float")
    if missing is None or missing.type != ir.AttributeType.FLOAT or missing.value == missing.value:
        raise UnsupportedError(
            "replaces a number by another one, which is a jump",
            remedy="impute outside, or mark missing values as NaN",
        )
    operation.note = "replaces missing values (NaN), and samples with such are refused"
    return _flat(operation, net)
