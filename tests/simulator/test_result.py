"""Checksums of results, and results put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.simulator.result import Result


def made(n=4):
    rng = np.random.default_rng(0)
    return Result(
        outputs=rng.random((n, 3)).astype(np.float32),
        spikes={"b": np.arange(n), "a": np.arange(n) + 1},
        synaptic_operations={"input->a": np.arange(n) * 7, "a->b": np.arange(n) * 5},
        wrapped={"a": 1, "b": 0},
        clipped={"a": 0, "b": 2},
        seconds=1.0,
    )


def test_what_does_not_count():
    """Time, the order of names, memory layout, byte order, and how wide the integers are."""
    result = made()
    others = [
        replace(result, seconds=9.0),
        replace(result, spikes=dict(reversed(result.spikes.items()))),
        replace(result, outputs=np.asfortranarray(result.outputs)),
        replace(result, outputs=result.outputs.astype(">f4")),
        replace(result, spikes={k: v.astype(np.int32) for k, v in result.spikes.items()}),
        replace(result, wrapped={k: np.int64(v) for k, v in result.wrapped.items()}),
    ]
    assert {other.checksum for other in others} == {result.checksum}
    assert len(result.checksum) == 64


def test_what_counts():
    result = made()
    nudged = result.outputs.copy()
    nudged[2, 1] = np.nextafter(nudged[2, 1], np.float32(9))
    others = [
        result,
        replace(result, outputs=nudged),
        replace(result, outputs=result.outputs[::-1]),
        replace(result, outputs=result.outputs.reshape(4, 1, 3)),
        replace(result, spikes=result.spikes | {"a": result.spikes["a"] + 1}),
        replace(result, spikes={"b": result.spikes["a"], "a": result.spikes["b"]}),
        replace(result, synaptic_operations={}),
        replace(result, wrapped=result.clipped, clipped=result.wrapped),
        replace(result, clipped={"a": 0, "b": 3}),
        replace(result, clipped={"a": 0, "b\n": 2}),
    ]
    assert len({other.checksum for other in others}) == len(others)


def test_join():
    whole, other = made(6), made(6)
    parts = [
        replace(
            whole,
            outputs=whole.outputs[part],
            spikes={name: row[part] for name, row in whole.spikes.items()},
            synaptic_operations={
                name: row[part] for name, row in whole.synaptic_operations.items()
            },
        )
        for part in (slice(0, 1), slice(1, 4), slice(4, 6))
    ]
    joined = Result.join(parts, 3.0)
    np.testing.assert_array_equal(joined.outputs, other.outputs)
    assert joined.seconds == 3.0
    assert joined.wrapped == {"a": 3, "b": 0}  # each part's, added up
    summed = replace(whole, wrapped=joined.wrapped, clipped=joined.clipped)
    assert joined.checksum == summed.checksum


@pytest.mark.parametrize("options", [{}, {"scheme": "ttfs"}], ids=["rate", "ttfs"])
def test_no_sample_is_told_from_its_neighbours(fashion, fashion_test, options):
    """Each alone gives what all together give."""
    program = nd.compile(fashion / "model.onnx", steps=4, **options)
    x = fashion_test[0][:9]
    alone = Result.join([nd.simulate(program, x[k : k + 1]) for k in range(9)], 0.0)
    assert alone.checksum == nd.simulate(program, x, threads=3).checksum
