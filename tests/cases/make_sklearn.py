"""Writes tests/cases/sklearn/: small models as skl2onnx exports them with default options.

Made with scikit-learn 1.9.1 and skl2onnx 1.20.0, on random numbers:

    python tests/cases/make_sklearn.py tests/cases/sklearn
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FEATURES = 5


def samples() -> tuple[np.ndarray, np.ndarray]:
    """Features of different sizes (n, 5) float32, and one of three classes each."""
    rng = np.random.default_rng(3)
    y = np.arange(90) % 3
    centres = rng.standard_normal((3, FEATURES)) * 2
    x = (centres[y] + rng.standard_normal((90, FEATURES))) * [1, 3, 0.5, 2, 1] + [0, 2, 1, -2, 3]
    return x.astype(np.float32), y


def estimators() -> Iterator[tuple[str, Any, np.ndarray]]:
    """Name, estimator and labels of each case that must import."""
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import (
        LinearRegression,
        LogisticRegression,
        Perceptron,
        Ridge,
        RidgeClassifier,
        SGDClassifier,
    )
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
    from sklearn.svm import LinearSVC, LinearSVR

    _, y = samples()
    two, words = (y > 0).astype(int), np.array(["ant", "bee", "cat"])[y]
    values = np.stack([y * 1.5 - 1, 3.0 - y], 1)

    def mlp(**options: Any) -> Any:
        return MLPClassifier(hidden_layer_sizes=(6,), max_iter=40, random_state=0, **options)

    regressor = MLPRegressor(hidden_layer_sizes=(6,), max_iter=40, random_state=0)
    yield "mlp", mlp(), y
    yield "mlp-words", mlp(), words
    yield "mlp-offset", mlp(), y + 7
    yield "mlp-binary", mlp(), two
    yield "mlp-binary-words", mlp(), np.array(["no", "yes"])[two]
    yield "mlp-identity", mlp(activation="identity"), y
    yield "mlp-regressor", regressor, values[:, 0]
    yield "mlp-regressor-2", MLPRegressor(hidden_layer_sizes=(6,), max_iter=40), values
    yield "logistic", LogisticRegression(max_iter=50), y
    yield "logistic-words", LogisticRegression(max_iter=50), words
    yield "logistic-binary", LogisticRegression(max_iter=50), two
    yield "svc", LinearSVC(), y
    yield "svc-binary", LinearSVC(), two
    yield "sgd", SGDClassifier(random_state=0), y
    yield "sgd-log", make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss")), y
    yield "sgd-binary", SGDClassifier(random_state=0), two
    yield "perceptron", Perceptron(random_state=0), y
    yield "ridge-classifier", RidgeClassifier(), y
    yield "ridge-classifier-binary", RidgeClassifier(), two
    yield "lda", LinearDiscriminantAnalysis(), y
    yield "ridge", Ridge(), values[:, 0]
    yield "ridge-2", Ridge(), values
    yield "linear", LinearRegression(), values[:, 0]
    yield "svr", LinearSVR(), values[:, 0]
    yield "standard-mlp", make_pipeline(StandardScaler(), mlp()), y
    yield "standard-mlp-binary", make_pipeline(StandardScaler(), mlp()), two
    yield "minmax-mlp", make_pipeline(MinMaxScaler(), mlp()), y
    yield "minmax-clip-mlp", make_pipeline(MinMaxScaler(clip=True), mlp()), y
    yield "robust-logistic", make_pipeline(RobustScaler(), LogisticRegression()), y
    yield "maxabs-regressor", make_pipeline(MaxAbsScaler(), regressor), values[:, 0]
    yield "no-mean-mlp", make_pipeline(StandardScaler(with_mean=False), mlp()), words
    yield "imputer-mlp", make_pipeline(SimpleImputer(), StandardScaler(), mlp()), y
    yield "pca-mlp", make_pipeline(PCA(3), mlp()), y


def refused() -> Iterator[tuple[str, Any, np.ndarray]]:
    """Cases that must be refused, each with its own reason."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Binarizer, Normalizer
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    _, y = samples()
    mlp = MLPClassifier(hidden_layer_sizes=(6,), max_iter=40, random_state=0)
    yield "refused-normalizer", make_pipeline(Normalizer(), mlp), y
    yield "refused-binarizer", make_pipeline(Binarizer(), mlp), y
    yield "refused-tree", DecisionTreeClassifier(max_depth=3), y
    yield "refused-svc", SVC(), y
    yield "refused-tanh", MLPClassifier((6,), activation="tanh", max_iter=40), y


def export(estimator: Any, y: np.ndarray) -> bytes:
    """The fitted estimator as ONNX, as `to_onnx` writes it."""
    from skl2onnx import to_onnx

    x, _ = samples()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(x, y)
    return bytes(to_onnx(estimator, x[:1]).SerializeToString())


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True, parents=True)
    for name, estimator, labels in (*estimators(), *refused()):
        (folder / f"{name}.onnx").write_bytes(export(estimator, labels))
