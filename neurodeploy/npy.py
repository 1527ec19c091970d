"""The header of a `.npy` file, from someone we do not trust."""

from __future__ import annotations

import io
import warnings
from math import prod

import numpy as np

__all__ = ["HEADER_BYTES", "read_header"]

#: Bytes within which the header of an array ends.
HEADER_BYTES = 2**16


def read_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, whether in Fortran order, dtype, and where the values begin.

    NumPy tokenizes and evaluates the header as Python; what a damaged one raises there is any of
    a dozen kinds, which become one.

    Parameters
    ----------
    data
        At least the first `HEADER_BYTES` of the file, or all of it.

    Raises
    ------
    ValueError
        Not a header; objects, fields or other types than booleans, integers, floats, complex
        numbers and texts; a shape of other than whole numbers from 0 on.
    """
    stream = io.BytesIO(data[:HEADER_BYTES])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers of Python 2 are read, not spoken of
            version = np.lib.format.read_magic(stream)
            if version not in ((1, 0), (2, 0), (3, 0)):
                raise ValueError(f"it is of version {version[0]}.{version[1]}")
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, fortran, dtype = read(stream)
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"its header cannot be read: {reason}") from None
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpickled")
    if dtype.kind not in "?biufcSU" or dtype.itemsize == 0:
        raise ValueError(f"it holds values of type {str(dtype)[:60]}")
    # sizes beside a 0 count as well: NumPy multiplies them, too
    size = dtype.itemsize * prod(n for n in shape if n)
    if any(type(n) is not int or n < 0 for n in shape) or size >= 2**62:
        raise ValueError("its shape is no list of sizes")
    return shape, fortran, dtype, stream.tell()
