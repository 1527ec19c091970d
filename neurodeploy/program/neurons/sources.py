"""Kinds that were registered by hand, made known to another process."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from neurodeploy.errors import ProgramError
from neurodeploy.program.neurons.base import Neuron
from neurodeploy.program.neurons.registry import kinds

__all__ = ["import_kinds", "sources_of"]

#: Whoever reads programs has these.
_OURS = "neurodeploy.program.neurons."


def sources_of(found: Iterable[type[Neuron]]) -> list[list[str]]:
    """Kind, module and file of the kinds that are not ours, for `import_kinds`.

    Raises
    ------
    ProgramError
        A kind that no file defines: another process cannot know it.
    """
    sources = []
    for kind in found:
        if kind.__module__.startswith(_OURS):
            continue
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if file is None:
            raise ProgramError(
                f"the neuron kind {kind.kind!r} is defined in no file, and Lava runs in processes "
                "of its own that have to import it",
                remedy="put the class into a file (a module) and import it from there",
            )
        sources.append([kind.kind, kind.__module__, str(Path(file).resolve())])
    return sorted(sources)


def import_kinds(sources: Iterable[Iterable[str]]) -> None:
    """Import what `sources_of` told in another process; the modules register their kinds."""
    for kind, module, file in sources:
        if kind in kinds():
            continue
        with contextlib.suppress(ImportError):  # a script or a test is on no path
            importlib.import_module(module)
        if kind not in kinds():
            spec = importlib.util.spec_from_file_location(module, file)
            if spec is None or spec.loader is None:
                raise ProgramError(f"cannot import the neuron kind {kind!r} from {file}")
            loaded = importlib.util.module_from_spec(spec)
            sys.modules[module] = loaded
            spec.loader.exec_module(loaded)
