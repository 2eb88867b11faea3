"""Estimators of scikit-learn in files that run no code: what may lie in them, and what is refused."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlpipeline import errors

_EXTENSION_TYPES = (
    "sklearn.tree._tree.Tree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neighbors._ball_tree.BallTree",
    *(
        f"sklearn.metrics._dist_metrics.{name}Distance{bits}"
        for name in ("Euclidean", "Manhattan", "Chebyshev", "Minkowski", "SEuclidean", "Hamming", "Canberra")
        for bits in (32, 64)
    ),
    *(
        f"sklearn._loss.loss.{name}"
        for name in (
            *("HalfSquaredError", "HalfPoissonLoss", "HalfGammaLoss", "HalfTweedieLoss", "HalfTweedieLossIdentity"),
            *("HalfBinomialLoss", "HalfMultinomialLoss", "AbsoluteError", "PinballLoss", "HuberLoss"),
        )
    ),
)
_PARTS = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{name}"
        for name in (
            *("ConstantKernel", "DotProduct", "Exponentiation", "ExpSineSquared", "Matern", "Product", "RBF"),
            *("RationalQuadratic", "Sum", "WhiteKernel"),
        )
    ),
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "scipy.interpolate._bsplines.BSpline",
    "numpy.dtype",
)
_FUNCTIONS = tuple(
    f"sklearn.feature_selection._univariate_selection.{name}" for name in ("f_classif", "f_regression", "chi2")
)

TRUSTED = frozenset(_EXTENSION_TYPES + _PARTS + _FUNCTIONS)
"""What a file may hold beside what skops itself trusts: arrays, plain values, and scikit-learn's public estimators.

They are parts of fitted estimators: trees, neighbors' indices and losses, which scikit-learn compiles; parts that hold
arrays and numbers; and three functions that score features. Making one of them from what a file says opens no file, no
socket and no process, and imports nothing but scikit-learn, NumPy and SciPy. Nothing is trusted by a pattern, and a
file cannot add to the list. It was found by saving every estimator of scikit-learn 1.9 with its defaults.
"""


def save(estimator: Any, file: Path) -> None:
    """Writes an estimator.

    Raises:
        DataFault: it holds something that would not be loaded again; the message names its type.
    """
    skops = errors.require("skops.io", extra="sklearn")
    try:
        skops.dump(estimator, file)
    except skops.exceptions.UnsupportedTypeException as error:
        raise errors.DataFault(f"{estimator!r} cannot be saved: {error}: take another kind of estimator") from error
    try:
        _check(skops, file, "take parts of scikit-learn, or give what it does to an encoder or a transformer")
    except errors.DataFault:
        file.unlink()
        raise


def load(file: Path) -> Any:
    """Reads an estimator; runs no code that a file brings or names.

    Raises:
        DataFault: the file is damaged, or holds a type that is not trusted.
    """
    skops = errors.require("skops.io", extra="sklearn")
    try:
        trusted = _check(skops, file, "it was not written by mlpipeline, or changed since")
        return skops.load(file, trusted=trusted)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise errors.DataFault(f"{file} is damaged: {error}") from error


def _check(skops: Any, file: Path, advice: str) -> list[str]:
    untrusted: Callable[..., list[str]] = skops.get_untrusted_types
    found = untrusted(file=file)
    strange = [name for name in found if name not in TRUSTED]
    if strange:
        raise errors.DataFault(f"{file.name}: {', '.join(strange)} is no type that is trusted: {advice}")
    return found
