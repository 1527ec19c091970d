"""`check` says what `compile` does: the same verdict, the same nodes, the same reasons."""

from pathlib import Path

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.conversion import check as conversion_check
from neurodeploy.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "models"
MODELS = """
    cifar10_resnet__resnet_2b.onnx
    eran__ffnnSIGMOID__Point_6x200.onnx
    mlperftiny_resnet8_cifar10.onnx
    mnistfc__mnist-net_256x4.onnx
    resnet20_cifar10.onnx
    verivital__Convnet_avgpool.onnx
    verivital__Convnet_maxpool.onnx
    exporters/emx_micro_kws_m_qdq.onnx
    exporters/emx_micro_kws_m_static_fp32.onnx
    exporters/frenz86_mnist.onnx
    exporters/onnxzoo_mnist-8.onnx
    exporters/wuhanstudio_mnist-sm.onnx
    exporters/zuramai_external_data/mnist.onnx
"""
RNG = np.random.default_rng(11)
W = RNG.standard_normal((4, 4)).astype(np.float32)
#: What makes a chain of four values refused, and by whom: importer, stages, quantisation.
REFUSED = {
    "tanh": [("Tanh", "x", "a"), ("Relu", "a", "y")],
    "two": [("Tanh", "x", "a"), ("Relu", "a", "b"), ("Elu", "b", "c"), ("Gemm", "c w", "y")],
    "unknown": [("Nonsense", "x", "a"), ("Relu", "a", "b"), ("Gemm", "b w", "y")],
    "product": [("Relu", "x", "a"), ("Mul", "a x", "y")],
    "lost batch": [("Gemm", "x w", "g"), ("Softmax", "g", "y", {"axis": 0})],
    "dynamic": [("Relu", "x", "a"), ("Gemm", "a a", "y")],
    "shape": [("Gemm", "x v", "y")],
    "no path": [("Relu", "w", "y")],
    "dangling": [("Relu", "nothing", "y")],
    "names": [("Tanh", "x", "it's"), ("Relu", "it's", "y")],
    "not finite": [("Gemm", "x nan", "y")],
    "pool pad": [
        ("Relu", "x", "c"),
        ("MaxPool", "c", "y", {"kernel_shape": [2, 2], "pads": [2, 2, 2, 2]}),
    ],
    "clip": [("Gemm", "x huge", "g"), ("Clip", "g zero tiny", "r"), ("Gemm", "r w", "y")],
    "bias": [("Gemm", "x w big", "g"), ("Relu", "g", "r"), ("Gemm", "r w", "y")],
}
CONSTANTS = {
    "w": W,
    "v": np.ones((5, 4), np.float32),
    "k": RNG.standard_normal((2, 1, 1, 1)).astype(np.float32),
    "nan": np.full((4, 4), np.nan, np.float32),
    "huge": np.full((4, 4), 1e30, np.float32),
    "zero": np.float32(0),
    "tiny": np.float32(1e-30),
    "big": np.array([1e30, 0, 0, 0], np.float32),
}


def compiled(path, scheme, options):
    """The program, or the error."""
    try:
        return nd.compile(path, scheme=scheme, **options), None
    except nd.NeuroDeployError as error:
        return None, error


