"""A Network that spikes as a NIR graph, by the library `nir`."""

from __future__ import annotations

import io
from typing import Any

import networkx as nx
import numpy as np

from neurodeploy.errors import ModelError, UsageError
from neurodeploy.network.network import Network
from neurodeploy.network.nodes import Add, Conv, Dense, Input, Node, Output, Permute, Pool
from neurodeploy.network.spiking_nodes import Delay, Spiking

__all__ = ["nir_bytes", "nir_graph", "nir_library"]


def nir_library() -> Any:
    """The package `nir`.

    Raises
    ------
    UsageError
        It is not installed.
    """
    try:
        import nir
    except ImportError:
        raise UsageError(
            "NIR files are written with nir, which is not installed",
            place="output",
            remedy="install the extra: pip install 'neurodeploy-compiler[nir]'",
        ) from None
    return nir


def nir_bytes(graph: Any) -> bytes:
    """What a ``.nir`` file of a graph holds."""
    stream = io.BytesIO()
    nir_library().write(stream, graph)
    return stream.getvalue()


def nir_graph(network: Network, dt: float) -> Any:
    """The graph, a ``nir.NIRGraph``.

    The gain of every neuron is 1: its `r` (and `w_in`) undo the step of Euler. A delay of one step
    on the loop of one neuron is left out, as all frameworks write it.

    Parameters
    ----------
    dt
        Seconds a step.

    Raises
    ------
    ModelError
        A node that NIR has none for.
    UsageError
        `nir` is not installed.
    """
    nir = nir_library()
    if not 0 < dt < np.inf:
        raise UsageError(f"{dt!r} is not a number of seconds", place="--dt")
    return _Writer(network, dt, nir).graph()


