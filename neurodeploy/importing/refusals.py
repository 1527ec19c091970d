"""Why an operator has no spiking form, and what the user can do instead. Data, not rules."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from neurodeploy.errors import UnsupportedError
from neurodeploy.importing.operation import Operation

__all__ = ["FAMILIES", "REASONS", "Family", "refuse", "refuse_constant"]


class Family(NamedTuple):
    """Operators that are refused for one reason, with one remedy."""

    reason: str
    remedy: str
    operators: str


_END = "end the exported model before this node, and compute the rest outside"
_STATIC = "quantise statically (quantize_static), or export the float model"

#: Every operator of ONNX's own domain that has no handler, by what stands in its way.
FAMILIES: tuple[Family, ...] = (
    Family(
        "is not a ReLU, nor linear in pieces: neurons that count or time spikes cannot compute it",
        "retrain with ReLU, LeakyReLU, or a clipped ReLU, which convert exactly",
        """
        Elu Selu Gelu Celu Mish Swish HardSwish Softplus Softsign Erf Exp Log Sqrt Pow Reciprocal
        Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh
        """,
    ),
    Family(
        "is not a ReLU, nor linear in pieces: neurons that count or time spikes cannot compute it",
        "retrain with ReLU; behind the last layer, where it only scales the outputs, it may stay",
        "Sigmoid Tanh Softmax LogSoftmax Hardmax",
    ),
    Family(
        "is not a ReLU, and computes on integers",
        "retrain with ReLU, or export the float model",
        """
        com.microsoft::QLinearSigmoid com.microsoft::QLinearSoftmax
        """,
    ),
    Family(
        "jumps from one value to another: no sum of ReLUs does",
        "retrain with ReLU in its place, or leave it to what reads the outputs",
        "Sign Floor Ceil Round Mod ai.onnx.ml::Binarizer",
    ),
    Family(
        "keeps a state from step to step; only feed-forward networks convert so far",
        "use a feed-forward network over a window of the signal",
        "LSTM GRU RNN Scan Loop CausalConvWithState TensorScatter",
    ),
    Family(
        "chooses its way while it runs; a spiking program is fixed",
        "export with static control flow, e.g. by tracing the model",
        "If",
    ),
    Family(
        "needs the mean, the spread or the size of each sample; synapses are constant",
        "retrain with BatchNormalization, whose statistics are constants",
        """
        InstanceNormalization LayerNormalization GroupNormalization RMSNormalization LRN
        LpNormalization MeanVarianceNormalization
        """,
    ),
    Family(
        "multiplies activations with each other; synapses weigh one with a constant",
        "retrain without attention, gates and bilinear layers",
        "Attention LinearAttention RotaryEmbedding SwiGLU Einsum Det ReduceProd CumProd",
    ),
    Family(
        "takes powers of activations, or their logarithm, and adds them",
        "retrain with average or max pooling, or with ReduceMean, ReduceSum or ReduceMax",
        """
        LpPool GlobalLpPool ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare
        """,
    ),
    Family(
        "takes the smallest of many values; the earliest spike is the largest",
        "negate its input and use ReduceMax, with another negation behind it",
        "ReduceMin",
    ),
    Family(
        "compares activations and gives true or false, which is a jump",
        "retrain with ReLU in its place, or leave the comparison to what reads the outputs",
        """
        Equal Greater GreaterOrEqual Less LessOrEqual IsInf IsNaN
        """,
    ),
    Family(
        "is logic on truth values, which an activation is not",
        _END,
        "And Or Xor Not",
    ),
    Family(
        "chooses between two values for each element, by a condition that depends on the data",
        "retrain without it; to cut values off, use Clip, Max or Min",
        "Where",
    ),
    Family(
        "works on the bits of integers, which an activation is not",
        _END,
        "BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor",
    ),
    Family(
        "takes the scale of its integers from each sample; synapses are constant",
        _STATIC,
        """
        DynamicQuantizeLinear com.microsoft::DynamicQuantizeMatMul
        com.microsoft::DynamicQuantizeLSTM com.microsoft::MatMulIntegerToFloat
        """,
    ),
    Family(
        "computes on integers whose scale is not part of the operator",
        _STATIC,
        "ConvInteger MatMulInteger",
    ),
    Family(
        "casts to a type that another value has while it runs",
        "export with Cast to a float type",
        "CastLike",
    ),
    Family(
        "gives positions or a number of results that depend on the data",
        _END,
        """
        NonZero NonMaxSuppression TopK Unique Compress ArgMax ArgMin OneHot
        """,
    ),
    Family(
        "moves single elements to or from positions that a table lists one by one",
        "export with Gather, Slice, Reshape and Transpose in its place",
        """
        GatherElements GatherND Scatter ScatterElements ScatterND ReverseSequence Col2Im MaxUnpool
        """,
    ),
    Family(
        "samples the map at positions between its cells that a table or another network gives",
        "export with Resize, Slice or Conv in its place",
        "GridSample AffineGrid DeformConv RoiAlign MaxRoiPool",
    ),
    Family(
        "crops or pads to a size that it works out while it runs",
        "export with Slice and Pad in its place",
        "CenterCropPad",
    ),
    Family(
        "adds each element to all before it",
        "export with MatMul by a constant triangular matrix in its place",
        "CumSum",
    ),
    Family(
        "makes a constant, but from a shape or a number that is not known",
        "export with fixed shapes, so that it folds into a constant",
        "Constant ConstantOfShape EyeLike Range Shape Size",
    ),
    Family(
        "draws random numbers: the same sample would give different results",
        "export the model in evaluation mode (model.eval()), without sampling",
        "Bernoulli Multinomial RandomNormal RandomNormalLike RandomUniform RandomUniformLike",
    ),
    Family(
        "computes a training loss",
        "export the network without its loss",
        "NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss",
    ),
    Family(
        "holds a sequence or an optional value, where a network has one tensor",
        "export with tensors only",
        """
        SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength
        SequenceMap SplitToSequence ConcatFromSequence Optional OptionalGetElement
        OptionalHasElement
        """,
    ),
    Family(
        "scales each sample by its own size; synapses are constant",
        "use StandardScaler or MinMaxScaler, whose numbers are constants",
        "ai.onnx.ml::Normalizer",
    ),
    Family(
        "asks about one feature after the other, and each answer is a jump",
        "train an MLPClassifier or MLPRegressor on its predictions",
        """
        ai.onnx.ml::TreeEnsembleClassifier ai.onnx.ml::TreeEnsembleRegressor
        ai.onnx.ml::TreeEnsemble
        """,
    ),
    Family(
        "compares each sample with stored examples, by a kernel or by pairs of classes",
        "use LinearSVC, LinearSVR or SGDClassifier, which are one layer, or an MLPClassifier",
        "ai.onnx.ml::SVMClassifier ai.onnx.ml::SVMRegressor",
    ),
    Family(
        "prepares categories or dictionaries, which are no numbers",
        "prepare the features outside, and feed the network with numbers",
        """
        ai.onnx.ml::CategoryMapper ai.onnx.ml::CastMap ai.onnx.ml::DictVectorizer
        ai.onnx.ml::FeatureVectorizer ai.onnx.ml::LabelEncoder ai.onnx.ml::OneHotEncoder
        """,
    ),
    Family(
        "names numbers by class, and is not the end of the model here",
        _END,
        "ai.onnx.ml::ZipMap",
    ),
    Family(
        "works on text",
        "prepare text outside, and feed the network with numbers",
        "RegexFullMatch StringConcat StringNormalizer StringSplit TfIdfVectorizer",
    ),
    Family(
        "decodes a compressed image",
        "decode images outside, and feed the network with pixels",
        "ImageDecoder",
    ),
    Family(
        "is part of a spectrum, complex or of a length chosen while it runs",
        "compute spectra outside, or export them as Conv or MatMul with constant weights",
        "DFT STFT MelWeightMatrix BlackmanWindow HammingWindow HannWindow",
    ),
)

#: Reason and remedy of each operator.
REASONS: dict[str, tuple[str, str]] = {
    operator: (family.reason, family.remedy)
    for family in FAMILIES
    for operator in family.operators.split()
}


def refuse(operation: Operation, kind: str) -> NoReturn:
    """Raise the refusal of an operator that has no handler."""
    reason, remedy = REASONS.get(
        kind,
        (
            "is not among the operators that convert",
            "replace it by operators that convert (docs), or end the exported model before it",
        ),
    )
    raise UnsupportedError(f"{kind} {reason}", place=operation.name, remedy=remedy)


def refuse_constant(operation: Operation, kind: str, reason: str) -> NoReturn:
    """Raise the refusal of a node that depends on constants alone and was not computed."""
    raise UnsupportedError(
        f"{kind} depends on constants alone, but is not computed while importing: {reason}",
        place=operation.name,
        remedy="compute it before exporting, or fold constants with a tool such as onnxslim",
    )
