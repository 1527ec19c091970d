"""The log: beginning and end of each work, by Python's `logging`; silent until a handler is set."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["logged", "logger"]

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("neurodeploy")
logger.addHandler(logging.NullHandler())  # else Python would print warnings of it on stderr


def logged(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which says at INFO that it begins, and how long it took or that it failed."""

    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        name, began = function.__name__, time.perf_counter()
        logger.info("%s: begins", name)
        try:
            found = function(*arguments, **options)
        except BaseException as error:
            seconds = time.perf_counter() - began
            logger.info("%s: %s after %.3f s", name, type(error).__name__, seconds)
            raise
        logger.info("%s: done in %.3f s", name, time.perf_counter() - began)
        return found

    return run
