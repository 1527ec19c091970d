"""Our models of Lava's processes beside its own, without its runtime: same messages in, all out.

Run by `test_models.py` in a process of its own (importing Lava sets the start method of
`multiprocessing`): ``python model_pairs.py CASES`` prints as JSON, by kind of process, how many
values were compared and how many of them wrapped; it fails at the first that differs.
"""

# Lava is imported after `import_lava` has mended it.
# ruff: noqa: E402

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, random

from neurodeploy.lava.compat import import_lava

import_lava()

from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var
from lava.proc.conv.models import PyConvModelFixed
from lava.proc.conv.process import Conv
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import Dense
from lava.proc.lif.models import PyLifResetModelBitAcc
from lava.proc.lif.process import LIFReset
from lava.proc.sparse.models import PySparseModelBitAcc
from lava.proc.sparse.process import Sparse
from lava.utils.weightutils import SignMode

from neurodeploy.lava.fast.models import (
    ConvModel,
    DenseModel,
    LifResetModel,
    SparseModel,
)
from neurodeploy.lava.fast.selection import FastSimCfg, prepare

STEPS = 6
Rng = np.random.Generator


class Port:
    """Hands out one message, keeps what is sent as the int32 of Lava's channels."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.message = np.zeros(shape, np.int32)
        self.sent: list[np.ndarray] = []

    def recv(self) -> np.ndarray:
        return self.message.copy()

    def send(self, data: np.ndarray) -> None:
        assert data.shape == self.shape
        self.sent.append(data.astype(np.int32))


def built(model: type, process: Any) -> Any:
    """The model of a process as Lava's builder makes it, with ports of ours."""
    made = model(process.proc_params)
    for name, member in vars(process).items():
        declared = getattr(model, name, None)
        if isinstance(member, Var) and isinstance(declared, LavaPyType):
            setattr(made, name, initial(declared, member))
    for port in (*process.in_ports, *process.out_ports):
        setattr(made, port.name, Port(port.shape))
    return made


def initial(declared: LavaPyType, var: Var) -> Any:
    if declared.cls is np.ndarray:
        value = np.empty(var.shape, declared.d_type)
        value[...] = var.init
        return value
    return var.init.astype(declared.d_type) if declared.cls is csr_matrix else var.init


def weights(rng: Rng, shape: tuple[int, ...], low: int = -300, high: int = 300) -> np.ndarray:
    """Beyond 8 bit, so that Lava clips them, and sparse at times."""
    return rng.integers(low, high + 1, shape) * (rng.random(shape) < rng.choice([0.3, 1.0]))


