"""What the importer took for granted, a line each, for the person who compiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurodeploy.importing import Imported

__all__ = ["notes_on"]


def notes_on(imported: Imported) -> Iterator[str]:
    """Outputs left out, a decoder left to the reader, classes with labels of their own."""
    if imported.other_outputs:
        others = imported.other_outputs
        named = ", ".join(map(repr, others[:10])) + (", ..." if len(others) > 10 else "")
        yield (
            f"takes output {imported.output_name!r} of {1 + len(others)}; the others ({named}) "
            "are left out; choose with --output-name"
        )
    if imported.decoder:
        yield (
            f"the final {', '.join(imported.decoder)} is left to the reader: outputs are what "
            "goes into it, their order is the same"
            + (f"; {imported.note}" if imported.note else "")
        )
    if imported.classes and imported.classes != tuple(range(len(imported.classes))):
        yield _labels(imported.classes)


def _labels(classes: tuple[int | str, ...]) -> str:
    """What the outputs of a classifier stand for, where that is not 0, 1, 2, ..."""
    shown = ", ".join(f"{index} is {label!r}" for index, label in enumerate(classes[:10]))
    more = ", ..." if len(classes) > 10 else ""
    return (
        f"the classes have labels of their own ({shown}{more}): predictions, and the labels that "
        "accuracy is measured with, are their positions"
    )
