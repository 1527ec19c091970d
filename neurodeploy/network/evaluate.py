"""Compute a float Network with ONNX Runtime, and look at the results of its nodes on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import onnxruntime as ort

from neurodeploy.errors import DataError, ModelError, UsageError
from neurodeploy.network.network import Network
from neurodeploy.network.nodes import Linear
from neurodeploy.network.onnx_export import to_onnx

__all__ = ["Evaluator"]

#: Weights from which on they are handed to ONNX Runtime beside the model.
_MANY = 2**22


class Evaluator:
    """A Network on ONNX Runtime.

    Parameters
    ----------
    network
        The network to compute.
    taps
        Names of nodes whose results are wanted besides the output; the input may be among them.

    Raises
    ------
    UsageError
        A tap that the network does not have.
    ModelError
        ONNX Runtime refuses the network.
    """

    def __init__(self, network: Network, taps: Sequence[str] = ()) -> None:
        self.network = network
        self._input = network.input.name
        self._names = [network.output.name]
        self._names += [n for n in dict.fromkeys(taps) if n not in (self._input, self._names[0])]
        self._echo = self._input in taps
        weights = sum(node.weight.size for node in network if isinstance(node, Linear))
        apart: dict[str, np.ndarray] | None = {} if weights > _MANY else None
        model = to_onnx(network, self._names[1:], apart)
        options = ort.SessionOptions()
        if apart:
            values = [ort.OrtValue.ortvalue_from_numpy(array) for array in apart.values()]
            options.add_external_initializers(list(apart), values)
        options.log_severity_level = 3  # errors only: warnings would reach the user's stderr
        try:
            self._session = ort.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has no common base class of its own
            raise ModelError(f"ONNX Runtime does not take the network: {error}") from error

    def run(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Results of the output and the taps.

        Parameters
        ----------
        x
            float32 (batch, *input shape).

        Returns
        -------
        dict
            Node name to float32 (batch, *node shape).

        Raises
        ------
        DataError
            The batch does not have the network's input shape.
        """
        x = np.asarray(x)
        expected = self.network.shapes[self._input]
        if x.shape[1:] != expected or x.ndim != len(expected) + 1:
            raise DataError(
                f"samples of shape {x.shape} do not fit (batch, {', '.join(map(str, expected))})",
                place=self._input,
            )
        x = np.ascontiguousarray(x, dtype=np.float32)
        results = self._session.run(self._names, {self._input: x})
        found = dict(zip(self._names, results, strict=True))
        if self._echo:
            found[self._input] = x
        return found

    def batches(self, x: np.ndarray, size: int) -> Iterator[dict[str, np.ndarray]]:
        """`run` on `size` samples at a time, so that memory stays bounded; the last may be less.

        Raises
        ------
        UsageError
            `size` is below one.
        """
        if size < 1:
            raise UsageError(f"{size} samples a batch; at least one is needed", place="size")
        for start in range(0, len(x), size):
            yield self.run(x[start : start + size])
