"""The estimator: fit, predict, score as in scikit-learn, on sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from neurodeploy.errors import DataError, UsageError
from neurodeploy.network import Network
from neurodeploy.training.reconstruction.branches import Branches
from neurodeploy.training.reconstruction.column_generation import Sampler, generate
from neurodeploy.training.reconstruction.fitting import Convex, Plan, Reading
from neurodeploy.training.reconstruction.losses import loss_named
from neurodeploy.training.reconstruction.network import network_from
from neurodeploy.training.reconstruction.sampling import (
    gaussian_branches,
    grid_branches,
    grid_neighbours,
)

__all__ = ["ThresholdNetworkClassifier"]


class ThresholdNetworkClassifier(ClassifierMixin, BaseEstimator):
    """A parallel (recurrent) threshold network trained by parameter reconstruction.

    Parameters
    ----------
    dictionary
        ``grid``: recurrent branches of `units` units with integer weights of ``-largest ..
        largest``, and `betas` and `thetas` by chance. ``gaussian``: feed-forward LIF branches of
        `widths` with Gaussian weights of `gain`, of the first of `betas` and `thetas`, as
        published.
    feature, trace_beta
        What the readout sees of a unit: its ``last`` step, or a leaky ``trace``.
    loss
        ``cross-entropy``, ``logistic`` (two classes) or ``squared`` (targets -1 and 1).
    rho, group
        Weight of the regulariser; whether it is the group LASSO's.
    rounds, candidates, keep
        Of column generation (`Plan`); one round is one sampled dictionary.
    solver, tolerance, seconds
        Of each convex fit.
    initial
        Branches that the dictionary begins with, such as a trained network's.
    random_state
        Seed, or numpy's RandomState.

    Attributes
    ----------
    classes_
        Labels, sorted.
    result_
        The `Convex` fit: branches, coefficients, objective, duality gap, certificate.
    n_features_in_, steps_
        Width and length of the sequences.
    """

    def __init__(
        self,
        dictionary: str = "grid",
        *,
        units: int = 3,
        largest: int = 2,
        widths: Sequence[int] = (1,),
        gain: float = 1.0,
        betas: Sequence[float] = (0.0,),
        thetas: Sequence[float] = (0.5,),
        feature: str = "last",
        trace_beta: float = 1.0,
        loss: str = "cross-entropy",
        rho: float = 0.003,
        group: bool = False,
        rounds: int = 5,
        candidates: int = 6000,
        keep: int = 240,
        solver: str = "auto",
        tolerance: float = 1e-3,
        seconds: float = 20.0,
        initial: Branches | None = None,
        random_state: Any = None,
    ) -> None:
        self.dictionary = dictionary
        self.units = units
        self.largest = largest
        self.widths = widths
        self.gain = gain
        self.betas = betas
        self.thetas = thetas
        self.feature = feature
        self.trace_beta = trace_beta
        self.loss = loss
        self.rho = rho
        self.group = group
        self.rounds = rounds
        self.candidates = candidates
        self.keep = keep
        self.solver = solver
        self.tolerance = tolerance
        self.seconds = seconds
        self.initial = initial
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any, progress: Callable[[int, int], None] = lambda *_: None
    ) -> ThresholdNetworkClassifier:
        """Train.

        Parameters
        ----------
        X
            Sequences (n, T, inputs), or (n, inputs) for sequences of one step.
        y
            Labels (n,) of the last step, or (n, T) of every step.
        progress
            Called with the rounds done and the rounds there are.

        Raises
        ------
        DataError, UsageError
        """
        x, labels = self._sequences(X), np.asarray(y)
        every_step = labels.ndim == 2
        if labels.shape != (x.shape[:2] if every_step else x.shape[:1]):
            raise DataError(
                f"labels {labels.shape} for sequences {x.shape}",
                place="y",
                remedy="give one a sequence (n,), or one a step (n, T)",
            )
        if self.feature not in ("last", "trace"):
            raise UsageError(f"{self.feature!r} is not last or trace", place="feature")
        self.classes_, found = np.unique(labels.reshape(-1), return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError("all labels are the same", place="y", remedy="give two classes or more")
        loss = loss_named(self.loss)
        rows = found.reshape(-1)
        self.n_features_in_, self.steps_ = x.shape[2], x.shape[1]
        self.reading_ = Reading(self.feature, self.trace_beta, every_step)  # type: ignore[arg-type]
        plan = Plan(
            self.rounds, self.candidates, self.keep, self.solver, self.tolerance, self.seconds
        )
        state = check_random_state(self.random_state)
        rng = np.random.default_rng(state.randint(2**31 - 1))
        self.result_: Convex = generate(
            self._sampler(x.shape[2]), x, rows, loss.targets(rows, len(self.classes_)), loss,
            self.rho, rng, group=self.group, reading=self.reading_, plan=plan,
            neighbours=grid_neighbours if self.dictionary == "grid" else None,
            initial=self.initial, progress=progress,
        )  # fmt: skip
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores, (n, outputs), or (n, T, outputs) after labels of every step."""
        check_is_fitted(self)
        x = self._sequences(X)
        result = self.result_
        scores = self.reading_.of(result.branches, x) @ result.coefficients + result.intercept
        return scores.reshape(*x.shape[:2], -1) if self.reading_.every_step else scores

    def predict(self, X: Any) -> np.ndarray:
        """Labels, (n,), or (n, T) after labels of every step."""
        return self.labels_of(self.decision_function(X))

    def labels_of(self, scores: np.ndarray) -> np.ndarray:
        """Labels of scores (..., outputs), this network's or its program's."""
        if scores.shape[-1] == 1:
            return self.classes_[(scores[..., 0] > 0).astype(int)]
        return self.classes_[scores.argmax(-1)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the labels that are right, step by step where there are several."""
        right = self.predict(X) == np.asarray(y)
        if sample_weight is None:
            return float(right.mean())
        return float(np.average(right.reshape(len(right), -1).mean(1), weights=sample_weight))

    def to_network(self, steps: int | None = None) -> Network:
        """The trained network for the compiler, see `network.network_from`.

        ``nd.compile(model.to_network(), **model.compile_options(X))``.

        Parameters
        ----------
        steps
            Of the sequences it will see, where they are not as long as those of the training.
        """
        check_is_fitted(self)
        result = self.result_
        return network_from(
            result.branches, result.coefficients, result.intercept, self.reading_,
            steps or self.steps_,
        )  # fmt: skip

    def compile_options(self, X: Any) -> dict[str, Any]:
        """What `nd.compile` needs to know besides the network, for sequences like these.

        Spikes (0 and 1) become events, other numbers frames.
        """
        check_is_fitted(self)
        x = self._sequences(X)
        spikes = bool(np.isin(x, (0, 1)).all())
        outputs = self.result_.coefficients.shape[1]
        if self.reading_.every_step and outputs == 1:
            raise UsageError(
                "a program with an output at each step has one for each class",
                place="loss",
                remedy="train with cross-entropy",
            )
        each = "binary" if outputs == 1 else "classification"
        return {
            "scheme": "direct",
            "steps": x.shape[1],
            "encoding": "events" if spikes else "frames",
            "decoder": "every_step" if self.reading_.every_step else "membrane",
            "calibration": None if spikes else x,
            "task": None if self.reading_.every_step else each,
        }

    def _sampler(self, inputs: int) -> Sampler:
        if self.dictionary == "grid":
            return lambda rng, count: grid_branches(
                rng, count, inputs, self.units, largest=self.largest, betas=self.betas,
                thetas=self.thetas,
            )  # fmt: skip
        if self.dictionary == "gaussian":
            return lambda rng, count: gaussian_branches(
                rng, count, inputs, self.widths, beta=self.betas[0], theta=self.thetas[0],
                gain=self.gain,
            )  # fmt: skip
        raise UsageError(f"{self.dictionary!r} is not grid or gaussian", place="dictionary")

    def _sequences(self, X: Any) -> np.ndarray:
        x = np.asarray(X)
        if x.ndim == 2:
            x = x[:, None]
        if x.ndim != 3 or not x.size or x.dtype.kind not in "biuf" or not np.isfinite(x).all():
            raise DataError(
                f"{x.dtype} of shape {np.shape(X)} are no sequences of numbers",
                place="X",
                remedy="give (n, T, inputs), or (n, inputs)",
            )
        known = getattr(self, "n_features_in_", None)
        if hasattr(self, "result_") and known != x.shape[2]:
            raise DataError(f"sequences of width {x.shape[2]}, trained on {known}", place="X")
        return x
