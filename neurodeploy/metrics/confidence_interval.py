"""How sure a share is that was counted on few samples."""

from __future__ import annotations

from math import sqrt

__all__ = ["wilson"]

#: Two-sided 95 % quantile of the normal distribution.
_QUANTILE = 1.959963984540054


def wilson(right: float, n: int) -> tuple[float, float]:
    """95 % score interval of the share ``right / n``, in percent.

    Stays within 0..100 and is right for shares near the ends, where the normal interval is not.

    Parameters
    ----------
    right
        How many were right; a fraction where each of the n counts as a mean of its own.
    n
        At least 1.

    References
    ----------
    Wilson 1927, Probable inference, the law of succession, and statistical inference, JASA 22,
    p. 209.
    """
    share, square = right / n, _QUANTILE**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = _QUANTILE * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    # the ends are exact; rounding must not move the share out of its own interval
    low = 0.0 if right <= 0 else min(share, max(0.0, middle - half))
    high = 1.0 if right >= n else max(share, min(1.0, middle + half))
    return 100 * low, 100 * high
