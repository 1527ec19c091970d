"""Why an operator has no spiking form, and what the user can do instead. Data, not rules."""

from __future__ import annotations

from typing import NoReturn

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing.operation import Operation

__all__ = ["refuse"]

_NOT_RELU = "is not a ReLU: a neuron that only counts or times spikes cannot compute it"
_RELU = "retrain with ReLU (or ReLU6), which converts exactly"
_SIGMOID = "retrain with ReLU; behind the last layer, where it only scales the outputs, it may stay"
_RECURRENT = "keeps a state from step to step; only feed-forward networks convert so far"
_QUANTISED = "rounds to integers inside the network; neurodeploy does its own quantisation"
_CONTROL = "chooses its way while it runs; a spiking program is fixed"
_DYNAMIC = "gives a result whose shape or choice depends on the data"
_PRODUCT = "multiplies or compares two activations; synapses weigh one with a constant"
_NORM = "needs mean and variance of each sample; synapses are constant"

_NONLINEAR = """
    PRelu Elu Selu Gelu Celu Mish Swish HardSigmoid HardSwish Softplus Softsign ThresholdedRelu
    Erf Sin Cos Exp Log Sqrt Pow Abs Sign Reciprocal Floor Ceil Round Min
"""
_INTEGER = """
    QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul ConvInteger
    MatMulInteger
"""

_REASONS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("Sigmoid", "Tanh", "Softmax", "LogSoftmax"), (_NOT_RELU, _SIGMOID)),
    **dict.fromkeys(_NONLINEAR.split(), (_NOT_RELU, _RELU)),
    **dict.fromkeys(
        ("LSTM", "GRU", "RNN", "Scan", "Loop"),
        (_RECURRENT, "use a feed-forward network over a window of the signal"),
    ),
    **dict.fromkeys(
        _INTEGER.split(),
        (_QUANTISED, "export the float model, before post-training quantisation"),
    ),
    **dict.fromkeys(
        ("InstanceNormalization", "LayerNormalization", "GroupNormalization", "LRN"),
        (_NORM, "retrain with BatchNormalization, whose statistics are constants"),
    ),
    **dict.fromkeys(
        ("Attention", "Einsum", "Where", "Greater", "Less", "Equal"),
        (_PRODUCT, "retrain without it"),
    ),
    **dict.fromkeys(
        ("NonZero", "NonMaxSuppression", "TopK", "Unique", "Compress", "ArgMax", "ArgMin"),
        (_DYNAMIC, "end the exported model before this node"),
    ),
    "If": (_CONTROL, "export with static control flow"),
    "ConvTranspose": ("is not supported yet", "retrain without transposed convolutions"),
    "Shape": ("the shape it reads is not known", "export with fixed shapes"),
}


def refuse(operation: Operation, kind: str) -> NoReturn:
    """Raise the refusal of an operator that has no handler."""
    reason, remedy = _REASONS.get(
        kind,
        (
            "is not among the operators that convert",
            "replace it by operators that convert (docs), or end the exported model before it",
        ),
    )
    raise UnsupportedError(f"{kind} {reason}", place=operation.name, remedy=remedy)
