"""One random network the whole way: ONNX, `nd.compile`, `nd.simulate`, and held against itself."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

import neurodeploy as nd
from neurodeploy.errors import NeuroDeployError
from neurodeploy.ledger.source_model import reference_network
from neurodeploy.testing.networks import random_model
from neurodeploy.testing.numpy_network import run
from neurodeploy.testing.scheme_promises import Held, hold

__all__ = ["Tried", "try_network"]

#: Steps to draw from.
_STEPS = {"ttfs": (1, 3, 8, 16, 33, 64, 128), "rate": (64, 256, 512)}
#: Bits to draw from, of codes that have no steps.
_BITS = {"radix": (2, 3, 4, 5, 6, 8), "graded": (3, 4, 6, 8)}
#: Encodings to draw from, where the scheme has a choice.
_ENCODINGS = {"rate": ("current", "current", "deterministic")}
_BALANCES = ("max", "percentile", "mmse")


@dataclass(frozen=True)
class Tried:
    """How it went.

    Attributes
    ----------
    faults
        What is wrong, in words; empty if nothing.
    refusal, warning
        The compiler's message, if it refused; its warning, if accumulators overflowed and what
        came out is wrong.
    held
        How the program stands to its network, if it was held against it.
    description
        Scheme, seed, options and network, in words.
    """

    faults: tuple[str, ...]
    description: str
    refusal: str = ""
    warning: str = ""
    held: Held | None = None


def try_network(scheme: str, seed: int) -> Tried:
    """Build, compile, run and hold one network.

    Parameters
    ----------
    scheme
        ``ttfs``, ``radix``, ``graded`` or ``rate``.
    seed
        The same seed gives the same network, samples and options.
    """
    rng = np.random.default_rng(seed)
    made = random_model(rng)
    options: dict[str, Any]
    if scheme in _BITS:
        options = {"bits": int(rng.choice(_BITS[scheme]))}
    else:
        options = {
            "steps": int(rng.choice(_STEPS[scheme])),
            "balance": str(rng.choice(_BALANCES)),
        }
    if scheme in _ENCODINGS:
        options["encoding"] = str(rng.choice(_ENCODINGS[scheme]))
        options["bias_correction"] = bool(rng.integers(2))
    words = f"{scheme} {seed} {options}: {made.description}"
    session = ort.InferenceSession(
        made.model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    exact = session.run(None, {"x": made.x})[0].reshape(len(made.x), -1)
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(made.model, path)
        try:
            program = nd.compile(
                path, calibration=made.x, scheme=scheme, warn=said.append, **options
            )
        except NeuroDeployError as error:
            return Tried((), words, refusal=str(error))
        network = reference_network(program, path)
    result = nd.simulate(program, made.x)
    held = hold(program, network, made.x, result.outputs)
    faults = list(held.faults)
    if any(result.wrapped.values()) or any(result.clipped.values()):
        warned = [line for line in said if "worst case" in line]
        if warned and faults:
            return Tried((), words, warning="; ".join(warned))
        if not warned:
            faults.append("accumulators overflow and nobody said so")
    # the Network itself must be the model: else all of the above is about another one
    plain = run(network, made.x)[network.output.name].reshape(len(made.x), -1)
    if np.abs(plain - exact).max() > 1e-4 * max(1.0, np.abs(exact).max()):
        faults.append(f"the Network is {np.abs(plain - exact).max():.4g} off the ONNX model")
    return Tried(tuple(faults), words, held=held)
