"""FractionalSGD: its analytic facts, its equality with SGD, and what it refuses."""

from __future__ import annotations

import io
import math
from itertools import pairwise

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from neurodeploy.errors import UsageError  # noqa: E402
from neurodeploy.training.fractional_sgd import (  # noqa: E402
    FractionalSGD,
    equivalent_factor,
    stationary_step,
)

TINY = 1e-300


def walk(gradient, steps, **options):
    """Positions of one float64 parameter; `gradient` is a function of it."""
    w = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    optimizer = FractionalSGD([w], **options)
    found = [w.item()]
    for _ in range(steps):
        w.grad = gradient(w.detach()).clone()
        optimizer.step()
        found.append(w.item())
    return found


def sizes(positions):
    return [abs(b - a) for a, b in pairwise(positions)]


@pytest.mark.parametrize("order", [0.5, 0.9, 1.0, 1.5, 1.9])
def test_constant_gradient_leads_to_the_fixed_point(order):
    made = sizes(walk(lambda w: torch.full_like(w, 0.3), 400, lr=1e-2, order=order, eps=TINY))
    expected = stationary_step(0.3, 1e-2, order)
    assert expected == pytest.approx((3e-3 / math.gamma(2 - order)) ** (1 / order), abs=1e-15)
    assert made[-1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", [0.5, 1.5, 1.9])
def test_the_distance_from_the_fixed_point_shrinks_by_one_minus_order(order):
    made = sizes(walk(lambda w: torch.full_like(w, 0.3), 40, lr=1e-2, order=order, eps=TINY))
    logs = [math.log(size / stationary_step(0.3, 1e-2, order)) for size in made[:12]]
    for before, after in pairwise(logs[:7]):
        assert after == pytest.approx((1 - order) * before, abs=1e-10)


@pytest.mark.parametrize(
    ("order", "factor"), [(0.5, 0.0357), (1.5, 17.8), (1.9, 52.7), (1.999, 0.994)]
)
def test_small_steps_are_sgd_with_the_learning_rate_times_a_factor(order, factor):
    assert equivalent_factor(order) == pytest.approx(factor, rel=3e-3)
    lr = 1e-9

    def curve(w):
        return torch.cos(3 * w)

    ours = walk(curve, 50, lr=lr, order=order)
    plain = walk(curve, 50, lr=lr * equivalent_factor(order), order=1.0)
    # the first step is plain: compare what comes behind it
    moved, expected = ours[-1] - ours[1], plain[-1] - plain[1]
    assert moved == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("order", "lr"), [(1.5, 0.1), (1.9, 0.1), (1.9, 0.3)])
def test_a_quadratic_is_hovered_over_at_the_amplitude_of_the_formula(order, lr):
    curvature, eps = 2.0, 1e-9
    assert lr * equivalent_factor(order, eps) * curvature > 2
    ends = walk(lambda w: curvature * w, 4000, lr=lr, order=order, eps=eps)[-2:]
    amplitude = 0.5 * (lr * curvature / (2 * math.gamma(2 - order))) ** (1 / (order - 1))
    assert ends[0] == pytest.approx(-ends[1], rel=1e-6)
    assert abs(ends[0]) == pytest.approx(amplitude, rel=1e-6)


@pytest.mark.parametrize("order", [1.5, 1.9])
def test_a_quadratic_is_solved_where_the_step_at_eps_is_stable(order):
    lr = 1.0 / equivalent_factor(order)
    assert abs(walk(lambda w: w, 3000, lr=lr, order=order)[-1]) < 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_order_one_is_sgd_to_the_bit(dtype):
    torch.manual_seed(0)
    a = torch.nn.Parameter(torch.randn(50, 7).to(dtype))
    b = torch.nn.Parameter(a.detach().clone())
    ours, theirs = FractionalSGD([a], lr=0.1, order=1.0), torch.optim.SGD([b], lr=0.1)
    for _ in range(20):
        a.grad = torch.randn(50, 7).to(dtype)
        b.grad = a.grad.clone()
        ours.step()
        theirs.step()
    assert torch.equal(a, b)


def test_the_stationary_form_takes_the_fixed_point_at_once():
    made = sizes(walk(lambda w: torch.full_like(w, -0.2), 3, lr=1e-2, order=1.9, form="stationary"))
    for size in made:
        assert size == pytest.approx(stationary_step(0.2, 1e-2, 1.9), abs=1e-12)