def conv(rng: Rng) -> Any:
    groups = int(rng.integers(1, 4))
    inputs, outputs = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    kernel, dilation = rng.integers(1, 4, 2), rng.integers(1, 4, 2)
    padding = rng.integers(0, 3, 2)
    reach = dilation * (kernel - 1) + 1
    size = np.maximum(reach - 2 * padding, 1) + rng.integers(0, 6, 2)
    limit = int(rng.choice([127, 20_000, 2**20]))
    return Conv(
        weight=weights(rng, (outputs, *kernel.tolist(), inputs // groups), -limit, limit),
        input_shape=(*size.tolist(), inputs),
        padding=tuple(padding.tolist()),
        stride=tuple(rng.integers(1, 4, 2).tolist()),
        dilation=tuple(dilation.tolist()),
        groups=groups,
        weight_exp=int(rng.integers(-2, 3)),  # which `Conv` does not apply
        num_message_bits=int(rng.choice([0, 8])),
    )


def matrix_options(rng: Rng) -> dict[str, Any]:
    options: dict[str, Any] = {"num_message_bits": int(rng.choice([0, 8]))}
    if rng.random() < 0.8:
        options["weight_exp"] = int(rng.integers(-4, 8))
    if rng.random() < 0.5:
        options["num_weight_bits"] = int(rng.integers(1, 9))
    return options


def dense(rng: Rng) -> Any:
    low, high = [(-300, 300), (0, 300), (-300, 0)][rng.integers(3)]
    matrix = weights(rng, tuple(rng.integers(1, 30, 2).tolist()), low, high)
    signs = {-300: SignMode.INHIBITORY, 0: SignMode.EXCITATORY}
    sign = SignMode.MIXED if low < 0 < high else signs[low]
    more = {"sign_mode": sign} if rng.random() < 0.5 else {}
    return Dense(weights=matrix, **matrix_options(rng), **more)


def sparse(rng: Rng) -> Any:
    shape = rng.integers(1, 30, 2).tolist()
    matrix = random(*shape, density=rng.choice([0.0, 0.2, 0.8]), random_state=rng, format="csr")
    matrix.data = rng.integers(-300, 300, matrix.nnz)
    return Sparse(weights=matrix, sign_mode=SignMode.MIXED, **matrix_options(rng))


def lif(rng: Rng) -> Any:
    shape = tuple(rng.integers(1, 6, rng.integers(1, 4)).tolist())
    return LIFReset(
        shape=shape,
        u=rng.integers(-100, 100, shape),
        v=rng.integers(-100, 100, shape),
        du=int(rng.choice([0, 4095, rng.integers(4096)])),
        dv=int(rng.choice([0, 4095, rng.integers(4096)])),
        bias_mant=rng.integers(-4096, 4096, shape),
        bias_exp=int(rng.integers(-3, 8)),
        vth=int(rng.choice([0, rng.integers(3000), 131071])),
        reset_interval=int(rng.integers(1, 5)),
        reset_offset=int(rng.integers(0, 5)),
    )


KINDS: dict[str, tuple[Callable[[Rng], Any], type, type]] = {
    "conv": (conv, PyConvModelFixed, ConvModel),
    "dense": (dense, PyDenseModelBitAcc, DenseModel),
    "sparse": (sparse, PySparseModelBitAcc, SparseModel),
    "lif": (lif, PyLifResetModelBitAcc, LifResetModel),
}


def messages(rng: Rng, kind: str, shape: tuple[int, ...]) -> np.ndarray:
    """Payloads or spikes, many or few, in the types that channels have."""
    if kind == "lif":
        return rng.integers(-(2**18), 2**18, shape).astype(np.int32)
    values = rng.integers(-120, 120, shape) * (rng.random(shape) < rng.choice([0.1, 0.9]))
    return values.astype(rng.choice([np.int8, np.int32]))


def set_weights(rng: Rng, pair: tuple[Any, Any], name: str) -> None:
    """What the runtime does when a user sets a variable."""
    value = getattr(pair[0], name).copy()
    numbers = value.data if isinstance(value, csr_matrix) else value
    numbers[...] = rng.integers(-120, 120, numbers.shape)
    for model in pair:
        setattr(model, name, value.copy())
        model.on_var_update()


def compare(kind: str, seed: int) -> tuple[int, int]:
    """Values compared in one case, and how many sums wrapped to 24 bit."""
    rng = np.random.default_rng(seed)
    make, stock, fast = KINDS[kind]
    process = make(rng)
    assert FastSimCfg().select(process, [stock]) is fast
    theirs = built(stock, process)
    beforehand = kind != "lif" and rng.random() < 0.5
    if beforehand:
        prepare([process])
    ours = built(fast, process)
    into = "a_in" if kind == "lif" else "s_in"
    out = "s_out" if kind == "lif" else "a_out"
    change = int(rng.integers(0 if not beforehand else 1, 2 * STEPS))
    wrapped = 0
    for step in range(STEPS):
        if step == change and kind != "lif":
            set_weights(rng, (theirs, ours), "weight" if kind == "conv" else "weights")
        message = messages(rng, kind, getattr(ours, into).shape)
        for model in (theirs, ours):
            getattr(model, into).message = message
            model.time_step = step + 1
            model.run_spk()
        for name in ("u", "v") if kind == "lif" else ():
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
        if kind == "conv":
            wrapped += int((ours.scatter(message) != ours.a_buf.reshape(-1)).sum())
    found, expected = np.stack(getattr(ours, out).sent), np.stack(getattr(theirs, out).sent)
    np.testing.assert_array_equal(found, expected, f"{kind}, seed {seed}")
    return found.size, wrapped


def main() -> None:
    report = {}
    for kind in KINDS:
        done = [compare(kind, seed) for seed in range(int(sys.argv[1]))]
        report[kind] = [sum(size for size, _ in done), sum(wrapped for _, wrapped in done)]
    print(json.dumps(report))


if __name__ == "__main__":
    main()