def agree(path, scheme, **options):
    """Compare; returns the report."""
    report = nd.check(path, scheme, **options)
    program, error = compiled(path, scheme, options)
    if program is not None:
        assert report.ok, report.refused
        assert report.summary.neurons + report.summary.relays == program.neurons
        assert report.summary.output == program.provenance["model"]["output"]
        return report
    assert not report.ok, error
    told = report.refused[:20]  # compile spells out so many
    if "(MaxPool)" in error.place:  # there compile ends at the first, and check goes on
        assert {f.op_type for f in told} == {"MaxPool"}
        told = [f for f in told if repr(f.node) in error.place]
    assert told
    for finding in told:
        assert finding.reason in str(error) or error.message in finding.reason
        named = repr(finding.node) in str(error) or error.place == finding.node
        assert named or not finding.node
    return report


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("name", MODELS.split())
def test_models_at_hand(name, scheme):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout (shared/models)")
    report = agree(path, scheme)
    assert report.nodes == len([f for f in report.findings if f.node])


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_the_reference_network(fashion, scheme):
    assert agree(fashion / "model.onnx", scheme).ok


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(model, save, name, scheme):
    nodes = REFUSED[name]
    used = {word for _, reads, *_ in nodes for word in reads.split()} & set(CONSTANTS)
    shape = (1, 4, 4) if "pool" in name else (4,)
    path = save(model(nodes, shape, **{key: CONSTANTS[key] for key in used}))
    report = agree(path, scheme)
    if name not in ("clip", "bias"):  # these hang on the scheme
        assert not report.ok


@pytest.mark.parametrize("scheme", ["rate", "ttfs"])
def test_max_pooling_converts(model, save, scheme):
    """Also behind a convolution without ReLU, and of what a pass divided."""
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        ("Conv", "x k", "a"),
        ("MaxPool", "a", "b", window),
        ("Neg", "b", "c"),
        ("Relu", "c", "d"),
        ("Concat", "d d", "e", {"axis": 1}),
        ("MaxPool", "e", "y", window),
    ]
    report = agree(save(model(nodes, (1, 8, 8), k=CONSTANTS["k"])), scheme)
    assert report.ok
    assert report.summary.coverage == 1


@pytest.mark.parametrize(("scheme", "steps"), [("rate", 65536), ("ttfs", 65536), ("ttfs", 1)])
def test_steps(model, save, scheme, steps):
    wide = RNG.standard_normal((600, 4)).astype(np.float32)
    nodes = [("Gemm", "x w", "g"), ("Relu", "g", "y")]
    agree(save(model(nodes, (600,), w=wide)), scheme, steps=steps)


def test_targets(model, save):
    path = save(model([("Gemm", "x w", "g"), ("Relu", "g", "y")], (4,), w=W))
    assert agree(path, "rate", target="loihi1").ok
    for ask in (nd.check, nd.compile):
        with pytest.raises(UsageError, match="microcode"):
            ask(path, scheme="ttfs", target="loihi1")
        with pytest.raises(nd.NeuroDeployError, match="loihi9"):
            ask(path, target="loihi9")
        with pytest.raises(UsageError, match="--steps"):
            ask(path, steps=0)


def test_outputs(model, save):
    nodes = [("Gemm", "x w", "a"), ("Relu", "a", "b"), ("Softplus", "b", "c")]
    path = save(model(nodes, (4,), output="c b a", w=W))
    assert not agree(path, "rate").ok
    assert agree(path, "rate", output="b").ok
    assert agree(path, "ttfs", output="a").summary.other_outputs == ("c", "b")
    for ask in (nd.check, nd.compile):
        with pytest.raises(UsageError, match="no output 'z'; its outputs are: 'c', 'b', 'a'"):
            ask(path, output="z")


def test_what_compile_says_of_outputs(model, save):
    nodes = [("Gemm", "x w", "a"), ("Relu", "a", "b")]
    said = []
    nd.compile(save(model(nodes, (4,), output="b a", w=W)), warn=said.append)
    assert any("takes output 'b' of 2; the others ('a')" in line for line in said)
    said.clear()
    nd.compile(save(model(nodes, (4,), output="b", w=W)), warn=said.append)
    assert not any("takes output" in line for line in said)


def test_a_network_too_large_to_try_is_said(model, save, monkeypatch):
    path = save(model([("Gemm", "x w", "g"), ("Relu", "g", "y")], (4,), w=W))
    monkeypatch.setattr(conversion_check, "MAX_TRIED", 8)
    report = nd.check(path, "ttfs")
    assert report.ok
    assert "20 synapses" in report.summary.not_covered  # 4 x 4, and 4 to the readout
    assert (report.summary.neurons, report.summary.relays) == (8, None)
