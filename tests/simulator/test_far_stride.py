"""A stride far beyond the source: tables of a size that follows from the source alone."""

from __future__ import annotations

import numpy as np
import pytest

from neurodeploy.program import Convolution
from neurodeploy.simulator.layout import convolution_rows
from neurodeploy.simulator.receptive import receptive


@pytest.mark.parametrize("stride", [(50, 2**27), (2**27, 1)])
def test_tables_are_those_of_a_near_stride(stride):
    weights = np.random.default_rng(0).integers(-9, 9, (3, 2, 3, 4)).astype(np.int8)
    source, near = (2, 4, 5), tuple(min(s, 9) for s in stride)
    far, close = (Convolution(weights, s, (1, 1, 2, 1)) for s in (stride, near))
    shape = far.output_shape(source)
    assert shape == close.output_shape(source)
    found = [convolution_rows(c, weights.astype(np.int32), source) for c in (far, close)]
    for name in vars(found[0]):
        one, other = (getattr(f, name) for f in found)
        if name != "weights":
            np.testing.assert_array_equal(one, other, name)
    fields = [receptive(c, source, shape) for c in (far, close)]
    assert max(fields[0].stride) <= 9
    np.testing.assert_array_equal(fields[0].weights, fields[1].weights)
