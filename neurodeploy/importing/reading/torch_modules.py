"""A torch.nn.Module as ONNX: torch's own exporter, for any number of samples at a time.

torch is never imported here unless somebody else has: who passes a module has it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from neurodeploy.errors import UnsupportedError, UsageError

if TYPE_CHECKING:
    import onnx
    import torch
    from typing_extensions import TypeIs

__all__ = ["exported", "is_torch_module"]

#: What torch calls an operator, in the messages of its exporter.
_OPERATOR = re.compile(r"OpOverload\(op='([^']+)'|call_function\[target=([\w.]+)\]")
#: The user's line, where torch.export names it; torch's own files are not his.
_LINE = re.compile(r'File "([^"]+)", line (\d+), in (\w+)\n\s*(.+)')
_SPIKING = ("snntorch", "spikingjelly", "sinabs", "norse", "lava")


def is_torch_module(model: object) -> TypeIs[torch.nn.Module]:
    """Whether it is a `torch.nn.Module`; torch is not imported to find out."""
    known = sys.modules.get("torch")
    return known is not None and isinstance(model, known.nn.Module)


def exported(module: Any, shape: tuple[int, ...]) -> onnx.ModelProto:
    """The module as it infers (``eval()``), as an `onnx.ModelProto`.

    The module is left as it was: the mode of every part of it, its device and dtype.

    Parameters
    ----------
    module
        A `torch.nn.Module` of one input, on any device.
    shape
        Of one sample, without the batch axis.

    Raises
    ------
    UnsupportedError
        What torch's exporter refused: the operator, and the line of the module where it knows it.
    UsageError
        The module takes something else than samples of that shape.
    """
    import torch

    name = type(module).__name__
    _refuse_spiking(module, name)
    first = next(iter(module.parameters()), None)
    device = None if first is None else first.device
    dtype = first.dtype if first is not None and first.is_floating_point() else torch.float32
    # two samples: torch.export takes a size of 1 for a constant
    example = torch.zeros((2, *shape), dtype=dtype, device=device)
    with _inferring(module), _silent(), torch.no_grad():
        try:
            module(example[:1])
        except Exception as error:
            raise UsageError(
                f"does not take samples of shape {shape}: {_first_line(error)}",
                place=name,
                remedy="give calibration samples as the module takes them, (n, *shape): channels "
                "first for convolutions; a module of several inputs needs a wrapper of one",
            ) from error
        try:
            made = _export(module, example, any_number=True)
        except Exception as refusal:
            # a module that is written for one sample at a time is exported as such
            try:
                made = _export(module, example[:1], any_number=False)
            except Exception:
                raise _refusal(name, refusal) from refusal
    return _without_traces(made.model_proto)


def _without_traces(model: Any) -> Any:
    """Without the exporter's notes on nodes: they hold paths of the machine, and change with it."""
    for node in model.graph.node:
        del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    return model


def _export(module: Any, example: Any, any_number: bool) -> Any:
    import torch

    batch = ({0: torch.export.Dim("batch")},) if any_number else None
    made = torch.onnx.export(module, (example,), dynamo=True, verbose=False, dynamic_shapes=batch)
    if made is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return made


@contextlib.contextmanager
def _inferring(module: Any) -> Iterator[None]:
    """All parts in the mode of inference inside, and as they were afterwards."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """What the exporter tells its own developers is left out: its verdict is ours to say."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _refuse_spiking(module: Any, name: str) -> None:
    """A network that spikes already has another way here, and its framework's page says which."""
    for path, part in module.named_modules():
        framework = type(part).__module__.partition(".")[0]
        if framework in _SPIKING and "layer" not in type(part).__module__:
            page = {"lava": "lava-dl"}.get(framework, framework)
            raise UnsupportedError(
                f"{path or name} is a {type(part).__name__} of {framework}: the module spikes "
                "already",
                place=name,
                remedy=f"export it to NIR and compile the .nir: docs/from-{page}.md",
            )


def _refusal(name: str, error: BaseException) -> UnsupportedError:
    """What the exporter refused, in one sentence: operator, line, and its own first words."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    text = "\n".join(map(str, chain))
    operators = dict.fromkeys(a or b for a, b in _OPERATOR.findall(text))
    lines = [found for found in _LINE.findall(text) if "/torch/" not in found[0]]
    told = f"torch's exporter refused {', '.join(operators) or type(_bottom(chain)).__name__}"
    if lines:
        file, number, _, code = lines[-1]
        told += f" at line {number} of {file.rpartition('/')[2]}, `{code.strip()}`"
    if not operators:
        told += f": {_first_line(_bottom(chain))}"
    if "data-dependent" in text:
        remedy = "let nothing branch on the values of a tensor: use torch.where, or take it out"
    else:
        remedy = "replace that operation, or move it out of the module, before or behind it"
    return UnsupportedError(told, place=name, remedy=remedy)


def _bottom(chain: list[BaseException]) -> BaseException:
    """The error at the bottom, which is not the exporter's own wrapper."""
    inner = [error for error in chain if "exporter" not in type(error).__module__]
    return inner[0] if inner else chain[-1]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
