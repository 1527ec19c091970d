"""Work on threads, in order and a few pieces at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["default_threads", "spread"]

Item = TypeVar("Item")
Done = TypeVar("Done")
#: Items a thread that are handed out before the oldest is waited for.
_AHEAD = 4


def default_threads() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(work: Callable[[Item], Done], items: Iterable[Item], threads: int) -> Iterator[Done]:
    """Results in the order of the items.

    1. One thread: the caller's own.
    2. Several: a pool of so many. Items are taken as threads come free, so neither items nor
       results pile up however many there are. Whoever stops early (an error, Ctrl-C) waits for
       the items under way, not for those that have not begun.
    """
    if threads == 1:
        yield from map(work, items)
        return
    waiting: deque[Future[Done]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= _AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
