"""Lava on today's Python: whether it is there, and the one change it needs to be imported.

lava-nc 0.10.0 is the last Lava and says Python < 3.11 and numpy < 2. What really stops it
there is one dataclass with an unhashable default, and an argument of `np.reshape` that NumPy
2.4 took away. `import_lava` gets around both without touching any installed file.

The caller's process never imports Lava (the import sets the process-wide start method of
`multiprocessing`); `run` does it in a process of its own.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from importlib import metadata
from typing import Any, NoReturn

import numpy as np

from neurodeploy.errors import DeploymentError

__all__ = ["LAVA_VERSION", "import_lava", "refuse_hardware", "require_lava"]

#: The version that this package is compared with, bit for bit. There will be no later one.
LAVA_VERSION = "0.10.0"
_INSTALL = "run `neurodeploy setup-lava`"
#: What lava-nc imports but a --no-deps installation does not bring along.
_NEEDS = {"scipy": "scipy", "asteval": "asteval", "sklearn": "scikit-learn"}


def require_lava() -> None:
    """Check, without importing it, that Lava can be used.

    Raises
    ------
    DeploymentError
        lava-nc is missing, has another version, or lacks a package that it imports.
    """
    try:
        version = metadata.version("lava-nc")
    except metadata.PackageNotFoundError:
        raise DeploymentError("lava-nc is not installed", place="lava", remedy=_INSTALL) from None
    if version != LAVA_VERSION:
        raise DeploymentError(
            f"lava-nc {version} is installed, {LAVA_VERSION} is needed",
            place="lava",
            remedy=_INSTALL,
        )
    missing = [name for module, name in _NEEDS.items() if not importlib.util.find_spec(module)]
    if missing:
        raise DeploymentError(
            f"lava-nc is installed, {', '.join(missing)} not", place="lava", remedy=_INSTALL
        )


def refuse_hardware() -> NoReturn:
    """Say that no chip can be used from here.

    Raises
    ------
    DeploymentError
        Always: with or without Intel's `lava-loihi`, which nobody here could ever test.
    """
    if importlib.util.find_spec("lava") and _find("lava.magma.core.model.nc.net"):
        message = "lava-loihi is installed, but neurodeploy has never run on a chip"
    else:
        message = "no Loihi chip can be used: Intel's lava-loihi is not installed"
    raise DeploymentError(
        message,
        place="lava",
        remedy="run on Lava's CPU runtime, which computes the same integers as the chip",
    )


def _find(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def import_lava() -> None:
    """Make `import lava...` work in this process, on Python 3.10 to 3.13.

    Since Python 3.11 `dataclasses` refuses a default whose class has no ``__hash__``, as
    Lava's ``CoreEncoder.x: ByteEncoder = ByteEncoder()``. If the import fails on that, it
    is repeated with a `dataclass` decorator that gives `ByteEncoder` its hash back; every
    module it depends on is loaded by then, so nothing else ever sees that decorator.

    Raises
    ------
    DeploymentError
        Lava cannot be imported.
    """
    module = "lava.magma.compiler.var_model"
    try:
        try:
            importlib.import_module(module)
        except ValueError:
            original = dataclasses.dataclass
            dataclasses.dataclass = _hashing(original, module)  # type: ignore[assignment]
            try:
                importlib.import_module(module)
            finally:
                dataclasses.dataclass = original  # type: ignore[assignment]
        _repair_reshape()
    except Exception as error:
        raise DeploymentError(
            f"Lava cannot be imported: {type(error).__name__}: {error}",
            place="lava",
            remedy=_INSTALL,
        ) from error


def _repair_reshape() -> None:
    """Reshaped ports without ``np.reshape(newshape=...)``, which NumPy 2.4 no longer takes."""
    ports = importlib.import_module("lava.magma.core.process.ports.ports")

    def forward(self: Any) -> Callable[[np.ndarray], np.ndarray]:
        return partial(_reshaped, shape=self.shape)

    def backward(self: Any) -> Callable[[np.ndarray], np.ndarray]:
        return partial(_reshaped, shape=self.old_shape)

    ports.ReshapePort.get_transform_func_fwd = forward
    ports.ReshapePort.get_transform_func_bwd = backward


def _reshaped(data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return data.reshape(shape)


def _hashing(original: Callable[..., Any], module: str) -> Callable[..., Any]:
    """The `dataclass` decorator, except that `ByteEncoder` of that module stays hashable."""

    def dataclass(cls: type | None = None, /, **options: Any) -> Any:
        decorated = original(cls, **options)
        if cls is not None and (cls.__module__, cls.__name__) == (module, "ByteEncoder"):
            cls.__hash__ = object.__hash__  # type: ignore[assignment, method-assign]
        return decorated

    return dataclass
