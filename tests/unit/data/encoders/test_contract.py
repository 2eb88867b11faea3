"""Every kind of encoder does what all encoders must do."""

from __future__ import annotations

import sys
import types

import pandas as pd
import pytest

from mlpipeline.data.encoder import Encoder
from mlpipeline.testing import EncoderContract
from tests.unit.data.encoders.cases import CASES, LOSSLESS, rows
from tests.unit.data.encoders.standin import Logarithm


@pytest.fixture(autouse=True)
def _transformers_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saved transformers are read by the class that knows them all: here, that of the tests."""
    module = types.ModuleType("mlpipeline.data.transformer")
    module.Transformer = Logarithm  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlpipeline.data.transformer", module)


class TestEveryEncoder(EncoderContract):
    @pytest.fixture(params=CASES)
    def encoder(self, request: pytest.FixtureRequest) -> Encoder:
        return CASES[request.param]()

    @pytest.fixture
    def frame(self) -> pd.DataFrame:
        return rows()


class TestEveryLosslessEncoder(EncoderContract):
    is_lossless = True

    @pytest.fixture(params=LOSSLESS)
    def encoder(self, request: pytest.FixtureRequest) -> Encoder:
        return LOSSLESS[request.param]()

    @pytest.fixture
    def frame(self) -> pd.DataFrame:
        return rows()
