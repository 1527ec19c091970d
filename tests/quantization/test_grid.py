"""Integer weights are found again, whatever the largest of a channel is."""

import numpy as np

from neurodeploy.network import Dense
from neurodeploy.quantization.grid import levels_of_peaks


def test_whole_weights_are_found_and_others_use_all_bits():
    rng = np.random.default_rng(0)
    whole = rng.integers(-90, 91, (3, 40))
    whole[:, 0] = 90, 77, 127
    weight = np.concatenate([whole * np.array([[0.013], [2.1], [1.0]]), rng.normal(size=(3, 40))])
    dense = Dense("d", weight.astype(np.float32), np.zeros(6, np.float32))
    levels = levels_of_peaks(dense, 6, 127)
    largest = np.abs(whole).max(1)
    np.testing.assert_array_equal(levels[:3], largest)
    np.testing.assert_array_equal(levels[3:], 127)


def test_silent_channels_use_all_bits():
    dense = Dense("d", np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
    np.testing.assert_array_equal(levels_of_peaks(dense, 2, 31), 31)
