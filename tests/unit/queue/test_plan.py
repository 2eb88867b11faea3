"""What the plan decides, for every kind of history and for any mixture of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.ledger import Key, Standing
from mlpipeline.model_options import ModelOptions
from mlpipeline.policy import Action, find
from mlpipeline.queue.orders import Order, Orders
from mlpipeline.queue.plan import Item, Plan, PlanDefaults, Verdict, Wanted, pause_after, plan, seed_of
from mlpipeline.queue.verdicts import FOR_A_SLOT, Refusal
from mlpipeline.run import Cause, State

NOW = datetime(2026, 11, 21, 4, 5, 6, tzinfo=UTC)
LIMIT = 3


def wish(
    model: str = "a", version: str = "one", *, replicate: int = 0, position: int = 0, rank: int = 0, **options: Any
) -> Wanted:
    return Wanted(
        model=model,
        version=version,
        replicate=replicate,
        seed=seed_of(model, version, replicate),
        key=Key(model, version, replicate, "params", "code"),
        options=ModelOptions(**options),
        position=position,
        rank=rank,
        model_dir=f"{model}-{version}-{replicate}",
    )


def standing(
    state: State, cause: Cause = Cause.NONE, *, count: int = 1, ended: datetime | None = NOW, retry: bool = False
) -> Standing:
    return Standing(
        run_id="20261121-040406-aaaaaa",
        state=state,
        cause=cause,
        counted_attempts=count,
        attempts=count,
        ended_at=ended,
        retry_asked=retry,
        message="boom",
    )


def planned(wishes: Sequence[Wanted], standings: dict[Key, Standing] | None = None, **given: Any) -> Plan:
    defaults: dict[str, Any] = {
        "slots": 100,
        "now": NOW,
        "local_minute": 245,
        "defaults": PlanDefaults(max_attempts=LIMIT),
        "busy": frozenset(),
        "describing": {},
        "faulty": frozenset(),
    }
    return plan(wishes, standings or {}, **(defaults | given))


def only(wanted: Wanted, found: Standing, **given: Any) -> Item:
    (item,) = planned([wanted], {wanted.key: found}, **given).items
    return item


def names(found: Plan) -> list[str]:
    return [f"{each.model}:{each.version}:{each.replicate}" for each in found.submit]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (standing(State.SUCCEEDED), Verdict.DONE),
        (standing(State.SUCCEEDED, retry=True), Verdict.DONE),
        (standing(State.SUBMITTED, ended=None), Verdict.RUNNING),
        (standing(State.RUNNING, ended=None), Verdict.RUNNING),
        (standing(State.FAILED, Cause.EXCEPTION), Verdict.FAILED),
        (standing(State.FAILED, Cause.EXCEPTION, retry=True), Verdict.DUE),
        (standing(State.CANCELLED, Cause.CANCELLED), Verdict.FAILED),
        (standing(State.CANCELLED, Cause.CANCELLED, retry=True), Verdict.DUE),
        (standing(State.CANCELLED, Cause.INTERRUPTED), Verdict.DUE),
        (standing(State.YIELDED), Verdict.DUE),
        (standing(State.LOST, Cause.KILLED), Verdict.WAITING),
        (standing(State.LOST, Cause.KILLED, ended=NOW - timedelta(seconds=1)), Verdict.DUE),
        (standing(State.LOST, Cause.KILLED, retry=True), Verdict.DUE),
        (standing(State.LOST, Cause.KILLED, count=LIMIT), Verdict.GAVE_UP),
        (standing(State.LOST, Cause.KILLED, count=LIMIT, retry=True), Verdict.DUE),
        (standing(State.LOST, Cause.REBOOT, ended=None), Verdict.DUE),
    ],
)
def test_what_happened_decides_what_happens_next(found: Standing, verdict: Verdict) -> None:
    item = only(wish(), found)
    assert item.verdict is verdict
    assert item.reason


def test_the_models_own_limit_of_attempts_comes_before_the_projects() -> None:
    lost = standing(State.LOST, Cause.KILLED, count=1)
    assert only(wish(max_attempts=1), lost).verdict is Verdict.GAVE_UP
    later = standing(State.LOST, Cause.KILLED, count=LIMIT, ended=NOW - timedelta(hours=1))
    assert only(wish(max_attempts=LIMIT + 1), later).verdict is Verdict.DUE


def test_pauses_grow_fourfold_up_to_five_minutes() -> None:
    assert [pause_after(count).total_seconds() for count in (0, 1, 2, 3, 4, 5, 6, 10**6)] == [
        0,
        1,
        4,
        16,
        64,
        256,
        300,
        300,
    ]


def test_the_plan_wakes_up_when_the_first_pause_is_over() -> None:
    first, second = wish(version="one"), wish(version="two")
    found = planned(
        [first, second],
        {
            first.key: standing(State.LOST, Cause.KILLED, count=2, ended=NOW - timedelta(seconds=1)),
            second.key: standing(State.LOST, Cause.KILLED, count=1, ended=NOW - timedelta(seconds=0.5)),
        },
    )
    assert [item.until for item in found.items] == [NOW + timedelta(seconds=3), NOW + timedelta(seconds=0.5)]
    assert found.wake_at == NOW + timedelta(seconds=0.5)


def test_what_is_described_holds_back_nothing_of_higher_priority() -> None:
    urgent = wish("urgent", position=2, priority=5)
    found = planned([urgent, wish("third", position=2)], describing={"second": (0, 1)})
    assert [each.model for each in found.submit] == ["urgent"]


def test_a_clock_that_jumped_back_makes_no_pause_longer() -> None:
    tomorrow = standing(State.LOST, Cause.KILLED, ended=NOW + timedelta(days=1))
    assert only(wish(), tomorrow).verdict is Verdict.DUE


def test_priority_comes_before_the_list_and_first_seeds_before_second_ones() -> None:
    wishes = [
        wish(model, version, replicate=replicate, position=position, rank=rank, priority=priority)
        for position, (model, priority) in enumerate([("low", 0), ("high", 5), ("last", 0)])
        for rank, version in enumerate(["b", "a"])
        for replicate in (1, 0)
    ]
    order = ["b:0", "a:0", "b:1", "a:1"]
    found = names(planned(wishes))
    assert [name for name in found if name.startswith("high")] == found[:4] == [f"high:{rest}" for rest in order]
    assert [name for name in found if name.startswith("low")] == [f"low:{rest}" for rest in order]


def test_models_of_equal_priority_share_the_slots() -> None:
    wishes = [
        wish(model, version, position=position, rank=rank)
        for position, model in enumerate("ab")
        for rank, version in enumerate("xyz")
    ]
    assert names(planned(wishes, slots=1)) == ["a:x:0"]
    assert names(planned(wishes, slots=3)) == ["a:x:0", "b:x:0", "a:y:0"]


def test_the_next_slot_goes_to_the_model_with_the_fewest_runs() -> None:
    wishes = [
        wish(model, version, position=n, rank=m) for n, model in enumerate("ab") for m, version in enumerate("xy")
    ]
    happened = {wishes[0].key: standing(State.RUNNING)}
    assert names(planned(wishes, happened, running={"a": 1}, slots=1)) == ["b:x:0"]
    assert names(planned(wishes, happened, running={"a": 1, "b": 1}, slots=1)) == ["a:y:0"]
    assert names(planned(wishes, running={"a": 1}, slots=1)) == ["b:x:0"], "what runs has been edited since"


def test_the_plan_lists_what_waits_in_the_order_in_which_slots_will_come() -> None:
    wishes = [wish(m, v, position=n, rank=r) for n, m in enumerate("ab") for r, v in enumerate("xyz")]
    found = planned(wishes, running={"a": 1}, slots=0)
    assert ["".join(each.wanted.key[:2]) for each in found.items] == ["bx", "ax", "by", "ay", "bz", "az"]
    alone = planned(wishes, slots=0)
    assert [each.wanted for each in alone.items] == wishes


class Counting:
    """Lends nothing, and counts who asks."""

    def __init__(self) -> None:
        self.asked = 0

    def lend(self, wanted: Wanted) -> Refusal:
        self.asked += 1
        return Refusal(f"nothing for {wanted.version}", is_ours=True)

    def take_back(self, wanted: Wanted) -> None:
        raise AssertionError("nothing was lent")


def test_what_waits_for_something_else_is_asked_once_each_and_leaves_the_slot_to_others() -> None:
    wishes = [wish(f"m{n}", str(m), position=n, rank=m) for n in range(5) for m in range(4)]
    lender = Counting()
    found = planned(wishes, slots=2, lenders=[lender])
    assert lender.asked == len(wishes)
    assert {item.reason for item in found.items} == {f"nothing for {rank}" for rank in range(4)}


def test_a_version_that_goes_first_counts_for_its_model_afterwards() -> None:
    wishes = [wish(m, v, position=n, rank=r) for n, m in enumerate("ab") for r, v in enumerate("xy")]
    orders = Orders(first={"a:y": Order(at=NOW, by="anna")})
    assert names(planned(wishes, slots=3, orders=orders)) == ["a:y:0", "b:x:0", "a:x:0"]


def test_slots_bound_what_is_submitted_and_the_rest_stays_due() -> None:
    found = planned([wish(version=str(rank), rank=rank) for rank in range(4)], slots=2)
    assert names(found) == ["a:0:0", "a:1:0"]
    assert [item.reason for item in found.items[2:]] == ["waits for a slot"] * 2
    assert not planned([wish()], slots=0).submit


def test_a_model_that_is_being_described_holds_back_those_after_it() -> None:
    found = planned([wish("first"), wish("third", position=2)], describing={"second": (0, 1)})
    assert names(found) == ["first:one:0"]
    assert found.items[1].verdict is Verdict.DUE


def test_one_that_cannot_run_blocks_nobody() -> None:
    wishes = [wish("held", hold=True), wish("faulty", position=1), wish("good", position=2)]
    found = planned(wishes, faulty=frozenset({"faulty"}))
    assert [item.verdict for item in found.items] == [Verdict.HELD, Verdict.WAITING, Verdict.DUE]
    assert names(found) == ["good:one:0"]


def test_a_model_directory_is_used_by_one_at_a_time() -> None:
    first, second = wish(version="one"), replace(wish(version="two", rank=1), model_dir="a-one-0")
    assert names(planned([first, second])) == ["a:one:0"]
    assert not planned([first, second], busy=frozenset({"a-one-0"})).submit


def test_a_running_wish_keeps_its_directory_from_one_before_it() -> None:
    first, running = wish(version="one"), replace(wish(version="two", rank=1), model_dir="a-one-0")
    assert not planned([first, running], {running.key: standing(State.RUNNING, ended=None)}).submit


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "waits for first"),
        (standing(State.RUNNING, ended=None), "waits for first"),
        (standing(State.FAILED), "waits for first, which failed"),
        (standing(State.FAILED, retry=True), "waits for first"),
        (standing(State.CANCELLED, Cause.CANCELLED), "waits for first, which was cancelled"),
        (standing(State.CANCELLED, Cause.INTERRUPTED), "waits for first"),
        (standing(State.LOST, Cause.KILLED, count=1), "waits for first"),
        (standing(State.LOST, Cause.KILLED, count=LIMIT), "waits for first, which gave up"),
        (standing(State.SUCCEEDED), "next"),
    ],
)
def test_after_waits_for_every_wish_of_a_model_and_says_why(found: Standing | None, reason: str) -> None:
    first = [wish("first", version) for version in ("one", "two")]
    second = wish("second", position=1, after=("first",))
    happened = {first[0].key: standing(State.SUCCEEDED)} | ({first[1].key: found} if found else {})
    assert planned([*first, second], happened).items[-1].reason == reason


def test_after_says_when_a_model_is_faulty_described_or_has_nothing_to_wait_for() -> None:
    second = wish("second", position=1, after=("first",))
    assert planned([second], faulty=frozenset({"first"})).items[0].reason == "waits for first, whose file has a fault"
    assert planned([second], describing={"first": (0, 0)}).items[0].reason == "waits for first"
    assert planned([second]).items[0].reason == "waits for first, of which no version is wanted"


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ({"not_before": 1320, "not_after": 480}, [1320, 1439, 0, 479], [480, 1319]),
        ({"not_before": 480, "not_after": 1320}, [480, 1319], [479, 1320]),
        ({"not_before": 600}, [600, 1439], [0, 599]),
        ({"not_after": 600}, [0, 599], [600, 1439]),
        ({"not_before": 0, "not_after": 480}, [0, 479], [480]),
    ],
)
def test_hours_hold_also_across_midnight(hours: dict[str, Any], inside: list[int], outside: list[int]) -> None:
    for minute in inside:
        assert planned([wish(**hours)], local_minute=minute).submit, minute
    for minute in outside:
        found = planned([wish(**hours)], local_minute=minute)
        begin = hours.get("not_before", 0)
        whole_minute = NOW.replace(second=0)
        assert not found.submit
        assert found.wake_at == whole_minute + timedelta(minutes=(begin - minute) % 1440), minute


def test_seeds_are_stable_small_and_different() -> None:
    assert seed_of("digits.py", "wide", 0) == 1637991889
    seeds = {seed_of(model, version, k) for model in "ab" for version in ("c", "bc") for k in range(50)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**31 for seed in seeds)


KEYS = st.builds(
    Key,
    st.sampled_from("abc"),
    st.sampled_from(["one", "two"]),
    st.integers(0, 1),
    st.just("params"),
    st.just("code"),
)
OPTIONS = st.builds(
    ModelOptions,
    hold=st.booleans(),
    priority=st.integers(-1, 1),
    after=st.sampled_from([(), (), ("a",), ("b", "c")]),
    not_before=st.sampled_from([None, None, 300]),
)
STANDINGS = st.builds(
    standing,
    st.sampled_from(State),
    st.sampled_from([Cause.NONE, Cause.CANCELLED, Cause.INTERRUPTED, Cause.KILLED]),
    count=st.integers(0, LIMIT),
    ended=st.sampled_from([None, NOW, NOW - timedelta(hours=1)]),
    retry=st.booleans(),
)


@st.composite
def wishes(draw: st.DrawFn) -> list[Wanted]:
    """Draws wishes that may share keys and directories: the caller should not, so the plan must not mind."""
    options = {model: draw(OPTIONS) for model in "abc"}
    return [
        Wanted(
            model=key.model,
            version=key.version,
            replicate=key.replicate,
            seed=1,
            key=key,
            options=options[key.model],
            position="abc".index(key.model),
            rank=draw(st.integers(0, 2)),
            model_dir=draw(st.sampled_from("wxyz")),
        )
        for key in draw(st.lists(KEYS, max_size=8))
    ]


MIXTURES = {
    "wanted": wishes(),
    "standings": st.dictionaries(KEYS, STANDINGS),
    "slots": st.integers(0, 9),
    "busy": st.frozensets(st.sampled_from("wxyz"), max_size=2),
    "describing": st.dictionaries(st.just("d"), st.tuples(st.integers(-2, 2), st.integers(0, 3))),
    "faulty": st.frozensets(st.sampled_from("abc"), max_size=1),
}


@given(**MIXTURES)
def test_no_two_submitted_share_a_directory_or_a_key(
    wanted: list[Wanted], standings: dict[Key, Standing], **given: Any
) -> None:
    found = planned(wanted, standings, **given)
    directories = [each.model_dir for each in found.submit]
    keys = [each.key for each in found.submit]
    assert len(set(directories)) == len(directories)
    assert len(set(keys)) == len(keys)
    assert len(keys) <= given["slots"]
    in_use = {each.model_dir for each in wanted if each.key in standings and not standings[each.key].state.is_final}
    assert not set(directories) & (given["busy"] | in_use)


@given(**MIXTURES)
def test_nothing_done_live_or_barred_is_submitted(
    wanted: list[Wanted], standings: dict[Key, Standing], **given: Any
) -> None:
    for each in planned(wanted, standings, **given).submit:
        happened = standings.get(each.key)
        assert happened is None or happened.state.is_final
        assert happened is None or happened.state is not State.SUCCEEDED
        if happened is not None and happened.state is State.FAILED and not happened.retry_asked:
            assert find(happened.cause, {}, {}).action is Action.RETRY
        assert not each.options.hold
        assert each.model not in given["faulty"]
        assert not each.options.not_before
        assert (-each.options.priority, each.position) <= given["describing"].get("d", (9, 9))


@given(**MIXTURES)
def test_order_is_kept_and_every_wish_has_its_place(
    wanted: list[Wanted], standings: dict[Key, Standing], **given: Any
) -> None:
    found = planned(wanted, standings, **given)
    assert sorted(map(id, wanted)) == sorted(id(item.wanted) for item in found.items)
    priorities = [item.wanted.options.priority for item in found.items]
    assert priorities == sorted(priorities, reverse=True)
    # What waits for a slot stands as slots will come, and so do those of one model.
    for model in {each.model for each in wanted}:
        waiting = [item.wanted for item in found.items if item.reason == FOR_A_SLOT and item.wanted.model == model]
        order = [(-each.options.priority, each.position, each.replicate, each.rank) for each in waiting]
        assert order == sorted(order)
    places = {id(item.wanted): place for place, item in enumerate(found.items)}
    for one, other in itertools.pairwise(found.submit):
        if one.model == other.model and one.options.priority == other.options.priority:
            assert places[id(one)] < places[id(other)]
    # Nobody is passed over for want of a slot: not by a lower priority, nor by what stands later in the same model.
    for item in found.items:
        for each in found.submit if item.reason == FOR_A_SLOT else ():
            assert each.options.priority >= item.wanted.options.priority
            if each.model == item.wanted.model and each.options.priority == item.wanted.options.priority:
                assert places[id(each)] < places[id(item.wanted)]


@given(**MIXTURES)
def test_the_order_of_the_wishes_given_and_a_second_asking_change_nothing(
    wanted: list[Wanted], standings: dict[Key, Standing], **given: Any
) -> None:
    unique = list({(each.key, each.rank): each for each in wanted}.values())
    places = {(-w.options.priority, w.position, w.replicate, w.rank) for w in unique}
    if len(places) < len(unique):
        return  # equal places keep the order in which they were given
    assert planned(unique, standings, **given) == planned(unique[::-1], standings, **given)
