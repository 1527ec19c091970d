"""A NIR file (HDF5) as plain nodes and edges; every size is looked at before it is read."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from neurodeploy.errors import ModelError, NeuroDeployError, UsageError, shown
from neurodeploy.files import read_bytes
from neurodeploy.importing.nir.source import HDF5_HEAD

__all__ = ["RawGraph", "RawNode", "Reader", "opened", "read_graph"]

#: Bytes of a file, nodes and edges of a graph, and numbers in all arrays together (512 MiB).
MAX_FILE, MAX_NODES, MAX_EDGES, MAX_NUMBERS = 2**30, 10_000, 100_000, 2**27
#: Characters of a name.
MAX_NAME = 200
#: Graphs within graphs.
MAX_DEEP = 16
T = TypeVar("T")
_AGAIN = "write the graph again with nir.write"


@dataclass(frozen=True, eq=False)
class RawNode:
    """A node as the file has it: its type, and its numbers (arrays, or words such as "same").

    A graph within the graph has neither: its `graph` is its content.
    """

    name: str
    kind: str
    fields: Mapping[str, Any]
    graph: RawGraph | None = None


@dataclass(frozen=True, eq=False)
class RawGraph:
    """A file: its nodes by name, its edges, and where it came from."""

    nodes: Mapping[str, RawNode]
    edges: tuple[tuple[str, str], ...]
    place: str
    file: str
    sha256: str
    version: str


def read_graph(model: str | os.PathLike[str] | bytes) -> RawGraph:
    """Read a file, or its bytes. Links out of the file are refused, nothing is executed.

    Raises
    ------
    ModelError
        It cannot be read, is no NIR graph, or claims more than the limits.
    UsageError
        The reader (h5py) is not installed.
    """
    place, content, (nodes, edges, version) = opened(model, "a NIR graph", _AGAIN, _whole)
    version = version[:20] if version.isprintable() else ""
    digest = hashlib.sha256(content).hexdigest()
    file = "" if place == "<bytes>" else Path(place).name
    return RawGraph(nodes, edges, place, file, digest, version)


def _whole(
    reader: Reader, file: Any
) -> tuple[dict[str, RawNode], tuple[tuple[str, str], ...], str]:
    nodes, edges = reader.graph(reader.member(file, "node", reader.h5py.Group), 0)
    return nodes, edges, reader.word(file, "version") if "version" in file else ""


def opened(
    model: str | os.PathLike[str] | bytes,
    what: str,
    again: str,
    read: Callable[[Reader, Any], T],
) -> tuple[str, bytes, T]:
    """Open an HDF5 file within limits: its place, its bytes, and what `read` makes of it.

    Parameters
    ----------
    what
        It should be, with an article.
    again
        What to do where it is not.

    Raises
    ------
    ModelError
        It cannot be read, is damaged, or claims more than the limits.
    UsageError
        The reader (h5py) is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise UsageError(
            f"{what} is read with h5py, which is not installed",
            place="model",
            remedy="install the extra: pip install 'neurodeploy-compiler[nir]'",
        ) from None
    path = None if isinstance(model, bytes | bytearray | memoryview) else Path(os.fsdecode(model))
    place = "<bytes>" if path is None else str(path)
    try:
        content = bytes(model) if path is None else read_bytes(path, MAX_FILE)  # type: ignore[arg-type]
    except NeuroDeployError as error:
        raise ModelError(error.message, place=place, remedy="check the path") from None
    if not content.startswith(HDF5_HEAD):
        raise ModelError(f"is not {what}: not an HDF5 file", place=place, remedy=again)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = read(Reader(h5py), file)
    except NeuroDeployError as error:
        where = f"{place}: {error.place}" if error.place else place
        raise ModelError(error.message, place=where, remedy=error.remedy or again) from None
    except Exception as error:  # HDF5 reports damage as errors of many types
        told = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(f"is damaged ({told})", place=place, remedy=again) from None
    return place, content, found


