"""What every encoder must do: inherit from it in a test, and give an encoder and a frame."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from mlpipeline import errors
from mlpipeline.data.encoder import Encoder
from mlpipeline.data.given import inputs_of


class EncoderContract:
    """Inherit from it, and define the fixtures `encoder` and `frame`; pytest runs the rest.

    Attributes:
        is_lossless: whether the inverse gives back whatever was fitted and is not missing.
    """

    is_lossless: ClassVar[bool] = False

    @pytest.fixture
    def encoder(self) -> Encoder:
        """A fresh encoder, not fitted."""
        raise TypeError(f"{type(self).__name__} has no fixture `encoder`: define it")

    @pytest.fixture
    def frame(self) -> pd.DataFrame:
        """At least two rows, which the encoder can be fitted on; best with missing and with rare values among them."""
        raise TypeError(f"{type(self).__name__} has no fixture `frame`: define it")

    def test_the_constructor_only_stores_its_parameters(self, encoder: Encoder) -> None:
        params = encoder.get_params(deep=False)
        again = type(encoder)(**params)
        assert vars(again).keys() == params.keys()
        assert all(again.get_params(deep=False)[name] is value for name, value in params.items())
        assert repr(again) == repr(encoder)
        assert again.set_params(**params) is again

    def test_it_says_so_when_nothing_was_learnt(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        if encoder.is_stateless:
            assert encoder.transform(frame).shape == (len(frame), encoder.width)
            return
        with pytest.raises(errors.NotFitted):
            encoder.transform(frame)

    def test_there_is_a_row_of_codes_for_each_row(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        codes = encoder.fit(frame).transform(frame)
        assert isinstance(codes, np.ndarray)
        assert codes.shape == (len(frame), encoder.width)
        assert codes.dtype == encoder.codes_dtype
        assert len(set(encoder.feature_names)) == encoder.width
        assert list(encoder.get_feature_names_out()) == list(encoder.feature_names)
        assert encoder.transform(frame.iloc[:0]).shape == (0, encoder.width)

    def test_codes_stay_within_the_cardinality(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        codes = encoder.fit(frame).transform(frame)
        if encoder.is_continuous:
            with pytest.raises(ValueError, match="continuous"):
                _ = encoder.cardinality
            assert np.isfinite(codes).all()
            return
        # A column for each level holds 0 and 1, however few there are.
        assert codes.min(initial=0) >= 0
        assert codes.max(initial=0) < max(2, encoder.cardinality)

    def test_fitting_twice_is_fitting_once(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        once = encoder.fit(frame).state()
        encoder.fit(frame.iloc[: len(frame) // 2])
        assert _plain(encoder.fit(frame).state()) == _plain(once)

    def test_a_row_alone_gives_what_it_gives_within_the_frame(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        codes = encoder.fit(frame).transform(frame)
        for place, row in enumerate(frame.to_dict("records")):
            np.testing.assert_array_equal(encoder.transform(frame.iloc[[place]]), codes[[place]])
            # As it comes to a server: its types say nothing of those of other rows.
            np.testing.assert_array_equal(encoder.transform(pd.DataFrame([row])), codes[[place]])

    def test_the_order_of_rows_changes_no_code(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        codes = encoder.fit(frame).transform(frame)
        order = np.random.default_rng(0).permutation(len(frame))
        np.testing.assert_array_equal(encoder.transform(frame.iloc[order]), codes[order])
        again = encoder.fit(frame.iloc[order]).transform(frame)
        if encoder.is_continuous:
            np.testing.assert_allclose(again, codes, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(again, codes)

    def test_what_is_saved_and_loaded_gives_the_same_codes(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        codes = encoder.fit(frame).transform(frame)
        loaded = Encoder.from_state(_through_json(encoder.state()))
        assert type(loaded) is type(encoder)
        assert repr(loaded) == repr(encoder)
        assert loaded.feature_names == encoder.feature_names
        again = loaded.transform(frame)
        assert again.dtype == codes.dtype
        np.testing.assert_array_equal(again, codes)
        assert _plain(loaded.state()) == _plain(encoder.state())

    def test_only_the_declared_columns_are_read_and_none_is_changed(
        self, encoder: Encoder, frame: pd.DataFrame
    ) -> None:
        before = frame.copy(deep=True)
        codes = encoder.fit(frame[list(encoder.fit_inputs)]).transform(frame)
        pd.testing.assert_frame_equal(frame, before)
        stranger = frame[list(encoder.inputs)].assign(a_column_that_nobody_declared=1)
        np.testing.assert_array_equal(encoder.transform(stranger), codes)
        for name in encoder.inputs:
            with pytest.raises(errors.DataFault, match=f"'{name}'"):
                encoder.transform(stranger.drop(columns=name))

    def test_a_missing_value_can_be_encoded_wherever_it_stands(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        encoder.fit(frame)
        for nothing in (None, np.nan, pd.NA):
            missing = pd.DataFrame({name: [nothing] * 3 for name in encoder.inputs}, dtype=object)
            codes = encoder.transform(missing)
            assert codes.shape == (3, encoder.width)
            np.testing.assert_array_equal(codes[0], codes[2])

    def test_a_frame_comes_out_where_one_is_asked_for(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        codes = encoder.fit(frame).transform(frame)
        found = encoder.set_output(transform="pandas").transform(frame)
        assert list(found.columns) == list(encoder.feature_names)
        assert found.index.equals(frame.index)
        np.testing.assert_array_equal(found.to_numpy(), codes)

    def test_the_inverse_gives_values_back(self, encoder: Encoder, frame: pd.DataFrame) -> None:
        if not self.is_lossless:
            return
        values = frame[next(iter(inputs_of(encoder.column)))]
        found = encoder.fit(frame).inverse_transform(encoder.transform(frame))
        there = values.notna().to_numpy()
        assert found[there].tolist() == values[there].tolist()


def _through_json(state: Any) -> Any:
    """Returns a state as it comes out of a file; Arrow tables have files of their own."""
    if isinstance(state, dict):
        return {json.loads(json.dumps(key)): _through_json(value) for key, value in state.items()}
    if type(state).__module__.startswith("pyarrow"):
        return state
    return json.loads(json.dumps(state, allow_nan=False))


def _plain(state: Any) -> Any:
    return json.dumps(state, allow_nan=False, default=lambda table: table.to_pylist())
