"""A torch module goes straight in: exported for any number of samples, refused by name."""

from __future__ import annotations

import numpy as np
import pytest

import neurodeploy as nd
from neurodeploy.compiling.torch_modules import sample_shapes
from neurodeploy.errors import DataError, UnsupportedError, UsageError
from neurodeploy.importing.reading.torch_modules import is_torch_module
from neurodeploy.samples import read_samples

torch = pytest.importorskip("torch", reason="torch is not installed")
nn = torch.nn
pytestmark = pytest.mark.torch
RNG = np.random.default_rng(0)
X = RNG.random((40, 2, 6, 6)).astype(np.float32)


class Net(nn.Module):
    """Convolution, batch norm, dropout: all that behaves otherwise in training."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(2, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        return self.head(self.drop(torch.relu(self.norm(self.conv(x))).flatten(1)))


class Branches(nn.Module):
    def forward(self, x):
        return -x if x.sum() > 0 else x


class Strange(nn.Module):
    def forward(self, x):
        return torch.linalg.svdvals(x.flatten(2))


class OneAtATime(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(72, 3)

    def forward(self, x):
        return self.head(x.reshape(1, 72))


class Loader:
    """Batches with labels, once: as a DataLoader over a stream."""

    def __iter__(self):
        return (
            (torch.from_numpy(X[k : k + 16]), torch.zeros(len(X[k : k + 16]))) for k in (0, 16, 32)
        )


@pytest.fixture(scope="module")
def module():
    return Net().train()


@pytest.fixture(scope="module")
def program(module):
    return nd.compile(module, calibration=X, scheme="graded", warn=lambda _: None)


def test_the_program_says_what_the_module_says(module, program):
    found = nd.simulate(program, X)
    assert module.training
    assert module.drop.training
    with torch.no_grad():
        exact = module.eval()(torch.from_numpy(X)).numpy()
    module.train()
    assert np.abs(found.outputs - exact).max() < 0.05 * np.abs(exact).max()
    ledger = nd.explain(program, X, model=module, try_seconds=0)
    assert ledger.summary[-1].agreement > 90


def test_every_form_of_samples(module, program):
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.zeros(len(X)))
    forms = {
        "loader with labels": torch.utils.data.DataLoader(data, batch_size=16),
        "data set": data,
        "generator": (X[k : k + 16] for k in (0, 16, 32)),
        "generator of samples": ((sample, 0) for sample in X),
        "tensor with a gradient": torch.from_numpy(X).requires_grad_(),
        "our loader": Loader(),
    }
    for name, given in forms.items():
        shapes, untouched = sample_shapes(given)
        assert shapes[0] == X.shape[1:], name
        np.testing.assert_array_equal(read_samples(untouched, X.shape[1:]).x, X, name)
    made = nd.compile(module, Loader(), scheme="graded", warn=lambda _: None)
    assert [p.neuron.parameters() for p in made.populations] == [
        p.neuron.parameters() for p in program.populations
    ]


def test_one_sample_at_a_time():
    made = nd.compile(OneAtATime(), calibration=X, scheme="graded", warn=lambda _: None)
    assert nd.simulate(made, X).outputs.shape == (40, 3)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Branches(), ("Branches", "x.sum() > 0", "torch.where")),
        (Strange(), ("Strange", "svd")),
    ],
)
def test_what_the_exporter_refuses_is_named(module, words, capfd):
    with pytest.raises(UnsupportedError) as error:
        nd.compile(module, calibration=X)
    for word in words:
        assert word in str(error.value)
    assert len(error.value.message) < 400
    assert capfd.readouterr() == ("", "")  # what torch tells its own developers is left out


def test_samples_are_needed_and_have_to_fit():
    with pytest.raises(UsageError, match="shape of its samples"):
        nd.compile(Net())
    with pytest.raises(UsageError, match=r"does not take samples of shape \(5,\)"):
        nd.compile(Net(), calibration=np.zeros((4, 5), np.float32))
    with pytest.raises(DataError, match="mapping of image, label, without x"):
        nd.compile(Net(), calibration=iter([{"image": X, "label": X[:, 0, 0, 0]}]))
    with pytest.raises(UsageError, match="input_shape"):
        nd.check(Net())
    assert nd.check(Net(), "graded", input_shape=(2, 6, 6)).ok


def test_a_module_that_spikes_is_sent_to_its_page():
    snntorch = pytest.importorskip("snntorch", reason="snntorch is not installed")
    spiking = nn.Sequential(nn.Linear(6, 3), snntorch.Leaky(beta=0.9, init_hidden=True))
    with pytest.raises(UnsupportedError, match=r"docs/from-snntorch\.md"):
        nd.compile(spiking, calibration=X.reshape(-1, 6))


def test_nothing_else_is_a_module():
    assert not is_torch_module(Net)
    assert not is_torch_module("model.onnx")
