"""Imports point one way, without a circle, as docs/architecture.md lists the floors.

Every import of the package and of the tools counts, also those within functions and those for types
alone: a circle that only a type checker sees is two ideas that do not know which comes first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: module -> modules of the same tree that it imports
Graph = dict[str, set[str]]


def imported(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of `known` that a file names in any import statement."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            names = [
                f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}" in known
                else str(node.module)
                for alias in node.names
            ]
        else:
            continue
        yield from (name for name in names if name in known)


def graph_of(*folders: str, within: str = ".") -> Graph:
    """Imports among all modules below some folders, which are packages below `within`."""
    known = {}
    for folder in folders:
        for file in (ROOT / within / folder).rglob("*.py"):
            parts = file.relative_to(ROOT / within).with_suffix("").parts
            known[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return {module: set(imported(file, known)) - {module} for module, file in known.items()}


def circle(graph: Graph) -> list[str]:
    """One circle of a graph, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def folded(graph: Graph, package: str) -> Graph:
    """Imports among what lies directly in a package: each folder counts as one."""
    depth = package.count(".") + 2

    def part(module: str) -> str:
        return ".".join(module.split(".")[:depth])

    parts: Graph = {}
    for module, targets in graph.items():
        if module.startswith(f"{package}."):
            inside = {part(target) for target in targets if target.startswith(f"{package}.")}
            parts.setdefault(part(module), set()).update(inside - {part(module)})
    return parts


@pytest.fixture(scope="module")
def graph():
    return graph_of("neurodeploy")


def floors() -> list[list[str]]:
    """The list of docs/architecture.md, lowest floor first."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = text.split("## Who imports whom")[1].split("\n##")[0]
    return [line.split() for line in listed.splitlines() if line.startswith("    ")]


def test_no_circle_among_modules(graph):
    assert len(graph) > 300
    assert circle(graph) == []


def test_no_circle_among_the_folders_of_any_package(graph):
    packages = {module.rpartition(".")[0] for module in graph} - {""}
    assert {
        package: found for package in packages if (found := circle(folded(graph, package)))
    } == {}


def test_no_circle_among_the_tools():
    tools = ["file_fuzz", "importer_fuzz", "simulator_bench"]
    assert circle(graph_of(*tools, within="tools")) == []


def test_imports_point_up_the_floors_of_the_architecture(graph):
    floor = {room: height for height, rooms in enumerate(floors()) for room in rooms}
    rooms = folded(graph, "neurodeploy")
    there = {room.removeprefix("neurodeploy.") for room in rooms} - {"__main__"}
    assert set(floor) == there, "docs/architecture.md, 'Who imports whom', lists other rooms"
    wrong = [
        f"{module} imports {target}"
        for module, targets in graph.items()
        for target in targets
        if module.count(".") and target.count(".")
        if (here := module.split(".")[1]) != (below := target.split(".")[1])
        if here != "__main__" and floor[below] >= floor[here]
    ]
    assert wrong == []


def test_what_counts_as_a_circle():
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    # two folders that lean on each other, though no two of their files do
    files = {"p.a.x": {"p.b.x"}, "p.b.y": {"p.a.y"}, "p.b.x": set(), "p.a.y": set()}
    assert circle(files) == []
    assert circle(folded(files, "p")) != []


def test_imports_within_functions_and_for_types_count(tmp_path):
    file = tmp_path / "x.py"
    file.write_text(
        "import p.a\nif TYPE_CHECKING:\n    from p.b import B\n"
        "def f():\n    from p import c\n    from p import value\n"
    )
    known = dict.fromkeys(("p", "p.a", "p.b", "p.c"), file)
    assert list(imported(file, known)) == ["p.a", "p.b", "p.c", "p"]
