"""Buffers that begin at a line of the cache, and are kept."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.simulator.buffers import Workspace, aligned


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint64])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (1000, 33)])
def test_aligned(shape, dtype):
    array = aligned(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % 64 == 0
    array[...] = 1  # it is ours


def test_a_workspace_keeps_what_suffices():
    space = Workspace()
    first = space.take("a", "block", (4, 8), np.int16)
    first[:] = 7
    smaller = space.take("a", "block", (3, 5), np.int16)
    assert np.shares_memory(first, smaller)
    assert (smaller == 7).all()
    for shape, dtype in (((5, 8), np.int16), ((4, 8), np.int32)):
        other = space.take("a", "block", shape, dtype)
        assert not np.shares_memory(first, other)
        assert (other.shape, other.dtype) == (shape, dtype)
    assert not np.shares_memory(other, space.take("b", "block", (1,), np.int32))
