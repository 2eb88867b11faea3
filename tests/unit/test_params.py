"""Addresses of parameters, and descriptions that are the same in every process."""

import json
import re
import threading
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline import params
from mlpipeline.model import DataLoader

_names = st.text(alphabet="abcxyz", min_size=1, max_size=4)
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(alphabet="ab_é\n", max_size=8)
_trees = st.recursive(
    st.dictionaries(_names, _leaves, max_size=3),
    lambda inner: st.dictionaries(_names, inner | _leaves, max_size=3),
    max_leaves=6,
)


class Rows(DataLoader):
    """Never calls the parent's constructor."""

    def __init__(self, path: str, rows: int = 10, **more: Any) -> None:
        self.opened = object()


class Plain:
    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.itself = self
        self.lock = threading.Lock()


@dataclass
class Layer:
    units: int


class Color(Enum):
    RED = 1


class Kind(StrEnum):
    LINEAR = "linear"


def times(k: int) -> Any:
    return lambda x: x * k


def double(x: int) -> int:
    return 2 * x


@given(_trees)
def test_every_flat_address_leads_to_its_value(tree: dict[str, Any]) -> None:
    for address, value in params.flatten(tree).items():
        place: Any = tree
        for part in [address] if address in tree else address.split("__"):
            place = place[part]
        assert place is value


def test_what_an_object_was_built_with_has_one_address() -> None:
    tree = {"class": "Forest", "arguments": {"depth": 3, "kind": {"class": "Gini", "arguments": {}}}}
    told = {"estimator": {"class": "Wrapped", "arguments": {"sklearn": tree}}, "estimator__sklearn__depth": 3}
    assert params.addressed(told) == {
        "estimator__class": "Wrapped",
        "estimator__sklearn__class": "Forest",
        "estimator__sklearn__depth": 3,
        "estimator__sklearn__kind__class": "Gini",
    }
    assert params.addressed({"class": {"class": 1, "arguments": 2, "more": 3}}) == {
        "class__class": 1,
        "class__arguments": 2,
        "class__more": 3,
    }


@given(_trees)
def test_a_description_is_json_and_its_digest_survives_writing_and_reading(tree: dict[str, Any]) -> None:
    described = params.describe(tree)
    text = json.dumps(described, allow_nan=False)
    assert params.digest(json.loads(text)) == params.digest(described)


def test_a_loader_is_described_by_class_and_constructor_arguments() -> None:
    described = params.describe(Rows("a.csv", 5, shuffle=True))
    assert described["class"].endswith("test_params.Rows")
    assert described["arguments"] == {"path": "a.csv", "rows": 5, "shuffle": True}
    assert described == params.describe(Rows(path="a.csv", rows=5, shuffle=True))
    assert described != params.describe(Rows("a.csv", 6, shuffle=True))


def test_objects_functions_and_enums_are_told_by_name_and_never_by_address() -> None:
    value = [Plain(3), Layer(4), double, partial(double, 3), Rows, Color.RED, Kind.LINEAR, len, object(), "x at 0x7f00"]
    text = json.dumps(params.describe(value))
    assert not re.search("0x[0-9a-f]+", text)
    assert '"depth": 3' in text
    assert '"units": 4' in text
    assert "test_params.double" in text
    assert "Color.RED" in text
    assert '"linear"' in text
    assert "cycle" in text


def test_functions_that_closed_over_different_values_differ() -> None:
    scaled = [lambda x, k=k: x * k for k in (1, 2)]
    closed = [times(k) for k in (1, 2)]
    for pair in (scaled, closed):
        first, second = (params.digest(params.describe(each)) for each in pair)
        assert first != second


def test_numpy_values_are_told_by_value_and_big_arrays_by_digest() -> None:
    np = pytest.importorskip("numpy")
    assert params.describe(np.float64(0.5)) == 0.5
    assert params.describe(np.int32(3)) == 3
    assert params.describe(np.bool_(True)) is True
    assert params.describe(np.array([1, 2]))["array"] == [1, 2]
    big = np.arange(1000)
    other = big.copy()
    other[500] = 0
    assert params.describe(big) == params.describe(big.copy())
    assert params.describe(big) != params.describe(other)
    assert params.describe(big) != params.describe(big.reshape(10, 100))
    assert params.describe(np.float32) == {"type": "numpy.float32"}


def test_scikit_learn_objects_are_described_by_their_parameters() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    described = params.describe(linear.Ridge(alpha=2.0))
    assert described["arguments"]["alpha"] == 2.0


def test_order_does_not_matter_where_there_is_none() -> None:
    assert params.describe({"b", "a"}) == params.describe({"a", "b"})
    assert params.digest(params.describe({"a": 1, "b": 2})) == params.digest(params.describe({"b": 2, "a": 1}))
    assert params.describe({(1, 2): "x"}) == {"mapping": [[[1, 2], "x"]]}
    assert params.describe(Path("a") / "b") == "a/b"


def test_whole_numbers_fractions_and_truth_are_told_apart() -> None:
    assert len({params.digest(value) for value in (1, 1.0, True, "1", [1])}) == 5
    assert params.describe([float("nan"), float("inf")]) == [{"float": "nan"}, {"float": "inf"}]
