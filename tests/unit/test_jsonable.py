from __future__ import annotations

from mlpipeline.jsonable import jsonable


def test_infinities_become_text_in_json() -> None:
    assert jsonable({"a": [float("nan"), float("-inf")]}) == {"a": ["nan", "-inf"]}
