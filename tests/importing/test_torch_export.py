"""Networks as PyTorch's two exporters write them."""

import logging

import numpy as np
import pytest

from neurodeploy.importing import load_network
from neurodeploy.network.evaluate import Evaluator

torch = pytest.importorskip("torch", reason="needs the train extra")
nn = torch.nn
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]


class Block(nn.Module):
    """A residual block with a projection where the stride asks for one."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.short = nn.Conv2d(inputs, outputs, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.norm(self.first(x)))) + self.short(x))


def residual():
    return (3, 12, 12), nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU6(),
        Block(4, 4, 1),
        Block(4, 8, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(8, 5),
    )


def paddings():
    return (3, 15, 15), nn.Sequential(
        nn.Conv2d(3, 6, 3, groups=3),
        nn.ReLU(),
        nn.ZeroPad2d((0, 1, 0, 1)),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.BatchNorm2d(6),
        nn.Hardtanh(0, 6),
        nn.AvgPool2d(2, count_include_pad=True),
        nn.Flatten(),
        nn.Linear(54, 7),
        nn.BatchNorm1d(7),
        nn.ReLU(),
        nn.Linear(7, 4),
    )


@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize("build", [residual, paddings])
def test_reproduces_torch(tmp_path, build, dynamo):
    if dynamo:
        pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    shape, network = build()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            part.weight.data.normal_()
    network.eval()
    x = torch.randn(2, *shape)
    path = tmp_path / "model.onnx"
    how = (
        {"dynamic_shapes": ({0: "batch"},), "verbose": False}
        if dynamo
        else {
            "dynamic_axes": {"x": {0: "batch"}},
            "input_names": ["x"],
            "do_constant_folding": False,
        }
    )
    logging.disable(logging.WARNING)
    try:
        torch.onnx.export(network, (x,), str(path), dynamo=dynamo, **how)
    finally:
        logging.disable(logging.NOTSET)
    found = Evaluator(load_network(path).network).run(x.numpy())["output"]
    wanted = network(x).detach().numpy()
    assert np.abs(found - wanted).max() <= 1e-4 * np.abs(wanted).max()
