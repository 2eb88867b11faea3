"""Networks do what every estimator must do."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import ClassVar

import pytest

from mlpipeline.learning.estimators import Keras
from mlpipeline.testing import EstimatorContract

# Not importorskip, which would load TensorFlow wherever tests are collected.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed")


@pytest.mark.filterwarnings("ignore:Even though the .tf.config:UserWarning")
class TestKeras(EstimatorContract):
    # Each fit takes half a second, whatever it learns: test_keras.py has one of each other kind.
    kinds: ClassVar[tuple[str, ...]] = ("regression", "multiclass")
    selects: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def untraced(self) -> Iterator[None]:
        """Computes step by step: tracing the functions of some eighty fits would take most of the time."""
        from mlpipeline.learning.network.runtime import libraries

        tf = libraries().tf
        tf.config.run_functions_eagerly(True)
        yield
        tf.config.run_functions_eagerly(False)

    @pytest.fixture
    def estimator(self) -> Keras:
        return Keras(hidden_width=16, hidden_layers=1, batch_size=160, epochs=8, patience=3, learning_rate=0.1)