class Reader:
    """One pass over a file, counting what was read."""

    def __init__(self, h5py: Any) -> None:
        self.h5py, self.left, self.nodes_left = h5py, MAX_NUMBERS, MAX_NODES

    def graph(self, root: Any, deep: int) -> tuple[dict[str, RawNode], tuple[tuple[str, str], ...]]:
        """Nodes and edges of a graph, those of graphs within it with them."""
        if self.word(root, "type") != "NIRGraph":
            raise ModelError("holds no graph", place="node")
        if deep > MAX_DEEP:
            raise ModelError(f"holds graphs within graphs, more than {MAX_DEEP} deep")
        group = self.member(root, "nodes", self.h5py.Group)
        self.nodes_left -= len(group)
        if self.nodes_left < 0:
            raise ModelError(f"has more than {MAX_NODES} nodes")
        nodes = {}
        for name in group:
            if not 0 < len(name) <= MAX_NAME or not name.isprintable():
                raise ModelError(f"{shown(name)} is no name for a node")
            nodes[name] = self._node(name, self.member(group, name, self.h5py.Group), deep)
        return nodes, self._edges(root)

    def _node(self, name: str, group: Any, deep: int) -> RawNode:
        if "nodes" in group:
            nodes, edges = self.graph(group, deep + 1)
            return RawNode(name, "NIRGraph", {}, RawGraph(nodes, edges, "", "", "", ""))
        fields: dict[str, Any] = {}
        for key in list(group)[:100]:
            link = group.get(key, getlink=True)
            if not isinstance(link, self.h5py.HardLink):
                raise ModelError(f"{shown(key)} lies outside the file", place=f"node {name!r}")
            if isinstance(item := group[key], self.h5py.Dataset) and key not in ("type", "edges"):
                fields[key] = self.value(item, f"node {name!r}: {key}")
        return RawNode(name, self.word(group, "type"), fields)

    def member(self, group: Any, key: str, kind: type) -> Any:
        """What stands there, in the file itself and of that kind."""
        link = group.get(key, getlink=True)
        if link is None:
            raise ModelError(f"has no {key!r}: no NIR graph", place=str(group.name)[:200])
        if not isinstance(link, self.h5py.HardLink) or not isinstance(group[key], kind):
            raise ModelError(f"{key!r} is not what a NIR graph has there")
        return group[key]

    def word(self, group: Any, key: str) -> str:
        """A word that stands there."""
        value = self.value(self.member(group, key, self.h5py.Dataset), key)
        if not isinstance(value, str):
            raise ModelError(f"{key!r} is no word", place=str(group.name)[:200])
        return value

    def value(self, item: Any, place: str) -> Any:
        """The content of a data set: an array of numbers, or a word."""
        if item.external or item.is_virtual:
            raise ModelError("its numbers lie outside the file", place=place)
        if item.shape is None:
            raise ModelError("holds nothing", place=place)
        count = prod(item.shape)
        if item.dtype.kind in "OS":
            if item.shape not in ((), (1,)) or item.dtype.itemsize > MAX_NAME:
                raise ModelError("is neither numbers nor a word", place=place)
            word = item[()] if item.shape == () else item[0]
            text = word.decode("utf8", "replace") if isinstance(word, bytes) else str(word)
            return text[:MAX_NAME]
        if item.dtype.kind not in "biuf" or item.dtype.itemsize > 8:
            raise ModelError(f"dtype {item.dtype} is not numbers", place=place)
        self.left -= count
        if self.left < 0:
            raise ModelError(f"claims more than {MAX_NUMBERS} numbers in all", place=place)
        value = np.asarray(item[()])
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise ModelError("NaN or infinity", place=place)
        return value

    def _edges(self, root: Any) -> tuple[tuple[str, str], ...]:
        item = self.member(root, "edges", self.h5py.Dataset)
        if item.external or item.is_virtual or item.dtype.kind not in "OS":
            raise ModelError("'edges' are no pairs of names")
        if item.shape == (0,):
            return ()
        if item.ndim != 2 or item.shape[1] != 2 or len(item) > MAX_EDGES:
            raise ModelError(f"'edges' are {item.shape}, not up to {MAX_EDGES} pairs")
        if item.dtype.itemsize > MAX_NAME:
            raise ModelError("'edges' hold names that are too long")
        pairs = []
        for pair in item[()]:
            first, second = (
                end.decode("utf8", "replace") if isinstance(end, bytes) else str(end)
                for end in pair
            )
            pairs.append((first, second))
        return tuple(pairs)
