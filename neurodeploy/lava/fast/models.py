"""Models of Lava's `Conv`, `Dense`, `Sparse` and `LIFReset`, equal to its own bit for bit.

Their tags are ``fixed_pt`` and ``neurodeploy`` (`selection.FastSimCfg` prefers the second).
Lava's own models compute every synapse at every step, `Conv` with a call of SciPy for every
pair of channels; these compute the synapses that a message reaches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.conv.process import Conv
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIFReset
from lava.proc.sparse.process import Sparse
from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights
from scipy.sparse import csr_matrix

from neurodeploy.lava.fast.scatter import (
    Scatter,
    convolution_scatter,
    matrix_scatter,
    sparse_scatter,
)
from neurodeploy.lava.recording import Tape
from neurodeploy.lava.updates import LifRule
from neurodeploy.program.neurons.lif import STOCK_SHIFT

__all__ = ["PREPARED", "TAG", "ConvModel", "DenseModel", "LifResetModel", "SparseModel"]

TAG = "neurodeploy"
#: Parameter of a process: its tables, made before Lava forks.
PREPARED = "neurodeploy.scatter"
#: The value of a variable by its name, of a model or of a process that is not running.
Values = Callable[[str], Any]
#: The sums of `Conv` wrap to 24 bit.
_CONV_LIMIT = np.int32(2**23)


class _ConnectionModel(PyLoihiProcessModel):
    """One step of delay; tables are made at the first step and when a variable was set.

    `selection.prepare` may have made them beforehand.
    """

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.scatter: Scatter | None = proc_params.get(PREPARED)

    def on_var_update(self) -> None:
        """Lay out again what the user has set."""
        self.scatter = None

    def values(self, name: str) -> Any:
        """A variable of this model."""
        return getattr(self, name)


@implements(proc=Conv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", TAG)
class ConvModel(_ConnectionModel):
    """As `PyConvModelFixed`: the sums wrap to 24 bit, `weight_exp` is not applied."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    a_buf: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    weight: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)
    kernel_size: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=8)
    stride: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=8)
    padding: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=8)
    dilation: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=8)
    groups: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=8)
    num_message_bits: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=5)
    weight_exp: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)
    num_weight_bits: np.ndarray = LavaPyType(np.ndarray, np.int8, precision=5)

    @staticmethod
    def lay_out(values: Values, input_shape: tuple[int, ...]) -> Scatter:
        """The tables of a `Conv` with these variables."""

        def pair(name: str) -> tuple[int, int]:
            x, y = np.asarray(values(name)).tolist()
            return x, y

        return convolution_scatter(
            np.asarray(values("weight"), np.int32),
            input_shape,
            stride=pair("stride"),
            padding=pair("padding"),
            dilation=pair("dilation"),
            groups=int(np.asarray(values("groups")).item()),
            graded=np.asarray(values("num_message_bits")).item() > 0,
        )

    def run_spk(self) -> None:
        """Send the sums of the step before, add up those of this one."""
        self.a_out.send(self.a_buf)
        if self.scatter is None:
            self.scatter = self.lay_out(self.values, self.s_in.shape)
        sums = self.scatter(self.s_in.recv())
        if self.scatter.graded or self.scatter.bound >= _CONV_LIMIT:
            sums = ((sums + _CONV_LIMIT) & (2 * _CONV_LIMIT - 1)) - _CONV_LIMIT
        self.a_buf = sums.reshape(self.a_buf.shape)


class _MatrixModel(_ConnectionModel):
    """What `Dense` and `Sparse` do alike: weights of 8 bit at most, sums shifted."""

    weights: Any
    a_buff: np.ndarray
    num_message_bits: np.ndarray

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.weights_set = False

    @staticmethod
    def lay_out(weights: Any, params: Any, graded: bool) -> Scatter:
        """The tables of a `Dense` or `Sparse` with these weights, in Loihi's format."""
        weights, shift = _scaled(weights, int(params.get("weight_exp", 0)))
        if isinstance(weights, csr_matrix):
            return sparse_scatter(weights, right_shift=shift, graded=graded)
        return matrix_scatter(weights, right_shift=shift, graded=graded)

    def run_spk(self) -> None:
        """Send the sums of the step before, add up those of this one."""
        self.a_out.send(self.a_buff)
        if self.scatter is None:
            if not self.weights_set:
                self.weights = loihi_weights(self.weights, self.proc_params)
            graded = self.num_message_bits.item() > 0
            self.scatter = self.lay_out(self.weights, self.proc_params, graded)
        self.weights_set = True  # as in Lava, weights set after the first step stay as they are
        self.a_buff = self.scatter(self.s_in.recv())


