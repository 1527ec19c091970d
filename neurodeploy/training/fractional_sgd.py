"""Gradient descent of fractional order: the leading term of Caputo's derivative as an update.

Yang, Voyles, Zhang and Nawrocki, Fractional-order spike-timing-dependent gradient descent for
multi-layer spiking neural networks, Neurocomputing 2025 (arXiv 2410.15293). `docs/fostdgd.md` says
what of it is theirs, what is derived here, and which control belongs beside every result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from torch.optim import Optimizer

from neurodeploy.errors import UsageError, shown

__all__ = ["Form", "FractionalSGD", "equivalent_factor", "stationary_step"]

Form = Literal["literal", "stationary"]


def equivalent_factor(order: float, eps: float = 1e-3) -> float:
    """By what `FractionalSGD` multiplies the learning rate while its steps are far below `eps`.

    ``eps**(1 - order) / Gamma(2 - order)``: 52.7 for order 1.9 and eps 1e-3. Plain gradient descent
    with the learning rate times this factor is the control of any run.
    """
    return eps ** (1 - order) / math.gamma(2 - order)


def stationary_step(gradient: float, lr: float, order: float) -> float:
    """Size of the step that a constant gradient leads to where `eps` is far below it.

    ``(lr |g| / Gamma(2 - order))**(1 / order)``; the distance from it shrinks by the factor
    ``|1 - order|`` a step, to first order.
    """
    return float((lr * abs(gradient) / math.gamma(2 - order)) ** (1 / order))


class FractionalSGD(Optimizer):
    r"""Stochastic gradient descent of fractional order.

    .. math::
        \Delta_{k+1} = -\frac{\eta}{\Gamma(2 - \alpha)}\, g\, (|\Delta_k| + \epsilon)^{1-\alpha}

    element by element; the first step is plain, :math:`-\eta g`. At order 1 it is
    ``torch.optim.SGD`` without momentum, to the bit.

    Parameters
    ----------
    params
        Tensors, or parameter groups; each option below may be set by group.
    lr
        Learning rate, above 0. Schedulers may change it.
    order
        Alpha, inside (0, 2).
    eps
        Added to the size of the step before, above 0.
    max_step
        Largest size of a step; what was clamped is what is remembered. None: no limit.
    delayed
        Take the gradient of the step before, as the formula is written.
    form
        ``literal`` is the recursion above. ``stationary`` takes the step that the recursion has
        under a constant gradient and eps = 0: ``-sign(g) (lr |g| / Gamma(2 - order))**(1/order)``.

    Raises
    ------
    UsageError
        An option outside its range, by name; a sparse or complex parameter or gradient.

    Notes
    -----
    Limits. For orders above 1 the factor grows as steps shrink, up to `equivalent_factor`. Near a
    minimum of curvature c the iterate converges only if ``lr * factor * c < 2``; else it hovers at
    ``1/2 (lr c / (2 Gamma(2 - order)))**(1 / (order - 1))``, so let `lr` fall at the end. A small
    `eps` makes the factor large: with order 1.9, 1e-5 diverges where 1e-3 trains.
    """

    def __init__(
        self,
        params: Any,
        lr: float,
        order: float = 1.0,
        eps: float = 1e-3,
        max_step: float | None = None,
        delayed: bool = False,
        form: Form = "literal",
    ) -> None:
        options = {
            "lr": lr,
            "order": order,
            "eps": eps,
            "max_step": max_step,
            "delayed": delayed,
            "form": form,
        }
        _check(options)
        super().__init__(params, options)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """See ``torch.optim.Optimizer.add_param_group``; the options of the group are checked."""
        _check({**self.defaults, **param_group})
        super().add_param_group(param_group)
        for parameter in self.param_groups[-1]["params"]:
            if parameter.is_complex():
                raise UsageError("complex parameters have no fractional step", place="params")

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One step. Parameters without a gradient stay as they are."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert gradient is not None
        if gradient.is_sparse:
            raise UsageError("sparse gradients are not supported", place="params")
        used = state.get("gradient", gradient) if group["delayed"] else gradient
        if group["order"] == 1 and group["max_step"] is None:
            parameter.add_(used, alpha=-group["lr"])  # as SGD does it
        else:
            step = _step(used, state.get("step"), group)
            if group["max_step"] is not None:
                step.clamp_(-group["max_step"], group["max_step"])
            parameter.add_(step)
            state["step"] = step
        if group["delayed"]:
            state["gradient"] = gradient.clone()


def _step(
    gradient: torch.Tensor, before: torch.Tensor | None, group: dict[str, Any]
) -> torch.Tensor:
    lr, order = group["lr"], group["order"]
    scaled = lr / math.gamma(2 - order)
    if group["form"] == "stationary":
        return gradient.sign().mul_(gradient.abs().mul_(scaled).pow_(1 / order)).neg_()
    if before is None or order == 1:
        return gradient * -lr
    return before.abs().add_(group["eps"]).pow_(1 - order).mul_(gradient).mul_(-scaled)


def _check(options: dict[str, Any]) -> None:
    """Refuse options outside their range, by name."""
    for name, high in (("lr", math.inf), ("order", 2.0), ("eps", math.inf)):
        if not _is_inside(options[name], high):
            told = "(0, 2)" if name == "order" else "the numbers above 0"
            raise UsageError(f"{shown(options[name])} is outside {told}", place=name)
    if options["max_step"] is not None and not _is_inside(options["max_step"], math.inf):
        raise UsageError(
            f"{shown(options['max_step'])} is neither None nor a number above 0", place="max_step"
        )
    if not isinstance(options["delayed"], bool):
        raise UsageError(f"{shown(options['delayed'])} is not True or False", place="delayed")
    if options["form"] not in get_args(Form):
        raise UsageError(
            f"{shown(options['form'])} is none of {', '.join(get_args(Form))}", place="form"
        )


def _is_inside(value: Any, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < value < high
