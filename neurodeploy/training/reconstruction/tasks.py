"""Tasks of Udupi et al. 2026: FIRST-LAST-XOR, addition digit by digit, images row by row."""

from __future__ import annotations

import numpy as np

from neurodeploy.errors import UsageError

__all__ = ["addition", "first_last_xor", "rows_of_images", "xor_split"]

Sequences = tuple[np.ndarray, np.ndarray]


def first_last_xor(strings: np.ndarray) -> Sequences:
    """Bits to sequences and labels: the exclusive or of the first and the last bit.

    Parameters
    ----------
    strings
        0 and 1, (n, T).

    Returns
    -------
    uint8 (n, T, 2), each bit one-hot, and int64 (n,).
    """
    bits = np.asarray(strings, np.int64)
    return np.eye(2, dtype=np.uint8)[bits], bits[:, 0] ^ bits[:, -1]


def xor_split(
    length: int, train: int, rng: np.random.Generator, test: int = 4000
) -> tuple[Sequences, Sequences]:
    """Training and test sequences without a string in common.

    A split of drawn samples would put most strings of eight bits into both.

    Raises
    ------
    UsageError
        There are not so many strings.
    """
    if not 2 <= length <= 20 or not 0 < train < 2**length:
        raise UsageError(f"{train} of 2**{length} strings leave none to test", place="train")
    order = rng.permutation(2**length)
    strings = (order[:, None] >> np.arange(length)) & 1
    return first_last_xor(strings[:train]), first_last_xor(strings[train : train + test])


def addition(
    base: int, digits: int, count: int, rng: np.random.Generator, *, one_hot: bool = False
) -> Sequences:
    """Sums of two numbers, digit by digit, the lowest first; one step more for the last carry.

    Returns
    -------
    uint8 (n, digits + 1, 2), the two digits of a step as integers (or (..., 2 * base), each
    one-hot), and int64 (n, digits + 1), the digit of the sum.
    """
    if base < 2 or digits < 1:
        raise UsageError(f"no numbers of {digits} digits in base {base}")
    drawn = np.zeros((count, digits + 1, 2), np.int64)
    drawn[:, :digits] = rng.integers(0, base, (count, digits, 2))
    result = np.zeros((count, digits + 1), np.int64)
    carry = np.zeros(count, np.int64)
    for t in range(digits + 1):
        total = drawn[:, t].sum(1) + carry
        result[:, t], carry = total % base, total // base
    if one_hot:
        return np.eye(base, dtype=np.uint8)[drawn].reshape(count, digits + 1, 2 * base), result
    return drawn.astype(np.uint8), result


def rows_of_images(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W) or (n, 1, H, W) as sequences of rows, (n, H, W)."""
    images = np.asarray(images)
    return images.reshape(len(images), *images.shape[-2:])
