"""Tensors that an ONNX model only names: a protobuf is copied several times until it is read."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

__all__ = ["named_tensor"]


def named_tensor(name: str, values: np.ndarray) -> onnx.TensorProto:
    """A tensor whose values are given to ONNX Runtime beside the model.

    Its `SessionOptions.add_external_initializers` takes them under the same name.
    """
    tensor = onnx.TensorProto(
        name=name,
        dims=values.shape,
        data_type=helper.np_dtype_to_tensor_dtype(values.dtype),
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in (("location", "memory"), ("offset", 0), ("length", values.nbytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor
