"""Networks of other frameworks through their own exporters; the framework's network is the judge.

Weights lie on a grid that eight bits hold. At least 99 of 100 neurons and steps are the same; what
is left is the rounding of leaks.
"""

from __future__ import annotations

import nir
import numpy as np
import pytest

import neurodeploy as nd

torch = pytest.importorskip("torch", reason="needs the frameworks: make setup-bench")
pytest.importorskip("nirtorch", reason="needs the frameworks: make setup-bench")

STEPS, SAMPLES = 60, 4


def onto_grid(network, step=1 / 64):
    draw = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            shape = module.weight.shape
            module.weight.data = torch.randint(-80, 100, shape, generator=draw) * step
            if module.bias is not None:
                bias = torch.randint(-5, 6, module.bias.shape, generator=draw)
                module.bias.data = bias * step
    return network


def raster(*shape):
    draw = torch.Generator().manual_seed(2)
    return (torch.rand(SAMPLES, STEPS, *shape, generator=draw) < 0.3).float()


def stepped(network, x):
    """Spikes of a network that keeps its own state, step by step."""
    with torch.no_grad():
        return torch.stack([network(x[:, k]) for k in range(STEPS)], 1)


def same(tmp_path, graph, x, spikes, **options):
    """Share of neurons and steps at which program and framework agree; spikes are not rare."""
    nir.write(tmp_path / "network.nir", graph)
    program = nd.compile(str(tmp_path / "network.nir"), steps=STEPS, warn=lambda _: None, **options)
    last = program.populations[-1].name
    found = nd.record(program, x.numpy().astype(np.uint8), populations=[last]).spikes[last]
    expected = spikes.numpy() > 0
    assert 0.1 < expected.mean() < 0.9
    assert program.is_aligned
    return (found[:, :STEPS].reshape(expected.shape) == expected).mean()


def snntorch_leaky(reset, n):
    snn = pytest.importorskip("snntorch")
    return snn.Leaky(
        beta=torch.full((n,), 7 / 8), threshold=torch.ones(n), reset_mechanism=reset,
        init_hidden=True,
    )  # fmt: skip


@pytest.mark.parametrize(("reset", "option"), [("zero", "zero"), ("subtract", "subtract_late")])
def test_snntorch(tmp_path, reset, option):
    """Its reset comes a step late, which makes a difference where it subtracts."""
    pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    network = torch.nn.Sequential(
        torch.nn.Linear(12, 16), snntorch_leaky(reset, 16),
        torch.nn.Linear(16, 8), snntorch_leaky(reset, 8),
    )  # fmt: skip
    x = raster(12)
    spikes = stepped(onto_grid(network), x)
    graph = export_to_nir(network, x[:1, 0], ignore_dims=[0])
    assert same(tmp_path, graph, x, spikes, dt=1e-4, reset=option) >= 0.99


def test_snntorch_with_a_synaptic_current(tmp_path):
    snn = pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    neurons = snn.Synaptic(
        alpha=torch.full((16,), 3 / 4), beta=torch.full((16,), 7 / 8),
        threshold=torch.full((16,), 2.0), reset_mechanism="zero", reset_delay=False,
        init_hidden=True,
    )  # fmt: skip
    network = onto_grid(torch.nn.Sequential(torch.nn.Linear(12, 16, bias=False), neurons))
    x = raster(12)
    spikes = stepped(network, x)
    graph = export_to_nir(network, x[:1, 0], ignore_dims=[0])
    assert same(tmp_path, graph, x, spikes, dt=1e-4, reset="zero") >= 0.99


def test_snntorch_recurrent(tmp_path):
    snn = pytest.importorskip("snntorch")
    from snntorch.export_nir import export_to_nir

    neurons = snn.RLeaky(
        beta=torch.full((16,), 7 / 8), threshold=torch.ones(16), linear_features=16,
        init_hidden=True,
    )  # fmt: skip
    network = onto_grid(torch.nn.Sequential(torch.nn.Linear(12, 16), neurons))
    neurons.recurrent.weight.data *= 0.25
    x = raster(12)
    spikes = stepped(network, x)
    graph = export_to_nir(network, x[:1, 0], ignore_dims=[0])
    assert same(tmp_path, graph, x, spikes, dt=1e-4, reset="subtract_late") >= 0.99


