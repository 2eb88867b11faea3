"""What one notifying process hands on to the next comes back as it was, or not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.observe import outbox
from mlpipeline.observe.notices import Notice
from tests.unit.sample_runs import NOW

KEY = ("20261121-040406-aaaaaa", 1)
WAITS = Notice(kind="failed", text="it\nfails", at=NOW, run=KEY[0], attempt=1, model="m.py", version="v", replicate=2)


def test_all_of_it_comes_back() -> None:
    seen = outbox.Seen(at=NOW, live=frozenset({KEY}), told=frozenset({("b", 2)}), stalled=frozenset({KEY}))
    boxes = {"hook": outbox.Outbox(waiting=(WAITS,), left_out={"failed": 3}, sent_at=NOW), "b": outbox.Outbox()}
    assert outbox.from_json(json.loads(json.dumps(outbox.to_json(seen, boxes)))) == (seen, boxes)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("at", "live", "told", "stalled", "places")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)))
def test_whatever_stands_in_the_file_nothing_is_raised(content: dict[str, Any]) -> None:
    outbox.from_json(content)
    outbox.from_json({"places": {"hook": content}, "live": [["a", 1], content, ["b", "c"]]})


def test_what_ended_since_the_last_look_is_news_but_not_what_ended_long_ago() -> None:
    assert outbox.Seen().since(NOW) == NOW
    assert outbox.Seen(at=NOW - timedelta(hours=2)).since(NOW) == NOW - timedelta(hours=2)
    assert outbox.Seen(at=NOW - timedelta(days=30)).since(NOW) == NOW - outbox.LOOK_BACK
    assert outbox.Seen(at=NOW + timedelta(days=1)).since(NOW) == NOW, "a clock was set back"