class _Writer:
    def __init__(self, network: Network, dt: float, nir: Any) -> None:
        self.network, self.dt, self.nir = network, dt, nir
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []

    def graph(self) -> Any:
        gone = self._gone()
        biases: dict[str, np.ndarray] = {}
        for node in self.network:
            if isinstance(node, Spiking) and np.any(np.asarray(node.bias)):
                self._place_bias(node, biases)
        for node in self.network:
            if node.name in gone:
                continue
            shape = self.network.shapes[node.name]
            reads = [self.network.shapes[s] for s in self.network.inputs_of(node.name)]
            try:
                self.nodes[node.name] = self._node(node, reads, shape, biases.get(node.name))
            except ModelError as error:
                raise ModelError(error.message, place=node.name, remedy=error.remedy) from None
            for source in self._sources(node.name, gone):
                self.edges.append((source, node.name))
        if len(set(self.edges)) < len(self.edges):
            raise ModelError("adds a node to itself: NIR does not define edges that are doubled")
        return self.nir.NIRGraph(nodes=self.nodes, edges=self.edges, type_check=False)

    def _gone(self) -> set[str]:
        """Nodes that edges stand for: sums, and delays that loops imply."""
        gone = {node.name for node in self.network if isinstance(node, Add)}
        graph = self.network.graph
        for part in nx.strongly_connected_components(graph):
            delays = [n for n in part if isinstance(self.network[n], Delay)]
            neurons = [n for n in part if isinstance(self.network[n], Spiking)]
            late = [self.network[n] for n in delays]
            one = len(neurons) == 1 and all(isinstance(d, Delay) and d.steps == 1 for d in late)
            if one and all(self.network.inputs_of(n) == (neurons[0],) for n in delays):
                gone |= set(delays)
        return gone

    def _sources(self, name: str, gone: set[str]) -> list[str]:
        found: list[str] = []
        for source in self.network.inputs_of(name):
            found += self._sources(source, gone) if source in gone else [source]
        return found

    def _place_bias(self, node: Spiking, biases: dict[str, np.ndarray]) -> None:
        """A membrane's bias: the rest value of a leak, else the bias of a layer that drives it."""
        if np.all(np.asarray(node.membrane_leak) > 0):
            return
        if np.any(np.asarray(node.current_leak) < 1):
            raise ModelError(
                "a bias, a current with memory and no leak: NIR has no place for the bias",
                place=node.name,
            )
        for source in self._sources(node.name, self._gone()):
            made = self.network[source]
            if isinstance(made, Dense | Conv) and len(self.network.consumers_of(source)) == 1:
                shape = self.network.shapes[source]
                biases[source] = np.broadcast_to(np.asarray(node.bias), shape)
                return
        raise ModelError("a bias, and no layer before it to hold it", place=node.name)

    def _node(
        self, node: Node, reads: list[tuple[int, ...]], shape: tuple[int, ...],
        extra: np.ndarray | None,
    ) -> Any:  # fmt: skip
        nir = self.nir
        if isinstance(node, Input):
            return nir.Input(np.array(shape))
        if isinstance(node, Output):
            return nir.Output(np.array(shape))
        if isinstance(node, Dense):
            bias = node.bias if extra is None else node.bias + extra.reshape(-1)
            weight = np.asarray(node.weight, np.float32)
            if np.any(bias):
                return nir.Affine(weight, np.asarray(bias, np.float32))
            return nir.Linear(weight)
        if isinstance(node, Conv):
            return self._convolution(node, reads[0], shape, extra)
        if isinstance(node, Permute) and node.indices is None and len(shape) == 1:
            return nir.Flatten({"input": np.array(reads[0])}, 0, -1)
        if isinstance(node, Pool) and node.operation == "average" and len(node.kernel) == 2:
            (top, left, bottom, right) = node.padding
            alike = (top, left) == (bottom, right) and set(node.dilation) == {1}
            if alike and (node.count_include_pad or not (top or left)):
                sizes = (np.array(node.kernel), np.array(node.stride), np.array([top, left]))
                return nir.AvgPool2d(*sizes)
        if isinstance(node, Delay):
            return nir.Delay(np.full(shape, node.steps * self.dt))
        if isinstance(node, Spiking) and not node.higher:
            return self._neuron(node, shape)
        raise ModelError(f"NIR has no node for a {type(node).__name__} like this one")

    def _convolution(
        self, node: Conv, reads: tuple[int, ...], shape: tuple[int, ...], extra: np.ndarray | None
    ) -> Any:
        rank = node.weight.ndim - 2
        begins, ends = node.padding[:rank], node.padding[rank:]
        bias = np.asarray(node.bias, np.float64)
        if extra is not None:
            bias = bias.reshape(-1, *(1,) * rank) if bias.ndim == 1 else bias
            bias = bias + extra
        if bias.ndim > 1:
            flat = bias.reshape(len(bias), -1)
            if not np.allclose(flat, flat[:, :1]):
                raise ModelError("NIR's convolutions have one bias a channel")
            bias = flat[:, 0]
        if begins != ends or rank not in (1, 2):
            raise ModelError("NIR's convolutions are padded alike on both sides")
        kind = self.nir.Conv2d if rank == 2 else self.nir.Conv1d
        size: Any = reads[1:] if rank == 2 else reads[1]
        plain = (lambda t: tuple(t)) if rank == 2 else (lambda t: t[0])
        return kind(
            size, np.asarray(node.weight, np.float32), plain(node.stride), plain(begins),
            plain(node.dilation), node.groups, bias.astype(np.float32),
        )  # fmt: skip

    def _neuron(self, node: Spiking, shape: tuple[int, ...]) -> Any:
        nir, dt = self.nir, self.dt

        def every(value: float | np.ndarray) -> np.ndarray:
            return np.array(np.broadcast_to(np.asarray(value, np.float64), shape))

        leak, current = every(node.membrane_leak), every(node.current_leak)
        if node.inclusive:
            raise ModelError("NIR does not say that a neuron fires at its threshold, too")
        if node.initial:
            raise ModelError("NIR's membranes begin at 0")
        fires = node.reset != "none"
        threshold = {"v_threshold": every(node.threshold)} if fires else {}
        back = {"v_reset": every(0.0)} if fires else {}
        if np.all(leak == 0) and np.all(current == 1):
            return nir.IF(every(1.0), **threshold, **back) if fires else nir.I(every(1.0))
        if np.any(leak == 0):
            raise ModelError("NIR has no neuron without a leak whose current has a memory")
        rest = every(node.bias) / leak
        if np.all(current == 1):
            kind = nir.LIF if fires else nir.LI
            return kind(tau=dt / leak, r=1 / leak, v_leak=rest, **threshold, **back)
        kind = nir.CubaLIF if fires else nir.CubaLI
        return kind(
            tau_syn=dt / current, tau_mem=dt / leak, r=1 / leak, v_leak=rest, w_in=1 / current,
            **threshold, **back,
        )  # fmt: skip