def test_sinabs_convolutional(tmp_path):
    layers = pytest.importorskip("sinabs.layers")
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.nir import to_nir

    def neurons():
        return layers.IAFSqueeze(batch_size=SAMPLES, spike_fn=SingleSpike, reset_fn=MembraneReset())

    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, padding=1, bias=False), neurons(), layers.SumPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(64, 10, bias=False), neurons(),
    )  # fmt: skip
    x = raster(2, 8, 8)
    with torch.no_grad():
        spikes = onto_grid(network)(x.flatten(0, 1)).reshape(SAMPLES, STEPS, 10)
    graph = to_nir(network, torch.zeros(SAMPLES, 2, 8, 8))
    graph.infer_types()  # sinabs leaves the size of the convolution's input open
    assert same(tmp_path, graph, x, spikes, reset="zero", firing="reached") == 1


def test_sinabs_with_a_leak(tmp_path):
    """Its leak is that of the exact solution, and its time constants count in steps."""
    layers = pytest.importorskip("sinabs.layers")
    from sinabs.activation import MembraneReset, SingleSpike
    from sinabs.nir import to_nir

    leak = layers.LIFSqueeze(
        batch_size=SAMPLES, tau_mem=torch.full((16,), 8.0), spike_threshold=torch.ones(16),
        spike_fn=SingleSpike, reset_fn=MembraneReset(), norm_input=True,
    )  # fmt: skip
    network = torch.nn.Sequential(torch.nn.Linear(12, 16, bias=False), leak)
    x = raster(12)
    with torch.no_grad():
        spikes = onto_grid(network, 1 / 16)(x.flatten(0, 1)).reshape(SAMPLES, STEPS, 16)
    options = {"dt": 1.0, "reset": "zero", "firing": "reached", "leak": "exponential"}
    assert same(tmp_path, to_nir(network, x[:, 0]), x, spikes, **options) >= 0.99


def test_spikingjelly_convolutional(tmp_path):
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    network = torch.nn.Sequential(
        layer.Conv2d(2, 4, 3, padding=1, bias=False), neuron.LIFNode(tau=4.0, v_reset=0.0),
        layer.AvgPool2d(2), layer.Flatten(), layer.Linear(64, 10), neuron.IFNode(v_reset=0.0),
    )  # fmt: skip
    functional.set_step_mode(onto_grid(network, 1 / 16), "m")
    x = raster(2, 8, 8)
    in_time = x.transpose(0, 1)
    with torch.no_grad():
        spikes = network(in_time).transpose(0, 1)
    functional.reset_net(network)
    graph = export_to_nir(network, in_time, dt=1e-4)
    assert same(tmp_path, graph, x, spikes, dt=1e-4, reset="zero", firing="reached") >= 0.99


def test_spikingjelly_with_a_synaptic_current(tmp_path):
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based.nir_exchange.to_nir import export_to_nir

    network = torch.nn.Sequential(
        layer.Linear(12, 16, bias=False),
        neuron.CUBALIFNode(c_decay=0.75, v_decay=0.875, v_threshold=2.0, v_reset=0.0),
    )
    functional.set_step_mode(onto_grid(network), "m")
    x = raster(12)
    in_time = x.transpose(0, 1)
    with torch.no_grad():
        spikes = network(in_time).transpose(0, 1)
    functional.reset_net(network)
    graph = export_to_nir(network, in_time, dt=1e-4)
    assert same(tmp_path, graph, x, spikes, dt=1e-4, reset="zero", firing="reached") >= 0.99


def test_norse(tmp_path):
    norse = pytest.importorskip("norse.torch")
    from norse.torch.utils.export_nir import to_nir

    parameters = norse.LIFBoxParameters(
        tau_mem_inv=torch.full((16,), 125.0), v_th=torch.ones(16), v_leak=torch.zeros(16),
        v_reset=torch.zeros(16),
    )  # fmt: skip
    network = norse.SequentialState(torch.nn.Linear(12, 16), norse.LIFBoxCell(p=parameters))
    onto_grid(network, 1 / 8)
    x, state, rows = raster(12), None, []
    with torch.no_grad():
        for k in range(STEPS):
            spikes, state = network(x[:, k], state)
            rows.append(spikes)
    graph = to_nir(network, x[0, 0], dt=1.0)  # then its time constants are in seconds
    assert same(tmp_path, graph, x, torch.stack(rows, 1), dt=1e-3, reset="zero") >= 0.99
