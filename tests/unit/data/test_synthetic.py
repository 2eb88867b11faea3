"""Made-up rows: they look like those that were learnt from, and are nobody's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mlpipeline.data import Synthesizer
from mlpipeline.errors import DataFault


def people(count: int = 4000) -> pd.DataFrame:
    random = np.random.default_rng(0)
    age = random.gamma(9, 5, count)
    income = age * 1000 + random.normal(0, 5000, count)
    city = np.where(age + random.normal(0, 5, count) > 45, "old town", "suburb")
    return pd.DataFrame(
        {
            "email": [f"person{number}@example.com" for number in range(count)],
            "age": age,
            "income": np.where(random.random(count) < 0.2, np.nan, income),
            "children": random.poisson(1.2, count),
            "city": city,
            "is_member": random.random(count) < 0.3,
            "joined": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1000, count), unit="D"),
            "nothing": None,
        }
    )


def test_columns_kinds_and_distributions_are_alike() -> None:
    real = people()
    made = Synthesizer(seed=1).fit(real).sample(3000)
    assert list(made) == list(real)
    assert len(made) == 3000
    assert [made[name].dtype.kind for name in ("age", "children", "joined")] == ["f", "i", "M"]
    for name in ("age", "children"):
        assert np.allclose(
            made[name].quantile([0.1, 0.5, 0.9]), real[name].quantile([0.1, 0.5, 0.9]), rtol=0.06, atol=0.01
        )
    assert abs(made.income.isna().mean() - 0.2) < 0.03
    assert abs(made.is_member.mean() - real.is_member.mean()) < 0.03
    assert abs((made.city == "suburb").mean() - (real.city == "suburb").mean()) < 0.03
    assert made.joined.between(real.joined.min(), real.joined.max()).all()
    assert made.nothing.isna().all()


def test_what_goes_together_still_does() -> None:
    real, made = people(), Synthesizer(seed=1).fit(people()).sample(4000)
    assert made.age.corr(made.income) == pytest.approx(real.age.corr(real.income), abs=0.1)
    assert made.age.corr(made.children) == pytest.approx(0, abs=0.06)
    difference = made.age[made.city == "old town"].mean() - made.age[made.city == "suburb"].mean()
    assert difference > 10


def test_texts_that_tell_who_it_is_are_replaced_and_rows_are_not_repeated() -> None:
    real, made = people(), Synthesizer().fit(people()).sample(500)
    assert made.email.tolist()[:2] == ["email-0", "email-1"]
    assert len(made.merge(real, on=["age", "income"])) == 0


def test_the_same_seed_draws_the_same_rows() -> None:
    one, two = (Synthesizer(seed=3).fit(people()).sample(50) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    other = Synthesizer(seed=4).fit(people()).sample(50)
    assert not other.age.equals(one.age)


@pytest.mark.parametrize(
    "frame", [pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1, 1, 1], "b": [[1], [2], None]}), people(2)]
)
def test_small_and_odd_frames_can_be_learnt(frame: pd.DataFrame) -> None:
    made = Synthesizer().fit(frame).sample(5)
    assert made.shape == (5, frame.shape[1])


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(DataFault, match="no rows"):
        Synthesizer().fit(people(0))
    with pytest.raises(DataFault, match="called 'a'"):
        Synthesizer().fit(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataFault, match="call fit first"):
        Synthesizer().sample(3)
