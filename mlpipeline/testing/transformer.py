"""What every transformer promises, as tests that a class of one's own can be put through."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from mlpipeline import errors
from mlpipeline.data.transformer import Transformer

SEED = 1


class TransformerContract:
    """The promises of a transformer. Derive a class whose name begins with Test; define `transformer` and `frame`."""

    def transformer(self) -> Transformer:
        """Returns the transformer to test; a new and equal one at every call."""
        raise TypeError(f"{type(self).__name__} does not define `transformer`: return what is to be tested")

    def frame(self) -> pd.DataFrame:
        """Returns at least three rows that it can read: usual ones, extreme ones, and one with missing values."""
        raise TypeError(f"{type(self).__name__} does not define `frame`: return rows that can be read")

    def test_a_frame_with_exactly_the_inputs_is_enough(self) -> None:
        transformer, frame = self.transformer(), self.frame()
        _same(transformer.transform(frame), transformer.transform(frame[list(transformer.inputs)]))

    def test_a_missing_input_is_named(self) -> None:
        for name in self.transformer().inputs:
            said = _fault(self.transformer(), self.frame().drop(columns=name))
            assert f"'{name}'" in said, f"column '{name}' is among the inputs and missing, and what is said is: {said}"

    def test_the_result_has_the_index_and_the_name(self) -> None:
        transformer = self.transformer()
        frame = self.frame().set_axis(np.zeros(len(self.frame()), dtype=int))
        found = transformer.transform(frame)
        assert isinstance(found, pd.Series), f"a {type(found).__name__} came out where a Series is promised"
        assert found.index.equals(frame.index), "the rows have another index than the frame's"
        assert found.name == transformer.name, f"the result is called {found.name}, the transformer {transformer.name}"

    def test_one_row_gives_what_it_gives_within_the_frame(self) -> None:
        transformer, frame = self.transformer(), self.frame()
        whole = transformer.transform(frame)
        for place in range(len(frame)):
            _same(transformer.transform(frame.iloc[[place]]), whole.iloc[[place]])

    def test_the_order_of_rows_does_not_matter(self) -> None:
        transformer, frame = self.transformer(), self.frame()
        order = np.random.default_rng(SEED).permutation(len(frame))
        _same(transformer.transform(frame.iloc[order]), transformer.transform(frame).iloc[order])

    def test_what_goes_in_is_not_changed(self) -> None:
        transformer, frame = self.transformer(), self.frame()
        transformer.transform(frame)
        pd.testing.assert_frame_equal(frame, self.frame())
        assert transformer == self.transformer(), "transforming has changed the transformer"

    def test_the_same_comes_out_each_time(self) -> None:
        transformer = self.transformer()
        _same(transformer.transform(self.frame()), transformer.transform(self.frame()))

    def test_columns_without_a_single_value_and_without_rows_can_be_read(self) -> None:
        transformer, frame = self.transformer(), self.frame()
        void = pd.DataFrame({name: [None] * 2 for name in transformer.inputs})
        assert len(transformer.transform(void)) == len(void), "rows got lost where all values are missing"
        assert len(transformer.transform(frame.iloc[:0])) == 0, "no rows made some"

    def test_the_constructor_only_stores(self) -> None:
        transformer = self.transformer()
        assert transformer == self.transformer(), "two that were made alike are not equal"
        assert hash(transformer) == hash(self.transformer()), "two that are equal have different hashes"
        assert repr(transformer).startswith(type(transformer).__name__), "the representation does not name the class"

    def test_it_is_the_same_after_it_was_saved(self) -> None:
        transformer = self.transformer()
        saved = Transformer.from_state(json.loads(json.dumps(transformer.state(), allow_nan=False)))
        assert saved == transformer, f"{transformer!r} came back as {saved!r}"
        _same(saved.transform(self.frame()), transformer.transform(self.frame()))


def _fault(transformer: Transformer, frame: pd.DataFrame) -> str:
    try:
        transformer.transform(frame)
    except errors.DataFault as fault:
        return str(fault)
    return "nothing"


def _same(found: pd.Series, wanted: pd.Series) -> None:
    pd.testing.assert_series_equal(found, wanted, check_exact=True)