@implements(proc=Dense, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", TAG)
class DenseModel(_MatrixModel):
    """As `PyDenseModelBitAcc`."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, bool, precision=1)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=16)
    a_buff: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=16)
    weights: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=8)
    num_message_bits: np.ndarray = LavaPyType(np.ndarray, int, precision=5)


@implements(proc=Sparse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", TAG)
class SparseModel(_MatrixModel):
    """As `PySparseModelBitAcc`."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, bool, precision=1)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=16)
    a_buff: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=16)
    weights: csr_matrix = LavaPyType(csr_matrix, np.int32, precision=8)
    num_message_bits: np.ndarray = LavaPyType(np.ndarray, int, precision=5)


def loihi_weights(weights: Any, params: Any) -> Any:
    """Weights as Lava cuts them: to 8 bit, and in mixed sign mode to even numbers."""
    sign_mode = params.get("sign_mode") or determine_sign_mode(weights)
    weights = clip_weights(weights, sign_mode, num_bits=8)
    return truncate_weights(weights, sign_mode, params.get("num_weight_bits", 8))


def _scaled(weights: Any, exponent: int) -> tuple[Any, int]:
    """Weights with as much of the exponent as they take exactly, and the rest as a right shift."""
    numbers = weights.data if isinstance(weights, csr_matrix) else weights
    shift = min(max(-exponent, 0), 31)
    if exponent > 0:
        numbers, shift = numbers << exponent, 0
    elif not np.any(numbers & ((1 << shift) - 1)):
        numbers, shift = numbers >> shift, 0
    if isinstance(weights, csr_matrix):
        parts = (numbers, weights.indices, weights.indptr)
        return csr_matrix(parts, shape=weights.shape), shift
    return numbers, shift


@implements(proc=LIFReset, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", TAG)
class LifResetModel(PyLoihiProcessModel):
    """As `PyLifResetModelBitAcc`; writes its own recording where the process names files."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=16)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=24)
    u: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)
    du: int = LavaPyType(int, np.uint16, precision=12)
    dv: int = LavaPyType(int, np.uint16, precision=12)
    bias_mant: np.ndarray = LavaPyType(np.ndarray, np.int16, precision=13)
    bias_exp: np.ndarray = LavaPyType(np.ndarray, np.int16, precision=3)
    vth: int = LavaPyType(int, np.int32, precision=17)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.interval: int = proc_params["reset_interval"]
        self.offset: int = proc_params["reset_offset"] % self.interval
        self.tape = Tape.of(proc_params)
        self.rule: LifRule | None = None

    def on_var_update(self) -> None:
        """Read again what the user has set."""
        self.rule = None

    def run_spk(self) -> None:
        """One step."""
        a = self.a_in.recv()
        if self.rule is None:
            self.rule = self._rule()
        if self.time_step % self.interval == self.offset:
            self.u[:] = 0
            self.v[:] = 0
        spikes = self.rule.step(a, self.u, self.v)
        self.s_out.send(spikes)
        self.tape.write(spikes, self.v)

    def _rule(self) -> LifRule:
        mantissa = self.bias_mant.astype(np.int32)
        exponent = self.bias_exp.astype(np.int32)
        up, down = np.maximum(exponent, 0), np.maximum(-exponent, 0)
        return LifRule(
            bias=(mantissa << up) >> down,
            threshold=int(self.vth) << STOCK_SHIFT,
            du=int(self.du),
            dv=int(self.dv),
            shift=STOCK_SHIFT,
            reset="zero",
        )
