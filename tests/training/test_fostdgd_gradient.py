"""The spike-timing-dependent gradient: held against what it has to equal, and its memory."""

from __future__ import annotations

import gc
import weakref

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from torch.nn import functional  # noqa: E402

from neurodeploy.errors import DataError, UsageError  # noqa: E402
from neurodeploy.training.fostdgd import IntegrateAndFireNetwork  # noqa: E402
from neurodeploy.training.fostdgd.firing_rate import rate_of_drive, slope_of_rate  # noqa: E402


def network(layers, **options):
    return IntegrateAndFireNetwork(layers, **options).double()


class _Spike(torch.autograd.Function):
    """A spike whose derivative is 1 / threshold wherever the membrane is."""

    @staticmethod
    def forward(ctx, u, threshold):
        ctx.threshold = threshold
        return (u > threshold).to(u.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient / ctx.threshold, None


def through_time(net, x):
    """The same network step by step, for automatic differentiation through time."""
    *hidden, head = net.synapses
    membranes = [0.0] * len(hidden)
    arrived = 0.0
    for row in x:
        sent = row
        for k, synapses in enumerate(hidden):
            u = membranes[k] + synapses(sent)
            sent = _Spike.apply(u, net.threshold)
            membranes[k] = u - net.threshold * sent
        arrived = arrived + head(sent)
    return arrived / len(x), membranes


def gradients(net, readout, y):
    net.zero_grad()
    functional.cross_entropy(10 * readout, y).backward()
    return [layer.weight.grad.clone() for layer in net.synapses]


@pytest.mark.parametrize("layers", ["6-9-3", "6-9-7-3", "2x5x5-3c3-4c2s2p1-3"])
@pytest.mark.parametrize("steps", [20, 70])
def test_by_subtraction_it_is_the_derivative_through_time(layers, steps):
    """With all currents positive no interval is silent, and both gradients are defined alike."""
    net = network(layers, reset="subtract", threshold=0.8, seed=3)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for layer in net.synapses[:-1]:
            layer.weight.abs_().mul_(0.3)
    x = (torch.rand(steps, 4, *net.input_shape, generator=generator) < 0.4).to(torch.uint8)
    y = torch.tensor([0, 1, 2, 1])
    ours = gradients(net, net(x), y)
    readout, membranes = through_time(net, x.double())
    assert all(bool((u > 0).all()) for u in membranes)
    torch.testing.assert_close(net(x), readout, rtol=0, atol=1e-12)
    for found, expected in zip(ours, gradients(net, readout, y), strict=True):
        assert expected.abs().max() > 1e-3
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_it_is_the_finite_difference_of_the_rate_model():
    """Drives at which a neuron fires exactly every n steps: rates are those of the model."""
    steps, every = 60, torch.tensor([2.0, 3.0, 4.0, 5.0, 6.0, 10.0], dtype=torch.float64)
    drive = 1 / (every - 0.5)
    net = network("3-6-4", seed=5)
    x = torch.tensor([[0.7, 1.3, 0.4]], dtype=torch.float64)
    with torch.no_grad():  # the drive of every neuron, from inputs of unequal size
        first = net.synapses[0].weight
        first.mul_((drive / (first @ x[0]))[:, None])
    counts = net.spike_counts(x, steps)[0][0]
    assert torch.equal(counts.double(), steps / every)

    def loss():
        rate = rate_of_drive(x @ net.synapses[0].weight.t(), 1.0, "zero")
        return functional.cross_entropy(10 * net.synapses[1](rate), torch.tensor([2]))

    ours = gradients(net, net(x, steps), torch.tensor([2]))
    for layer, found in zip(net.synapses, ours, strict=True):
        expected = torch.zeros_like(found)
        for k in range(found.numel()):
            with torch.no_grad():
                flat, step = layer.weight.view(-1), 1e-6
                ends = []
                for sign in (step, -2 * step):
                    flat[k] += sign
                    ends.append(loss().item())
                flat[k] += step
            expected.view(-1)[k] = (ends[0] - ends[1]) / (2 * step)
        assert expected.abs().max() > 1e-3
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_the_slope_is_the_derivative_of_the_rate(reset):
    drive = torch.linspace(0.05, 1.2, 40, dtype=torch.float64, requires_grad=True)
    rate = rate_of_drive(drive, 1.5, reset)
    (expected,) = torch.autograd.grad(rate.sum(), drive)
    torch.testing.assert_close(slope_of_rate(rate, 1.5, reset), expected, rtol=1e-12, atol=0)


def test_the_rate_is_the_mean_over_thresholds_of_what_neurons_do():
    """A neuron that is reset to zero fires every ``floor(threshold / m) + 1`` steps."""
    drive = 0.37
    thresholds = torch.arange(1000, dtype=torch.float64) * drive / 1000 + 2.0
    interval = (torch.floor(thresholds / drive) + 1).mean()
    expected = rate_of_drive(
        torch.tensor(drive, dtype=torch.float64), float(thresholds.mean()), "zero"
    )
    assert float(1 / interval) == pytest.approx(float(expected), rel=1e-3)


def test_a_silent_neuron_learns_nothing_and_one_on_its_way_does():
    net = network("1-3-2")
    with torch.no_grad():
        net.synapses[0].weight.copy_(torch.tensor([[-0.2], [0.01], [0.5]]))
        net.synapses[1].weight.fill_(0.3)
        net.synapses[1].weight[0] = 1.0
    x = torch.ones(1, 1, dtype=torch.float64)
    found = gradients(net, net(x, 10), torch.tensor([0]))[0]
    assert found[0] == 0
    assert found[1] != 0
    assert net.spike_counts(x, 10)[0].tolist() == [[0, 0, 3]]


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("layers", ["5-8-3", "5-8-6-3", "2x4x4-3c3-5-3"])
def test_a_constant_current_is_the_same_current_at_every_step(layers, reset):
    """The short way of a constant input; also over more steps than one block and one byte hold."""
    net = network(layers, reset=reset, seed=1)
    x = torch.rand(4, *net.input_shape, dtype=torch.float64)
    y = torch.tensor([0, 1, 2, 1])
    for steps in (1, 31, 300):
        rows = x.expand(steps, *x.shape)
        assert all(map(torch.equal, net.spike_counts(x, steps), net.spike_counts(rows)))
        torch.testing.assert_close(net(x, steps), net(rows), rtol=0, atol=1e-12)
        ours, others = gradients(net, net(x, steps), y), gradients(net, net(rows), y)
        torch.testing.assert_close(ours, others, rtol=0, atol=1e-12)
        with torch.no_grad():
            torch.testing.assert_close(net(x, steps), net(rows), rtol=0, atol=1e-12)


def test_a_network_of_the_read_out_alone_is_linear():
    net = network("5-3")
    x = torch.rand(4, 5, dtype=torch.float64)
    torch.testing.assert_close(net(x, 7), net.synapses[0](x))
    ours = gradients(net, net(x, 7), torch.tensor([0, 1, 2, 1]))
    theirs = gradients(net, net.synapses[0](x), torch.tensor([0, 1, 2, 1]))
    torch.testing.assert_close(ours, theirs)


def test_memory_in_the_steps_is_a_byte_a_neuron():
    net = IntegrateAndFireNetwork("30-50-40-3")
    x = torch.rand(8, 30)
    for steps, size in ((100, 1), (255, 1), (256, 2)):
        activities = net.run(x, steps, keep=True)[1].activities
        kept = sum(a.intervals.numel() * a.intervals.element_size() for a in activities)
        assert kept == steps * 8 * (50 + 40) * size


def test_what_is_kept_is_freed_with_the_read_out():
    """At once, without the garbage collector: nothing in the graph holds itself."""
    net = IntegrateAndFireNetwork("3-4-2")
    gc.disable()
    try:
        readout = net(torch.rand(2, 3), 5)
        kept = weakref.ref(readout.grad_fn.run.activities[0].intervals)
        assert kept() is not None
        readout.sum().backward()
        del readout
        assert kept() is None
    finally:
        gc.enable()


def test_weights_that_change_before_the_gradient_are_told():
    net = IntegrateAndFireNetwork("3-4-2")
    loss = net(torch.rand(2, 3), 5).sum()
    with torch.no_grad():
        net.synapses[1].weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize(
    ("layers", "options"),
    [
        ("784", {}), ("784-", {}), ("784-0-10", {}), ("784-3c3-10", {}), ("1x8x8-4c9-10", {}),
        ("1x8x8-4c3", {}), ("a-b", {}), ("8x8-10", {}), ("5-3", {"threshold": 0.0}),
        ("5-3", {"reset": "none"}), ("99999-99999-10", {}), ("1x8x8-4c3s0-10", {}),
    ],
)  # fmt: skip
def test_networks_that_there_are_not_are_refused(layers, options):
    with pytest.raises(UsageError):
        IntegrateAndFireNetwork(layers, **options)


def test_samples_that_do_not_fit_are_refused():
    net = IntegrateAndFireNetwork("5-3")
    for x, steps in ((torch.ones(2, 4), 3), (torch.ones(2, 5), None), (torch.ones(0, 5), 3)):
        with pytest.raises(DataError):
            net(x, steps)
    for steps in (0, -1, 2**15):
        with pytest.raises(UsageError):
            net(torch.ones(2, 5), steps)
