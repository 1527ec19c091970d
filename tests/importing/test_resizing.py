"""Resize and Upsample against ONNX Runtime."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurodeploy.network import Conv, Permute

COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
NEAREST = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
SCALES = [0.3, 0.5, 0.75, 1.0, 1.3, 2.0, 2.5, 3.0]


def floats(*values):
    return np.array(values, np.float32)


def whole(axes):
    """Whether every scale gives a whole number of cells, as align_corners needs."""
    return all(abs(n * s - round(n * s)) < 1e-6 for n, s in axes)


def resize(model, shape, opset, scales=None, sizes=None, batch="batch", **attributes):
    constants = {"r": floats()}
    if scales is not None:
        constants["s"] = floats(*scales)
    else:
        constants["n"] = np.array(sizes, np.int64)
    reads = "x s" if opset == 10 else f"x {'r' if opset < 13 else '-'} "
    if opset == 10:
        del constants["r"]
    elif scales is None:
        reads += f"{'r' if opset < 13 else '-'} n"
    else:
        reads += "s"
    return model([("Resize", reads, "y", attributes)], shape, opset=opset, batch=batch, **constants)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([11, 13, 18, 19, 22]),
    st.sampled_from([*COORDINATES, "half_pixel_symmetric", "tf_half_pixel_for_nn"]),
    st.sampled_from(NEAREST),
    st.lists(st.tuples(st.integers(1, 7), st.sampled_from(SCALES)), min_size=1, max_size=3),
    st.integers(0, 99),
)
def test_nearest(model, agree, opset, coordinates, nearest, axes, seed):
    assume(opset >= 19 or coordinates != "half_pixel_symmetric")
    assume(opset == 11 or coordinates != "tf_half_pixel_for_nn")
    shape = [n for n, _ in axes]
    results = [int(np.float32(n) * np.float32(s)) for n, s in axes]
    assume(all(results) and (results != shape or all(s == 1 for _, s in axes)))
    how = {"coordinate_transformation_mode": coordinates, "nearest_mode": nearest}
    if coordinates != "align_corners" or whole(axes):
        agree(resize(model, shape, opset, [1, *(s for _, s in axes)], **how))
    sizes = [1 + (seed * (i + 3) + n) % 11 for i, n in enumerate(shape)]
    imported = agree(resize(model, shape, opset, sizes=[1, *sizes], batch=1, **how))
    assert all(isinstance(node, Permute) for node in list(imported.network)[1:-1])


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize(("size", "result"), [(7, 2), (20, 6), (20, 26), (23, 14), (30, 9)])
def test_half_way_between_two_cells(model, agree, nearest, size, result):
    """Coordinates whose float32 arithmetic just misses one half."""
    for coordinates in ("asymmetric", "half_pixel"):
        how = {"coordinate_transformation_mode": coordinates, "nearest_mode": nearest}
        agree(resize(model, (size,), 13, sizes=[1, result], batch=1, **how))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([11, 13, 19]),
    st.sampled_from([*COORDINATES, "half_pixel_symmetric"]),
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(SCALES)), min_size=2, max_size=2),
)
def test_linear(model, agree, opset, coordinates, axes):
    assume(opset >= 19 or coordinates != "half_pixel_symmetric")
    shape = [2, *(n for n, _ in axes)]
    results = [int(np.float32(n) * np.float32(s)) for n, s in axes]
    assume(all(results) and (results != shape[1:] or all(s == 1 for _, s in axes)))
    assume(coordinates != "align_corners" or whole(axes))
    how = {"coordinate_transformation_mode": coordinates, "mode": "linear"}
    imported = agree(resize(model, shape, opset, [1, 1, *(s for _, s in axes)], **how))
    assert all(isinstance(node, Permute | Conv) for node in list(imported.network)[1:-1])


def test_linear_by_sizes_and_in_three_dimensions(model, agree):
    agree(resize(model, (2, 3, 4), 13, sizes=[1, 2, 7, 5], batch=1, mode="linear"))
    agree(resize(model, (2, 3, 4, 2), 13, [1, 1, 2, 1.5, 2], mode="linear"))
    imported = agree(resize(model, (2, 4, 4), 13, [1, 1, 2, 2], mode="linear"))
    assert sum(isinstance(node, Conv) for node in imported.network) == 1


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("scales", [(1, 1, 2, 2), (1, 1, 3, 1), (1, 1, 1.5, 2.7), (1, 1, 1, 1)])
def test_upsample(model, agree, mode, scales):
    seven = [("Upsample", "x", "y", {"scales": [float(s) for s in scales], "mode": mode})]
    agree(model(seven, (2, 3, 4), opset=7))
    agree(model([("Upsample", "x s", "y", {"mode": mode})], (2, 3, 4), opset=9, s=floats(*scales)))


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("scale", SCALES)
def test_resize_of_opset_ten(model, agree, mode, scale):
    agree(resize(model, (2, 4, 7), 10, [1, 1, scale, scale], mode=mode))


@pytest.mark.parametrize("policy", ["stretch", "not_larger", "not_smaller"])
@pytest.mark.parametrize("sizes", [(7, 8), (3, 9), (10, 2)])
def test_sizes_of_named_axes(model, agree, policy, sizes):
    for nearest in NEAREST:
        how = {"axes": [2, 3], "keep_aspect_ratio_policy": policy, "nearest_mode": nearest}
        agree(resize(model, (2, 4, 6), 18, sizes=sizes, **how))
    how = {"axes": [3, 2], "keep_aspect_ratio_policy": policy, "mode": "linear"}
    agree(resize(model, (2, 4, 6), 19, sizes=sizes, **how))


def test_negative_axes(model, agree):
    agree(resize(model, (2, 4, 6), 18, sizes=(9, 8), axes=[-1, -2]))


def test_channels_may_be_scaled_and_antialias_may_do_nothing(model, agree):
    agree(resize(model, (2, 3), 13, [1, 2, 2]))
    agree(resize(model, (2, 3, 3), 18, [1, 1, 2, 2], mode="linear", antialias=1))


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"mode": "cubic"}, "cubic"),
        ({"mode": "guess"}, "guess"),
        ({"mode": "linear", "antialias": 1}, "antialias"),
        ({"coordinate_transformation_mode": "tf_crop_and_resize"}, "crops"),
        ({"coordinate_transformation_mode": "sideways"}, "sideways"),
        ({"nearest_mode": "furthest"}, "furthest"),
        ({"axes": [0, 1, 2, 2]}, "different axes"),
        ({"axes": [0, 1, 2, 9]}, "different axes"),
        ({"axes": [1]}, "1 positive numbers"),
    ],
)
def test_refused_ways(model, refuses, attributes, words):
    proto = resize(model, (2, 4, 4), 19, [1, 1, 0.5, 0.5], **attributes)
    refuses(proto, "n-y", match=words)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_corners_of_a_fraction_of_a_cell(model, refuses, mode):
    how = {"coordinate_transformation_mode": "align_corners", "mode": mode}
    refuses(resize(model, (2, 4, 4), 19, [1, 1, 0.6, 0.6], **how), "n-y", match="no whole")


@pytest.mark.parametrize(
    ("scales", "words"),
    [
        ([2, 1, 1, 1], "batch axis"),
        ([1, 1, -1, 1], "positive"),
        ([1, 1, 0, 1], "positive"),
        ([1, 1, np.nan, 1], "NaN"),
        ([1, 1], "4 positive"),
        ([1, 1, 1.1, 1.1], "runtimes disagree"),
        ([], "neither"),
        ([1, 1, 0.1, 1], "0 elements"),
        ([1, 1, 1e30, 1], "by 1.0"),
        ([1, 1, 4000, 4000], "elements"),
        ([1, 1, 1e9, 1e-9], "scales axis"),
    ],
)
def test_absurd_scales(model, refuses, scales, words):
    refuses(resize(model, (2, 4, 4), 13, scales), "n-y", match=words)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([1, 2, 0, 4], "sizes"),
        ([1, 2, -3, 4], "sizes"),
        ([1, 2, 4], "sizes"),
        ([1, 2, 2**40, 4], "sizes"),
        ([1, 2, 2**20, 2**20], "elements"),
        ([2, 2, 4, 4], "batch axis"),
    ],
)
def test_absurd_sizes(model, refuses, sizes, words):
    refuses(resize(model, (2, 4, 4), 13, sizes=sizes, batch=1), "n-y", match=words)


def test_upsample_refusals(model, refuses):
    refuses(model([("Upsample", "x", "y")], (2, 4), opset=7), "n-y", match="scales")
    node = ("Upsample", "x s", "y")
    refuses(model([node], (2, 4), opset=13, s=floats(1, 1, 2)), "n-y", match="ended")
    both = [("Resize", "x - s n", "y")]
    proto = model(both, (2,), opset=13, s=floats(1, 2), n=np.array([1, 4]))
    refuses(proto, "n-y", match="both")
