"""Estimators are found by name, and are light until they learn."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlpipeline import errors, plugins
from mlpipeline.learning import estimators
from mlpipeline.testing.estimator_tables import table
from mlpipeline.wiring import BUILT_IN

NAMES = {name: target.partition(":")[2] for kind, name, target in BUILT_IN if kind == "estimator"}
NEEDED = {
    "XGBoost": ("xgboost", "xgboost"),
    "SKLearn": ("sklearn", "sklearn"),
    "HoltWinters": ("statsmodels", "forecast"),
    "LightGBM": ("lightgbm", "lightgbm"),
    "CatBoost": ("catboost", "catboost"),
    "Prophet": ("prophet", "prophet"),
}


def test_every_estimator_is_exported_and_registered() -> None:
    assert set(NEEDED) < set(NAMES.values()) <= set(estimators.__all__)
    registry = plugins.Registry()
    for kind, name, target in BUILT_IN:
        registry.register(kind, name, target)
    for name, kind in NAMES.items():
        assert registry.load("estimator", name) is getattr(estimators, kind)


@pytest.mark.parametrize("name", NEEDED)
def test_where_a_library_is_missing_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library, extra = NEEDED[name]
    monkeypatch.setitem(sys.modules, library, None)
    rows = table("regression")
    with pytest.raises(errors.MissingExtra, match=rf"{library} is not installed.*mlpipeline\[{extra}\]"):
        getattr(estimators, name)().fit(rows.x, rows.y)


def test_making_one_imports_no_library() -> None:
    libraries = sorted({library for library, _ in NEEDED.values()})
    code = (
        f"import sys; from mlpipeline.learning import estimators\n"
        f"for name in {sorted(NEEDED)!r}: getattr(estimators, name)()\n"
        f"print([name for name in {libraries!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