def test_delayed_takes_the_gradient_of_the_step_before():
    gradients = [torch.full((1,), value, dtype=torch.float64) for value in (0.5, -0.25, 1.0)]
    w = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = FractionalSGD([w], lr=0.1, order=1.5, delayed=True)
    moved = []
    for gradient in gradients:
        before = w.item()
        w.grad = gradient
        optimizer.step()
        moved.append(w.item() - before)
    scale = 0.1 / math.gamma(0.5)
    second = -scale * 0.5 * (abs(moved[0]) + 1e-3) ** -0.5
    third = scale * 0.25 * (abs(second) + 1e-3) ** -0.5
    assert moved == pytest.approx([-0.05, second, third], abs=1e-14)


def test_a_clamped_step_is_what_is_remembered():
    made = sizes(walk(lambda w: torch.ones_like(w), 3, lr=1.0, order=1.5, max_step=0.01))
    assert made == pytest.approx([0.01] * 3, abs=1e-15)
    later = walk(lambda w: torch.full_like(w, 1e-4), 2, lr=1.0, order=1.5, max_step=1e-6)
    assert later[-1] == pytest.approx(1 - 2e-6, abs=1e-12)


def test_groups_states_and_schedulers():
    """A run that is saved and resumed is the run; groups have their own orders."""

    def made():
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
        groups = [
            {"params": model[0].parameters(), "order": 1.9},
            {"params": model[2].parameters(), "lr": 0.02},
        ]
        optimizer = FractionalSGD(groups, lr=0.01, order=1.2)
        return model, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)

    def advance(model, optimizer, scheduler, first, last):
        for k in range(first, last):
            x = torch.randn(8, 5, generator=torch.Generator().manual_seed(k))
            optimizer.zero_grad()
            (model(x) - x.sum(1, keepdim=True)).square().mean().backward()
            optimizer.step()
            scheduler.step()

    whole = made()
    advance(*whole, 0, 10)
    assert [group["order"] for group in whole[1].param_groups] == [1.9, 1.2]
    assert whole[1].param_groups[1]["lr"] == pytest.approx(0.02 / 8)
    first = made()
    advance(*first, 0, 4)
    file = io.BytesIO()
    torch.save([part.state_dict() for part in first], file)
    file.seek(0)
    second = made()
    for part, state in zip(second, torch.load(file, weights_only=True), strict=True):
        part.load_state_dict(state)
    advance(*second, 4, 10)
    for a, b in zip(whole[0].parameters(), second[0].parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_closure_gives_the_loss_and_missing_gradients_are_left():
    w, idle = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = FractionalSGD([w, idle], lr=0.1, order=1.5)

    def closure():
        optimizer.zero_grad()
        loss = w.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2
    assert torch.equal(idle, torch.ones(2))
    assert w.max().item() < 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", 0.0), ("lr", -1), ("lr", math.nan), ("lr", math.inf), ("lr", "fast"), ("lr", None),
        ("order", 0), ("order", 2), ("order", 2.5), ("order", -1), ("order", math.nan),
        ("eps", 0), ("eps", -1e-3), ("eps", True),
        ("max_step", 0), ("max_step", -1), ("max_step", "none"),
        ("delayed", "yes"), ("form", "caputo"),
    ],
)  # fmt: skip
def test_arguments_outside_their_range_are_refused_by_name(name, value):
    w = torch.nn.Parameter(torch.ones(1))
    with pytest.raises(UsageError) as told:
        FractionalSGD([w], **{"lr": 0.1, name: value})
    assert told.value.place == name
    with pytest.raises(UsageError) as told:
        FractionalSGD([{"params": [w], name: value}], lr=0.1)
    assert told.value.place == name


def test_sparse_and_complex_are_refused():
    table = torch.nn.Embedding(4, 3, sparse=True)
    optimizer = FractionalSGD(table.parameters(), lr=0.1, order=1.5)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(UsageError, match="sparse"):
        optimizer.step()
    with pytest.raises(UsageError, match="complex"):
        FractionalSGD([torch.nn.Parameter(torch.ones(1, dtype=torch.complex64))], lr=0.1)
