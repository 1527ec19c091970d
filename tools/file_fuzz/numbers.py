"""Values that files should not hold, for every place where one stands."""

from __future__ import annotations

import random
from typing import Any

__all__ = ["TEXTS", "other_number", "other_value"]

_WHOLE = [0, 1, -1, 2, 3, 5, 7, 8, 62, 63, 64, 127, 128, 255, 4095, 4096, 5000, 65536, 2**17,
          2**20, 2**23 - 1, 2**23, 2**24, 2**27, 2**31 - 1, 2**31, -(2**31), 2**40, 2**63 - 1,
          2**63, -(2**63), 10**30, 10**400]  # fmt: skip
_REAL = [0.0, -0.0, 0.5, -1.0, 1e-45, 1e-38, 3.4e38, 1e308, -1e308, 5e-324, float("inf"),
         float("-inf"), float("nan")]  # fmt: skip
TEXTS = ["", "input", "p0", "o", "lif", "ttfs", "earliest", "dense", "sparse", "convolution",
         "current", "poisson", "zero", "none", "subtract", "loihi1", "../x", "/etc/passwd",
         "\x1b[31mred\x1b[0m", "<script>alert(1)</script>", "[bold]x[/bold]", "a\nb", "a|b`c",
         "\u202egnp.exe", "\x00", "\ud800", "\u00e9\u4e2d\U0001f600", "x" * 5000]  # fmt: skip


def other_number(old: Any, rng: random.Random) -> Any:
    """A near or an absurd one."""
    if isinstance(old, bool):
        return not old
    if isinstance(old, int) and rng.random() < 0.5:
        return old + rng.choice([-2, -1, 1, 2, old, -2 * old])
    if isinstance(old, float) and rng.random() < 0.3:
        return old * rng.choice([-1.0, 2.0, 1e-30, 1e30])
    return rng.choice(_WHOLE if isinstance(old, int) or rng.random() < 0.3 else _REAL)


def other_value(old: Any, rng: random.Random) -> Any:
    """Of the same type most of the time."""
    kind = rng.random()
    if kind < 0.75:
        if isinstance(old, bool | int | float):
            return other_number(old, rng)
        if isinstance(old, str):
            return rng.choice(TEXTS)
    if kind < 0.95:
        return rng.choice([rng.choice(_WHOLE), rng.choice(_REAL), rng.choice(TEXTS), None, True,
                           [], {}, [old], {"a": old}, [old] * rng.choice([2, 3, 50])])  # fmt: skip
    deep: Any = old
    for _ in range(rng.choice([3, 100, 300])):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    return deep
