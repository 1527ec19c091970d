"""The way of a torch.nn.Module: the shape of its samples, its ONNX, then the way of every model."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodeploy.errors import DataError, NeuroDeployError, UsageError
from neurodeploy.importing.reading.torch_modules import exported, is_torch_module
from neurodeploy.samples import is_batched, items_of, read_samples

if TYPE_CHECKING:
    import onnx

__all__ = ["as_file", "from_torch", "is_torch_module", "sample_shapes"]


def from_torch(module: Any, calibration: Any) -> tuple[onnx.ModelProto, Any]:
    """The ONNX of a module, and the calibration samples with their first batch still in them.

    Parameters
    ----------
    module
        A `torch.nn.Module`.
    calibration
        As for `neurodeploy.compile`; its first batch says the shape of a sample.

    Raises
    ------
    NeuroDeployError
        UsageError: no samples, or samples that the module does not take. UnsupportedError: what
        torch's exporter refused.
    """
    if calibration is None:
        raise UsageError(
            "a torch module does not say the shape of its samples",
            place="calibration",
            remedy="give calibration samples: an array (n, *shape) or a DataLoader",
        )
    shapes, calibration = sample_shapes(calibration)
    refusal: NeuroDeployError | None = None
    for shape in shapes:
        try:
            return exported(module, shape), calibration
        except UsageError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


@contextmanager
def as_file(module: Any, shape: tuple[int, ...]) -> Iterator[Path]:
    """The ONNX of a module as a file, for as long as it is looked at."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "module.onnx"
        path.write_bytes(exported(module, shape).SerializeToString(deterministic=True))
        yield path


def sample_shapes(given: Any) -> tuple[list[tuple[int, ...]], Any]:
    """What one sample may be shaped like, the likeliest first, and the samples untouched.

    An item of an iterable may be a batch or a sample: labels beside it tell, one for each sample
    of a batch; without labels it is taken for a batch where it has more than one axis.
    """
    if not is_batched(given):
        given = read_samples(given, ())
        return [np.shape(given.x)[1:]], given
    items = items_of(given)
    first = next(items, None)
    if items is given:  # used up by looking: the first item goes back in front
        given = itertools.chain((first,), items)
    if first is None:
        raise UsageError("an iterable without a batch", place="calibration")
    x, y = first, None
    if isinstance(first, Mapping):
        if "x" not in first:
            names = ", ".join(map(str, first))[:120]
            raise DataError(
                f"a batch that is a mapping of {names}, without x",
                place="calibration",
                remedy="give pairs: ((batch[SAMPLES], batch[LABELS]) for batch in loader)",
            )
        x, y = first.get("x"), first.get("y")
    elif isinstance(first, list | tuple) and len(first) == 2:
        x, y = first
    shape = tuple(int(n) for n in np.shape(x))
    if y is not None:
        labels = np.shape(y)
        batch = bool(labels) and bool(shape) and labels[0] == shape[0]
        return ([shape[1:], shape] if batch else [shape, shape[1:]]), given
    return ([shape] if len(shape) < 2 else [shape[1:], shape]), given
