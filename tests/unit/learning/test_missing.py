"""What is told where the libraries of learning are not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["learning import EstimatorModel", "learning.estimators import XGBoost"])
def test_the_extra_that_is_missing_is_named(name: str) -> None:
    code = f"import sys; sys.modules['pandas'] = None\nfrom mlpipeline.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "MissingExtra" in done.stderr
    assert "pip install 'mlpipeline[learning]'" in done.stderr
