"""Which devices runs get, and what they are told where they get none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpipeline.execution.devices import NO_DRIVER, Device, Process, Seen
from mlpipeline.model_options import ModelOptions, read_options
from mlpipeline.queue.allotment import NOTHING, Allotment, Ask, Hold, ask_of, chosen
from mlpipeline.queue.inventory import SETTLING_SECONDS, Inventory
from mlpipeline.queue.verdicts import Refusal
from mlpipeline.values import devices as read_setting

GB = 10**9
ONE = Ask(1)


def device(index: str = "0", *, used: float = 0.3, uuid: str = "", **processes: Any) -> Device:
    return Device(
        index=index,
        uuid=uuid or f"GPU-{index}",
        name="fake",
        memory_total=16 * GB,
        memory_free=16 * GB - int(used * GB),
        processes={int(pid[1:]): each for pid, each in processes.items()},
    )


ANNA = Process(int(12.1 * GB), "python", "anna")


def uuids(found: object) -> list[str]:
    assert isinstance(found, tuple), found
    return [each.uuid for each in found]


def reason(found: object) -> str:
    assert isinstance(found, Refusal), found
    return found.reason


def test_each_run_gets_a_device_of_its_own_and_the_next_one_waits() -> None:
    allotment = Allotment([device("0"), device("1")])
    assert uuids(allotment.take(ONE, "m.py:a")) == ["GPU-0"]
    assert uuids(allotment.take(ONE, "m.py:b")) == ["GPU-1"]
    refused = allotment.take(ONE, "m.py:c")
    assert refused == Refusal("waits for a device: GPU 0 trains m.py:a; GPU 1 trains m.py:b", is_ours=True)
    assert allotment.take(NOTHING, "m.py:d") == ()


def test_nobody_overtakes_one_that_waits_for_devices_of_ours() -> None:
    allotment = Allotment([device("0"), device("1")], [Hold("GPU-0", "m.py:a", None)])
    assert reason(allotment.take(Ask(2), "m.py:b")) == "waits for 2 devices, 1 free: GPU 0 trains m.py:a"
    assert reason(allotment.take(ONE, "m.py:c")) == "waits for a device, after m.py:b"


@given(
    used=st.lists(st.integers(0, 16), min_size=1, max_size=4),
    wishes=st.lists(st.tuples(st.integers(1, 3), st.one_of(st.none(), st.integers(1, 16))), max_size=12),
)
def test_no_device_is_booked_twice_nor_beyond_its_memory(used: list[int], wishes: list[tuple[int, int | None]]) -> None:
    devices = [device(str(place), used=each) for place, each in enumerate(used)]
    allotment = Allotment(devices)
    for number, (count, memory) in enumerate(wishes):
        found = allotment.take(Ask(count, None if memory is None else memory * GB), f"m.py:{number}")
        assert isinstance(found, Refusal) or len({each.uuid for each in found}) == count
    for each in devices:
        shares = [hold.memory for hold in allotment.holds if hold.uuid == each.uuid]
        assert None not in shares or len(shares) == 1
        assert sum(share or 0 for share in shares) <= each.memory_free


def test_what_waits_for_a_stranger_holds_nobody_else_back() -> None:
    allotment = Allotment([device("0", used=12.4, p4711=ANNA), device("1")])
    told = "waits for 2 devices, 1 free: GPU 0 is used by process 4711 (python, user anna, 12.1 GB)"
    assert allotment.take(Ask(2), "m.py:a") == Refusal(told, is_ours=False)
    assert uuids(allotment.take(ONE, "m.py:b")) == ["GPU-1"]


def test_memory_that_nobody_seems_to_have_keeps_a_device_from_being_free() -> None:
    told = "waits for a device: GPU 0 has 3.2 GB in use, by no process that can be seen"
    assert reason(Allotment([device(used=3.2)]).take(ONE, "m.py:a")) == told
    assert uuids(Allotment([device(used=1.2)]).take(ONE, "m.py:a")) == ["GPU-0"], "a desktop may have so much"


def test_runs_share_a_device_as_far_as_its_memory_goes() -> None:
    allotment = Allotment([device("0", used=0.0)])
    share = Ask(1, 6 * GB)
    assert uuids(allotment.take(share, "m.py:a")) == ["GPU-0"]
    assert uuids(allotment.take(share, "m.py:b")) == ["GPU-0"]
    told = "waits for a device: GPU 0 has room for 4.0 GB, not 6.0 GB: it has m.py:a, m.py:b"
    assert reason(allotment.take(share, "m.py:c")) == told
    assert reason(Allotment([device("0", used=0.0)], allotment.holds).take(ONE, "m.py:d")).startswith(
        "waits for a device: GPU 0 trains m.py:a, m.py:b"
    ), "who wants one alone shares none"


def test_who_has_a_device_alone_shares_it_with_nobody() -> None:
    allotment = Allotment([device("0", used=0.0)], [Hold("GPU-0", "m.py:a", None)])
    assert reason(allotment.take(Ask(1, GB), "m.py:b")) == "waits for a device: GPU 0 trains m.py:a"


def test_runs_that_share_are_spread_and_may_be_beside_a_stranger_where_there_is_room() -> None:
    allotment = Allotment([device("0", used=12.1, p4711=ANNA), device("1", used=0.0)])
    share = Ask(1, 3 * GB)
    assert [uuids(allotment.take(share, f"m.py:{n}"))[0] for n in range(6)] == ["GPU-1"] * 5 + ["GPU-0"]
    told = "GPU 0 has room for 0.9 GB, not 3.0 GB: it has m.py:5, process 4711 (python, user anna, 12.1 GB)"
    assert told in reason(allotment.take(share, "m.py:x"))


def test_what_a_run_of_ours_uses_already_is_not_reckoned_twice() -> None:
    mine = Process(5 * GB, "python", "me")
    holds = [Hold("GPU-0", "m.py:a", 6 * GB)]
    allotment = Allotment([device("0", used=5.0, p50=mine)], holds, ours={50})
    assert uuids(allotment.take(Ask(1, 10 * GB), "m.py:b")) == ["GPU-0"]
    overrun = Allotment([device("0", used=9.0, p50=mine._replace(memory=9 * GB))], holds, ours={50})
    assert reason(overrun.take(Ask(1, 8 * GB), "m.py:b")).startswith("waits for a device: GPU 0 has room for 7.0 GB")


def test_where_no_process_is_told_what_was_taken_since_is_ours() -> None:
    holds = [Hold("GPU-0", "m.py:a", 6 * GB, GB)]
    allotment = Allotment([device("0", used=6.0)], holds)
    assert uuids(allotment.take(Ask(1, 9 * GB), "m.py:b")) == ["GPU-0"]


def test_a_process_that_cannot_be_seen_is_ours_where_we_train_and_a_stranger_elsewhere() -> None:
    hidden = Process(5 * GB)
    held = Allotment([device("0", used=5.0, p9=hidden)], [Hold("GPU-0", "m.py:a", 6 * GB)])
    assert uuids(held.take(Ask(1, 10 * GB), "m.py:b")) == ["GPU-0"]
    told = "waits for a device: GPU 0 is used by process 9 (not visible from here, 5.0 GB)"
    assert reason(Allotment([device("0", used=5.0, p9=hidden)]).take(ONE, "m.py:b")) == told


def test_several_devices_are_whole_ones_and_all_is_one_instance_where_there_are_only_such() -> None:
    parts = [device("0:0", uuid="MIG-a"), device("0:1", uuid="MIG-b")]
    assert uuids(Allotment([*parts, device("1"), device("2")]).take(Ask(2), "m.py:a")) == ["GPU-1", "GPU-2"]
    assert uuids(Allotment(parts).take(Ask(None), "m.py:a")) == ["MIG-a"]
    assert uuids(Allotment([device("0"), device("1")]).take(Ask(None), "m.py:a")) == ["GPU-0", "GPU-1"]


@pytest.mark.parametrize(
    ("line", "others_ask", "slots", "learnt", "expected"),
    [
        ("gpus=2", False, 1, None, Ask(2)),
        ("gpu_memory=8GB", False, 4, None, Ask(1, 8 * GB)),
        ("gpus=2, gpu_memory=8GB", False, 4, None, Ask(2, 8 * GB)),
        ("gpu_memory=auto", False, 4, None, Ask(1)),
        ("gpu_memory=auto", False, 4, 3 * GB, Ask(1, 3 * GB)),
        ("gpus=1", False, 4, 3 * GB, Ask(1)),
        ("gpus=0", False, 1, None, NOTHING),
        ("", True, 1, None, NOTHING),
        ("", False, 1, None, Ask(None, is_said=False)),
        ("", False, 2, None, Ask(1, is_said=False)),
    ],
)
def test_what_a_line_asks_for(line: str, others_ask: bool, slots: int, learnt: int | None, expected: Ask) -> None:
    options, fault = read_options(line)
    assert fault is None
    assert ask_of(options, somebody_asks=others_ask, slots=slots, learnt=learnt) == expected


def test_memory_of_no_device_is_a_fault() -> None:
    assert read_options("gpus=0, gpu_memory=8GB")[1] == "gpu_memory is memory of a device, and gpus=0 asks for none"
    assert ModelOptions(gpu_memory="auto", gpus=1).describe() == "gpus=1, gpu_memory=auto"


def test_a_run_that_says_nothing_is_told_how_to_do_without() -> None:
    refused = Allotment([device("0", p4711=ANNA)]).take(Ask(None, is_said=False), "m.py:a")
    assert reason(refused).endswith("(`gpus=0` in models.config if it needs none)")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auto", ["GPU-0", "GPU-1", "GPU-2"]),
        ("none", []),
        ("0", []),
        ("2", ["GPU-0", "GPU-1"]),
        ("0, 2", ["GPU-0", "GPU-2"]),
        ("1,", ["GPU-1"]),
        ("GPU-2", ["GPU-2"]),
    ],
)
def test_the_setting_names_devices(setting: str, expected: list[str]) -> None:
    found, fault = chosen(read_setting(setting), [device("0"), device("1"), device("2")])
    assert ([each.uuid for each in found], fault) == (expected, "")


def test_the_setting_may_name_what_is_not_there_or_make_no_sense() -> None:
    assert "there is no device '7'" in chosen("0, 7", [device("0")])[1]
    with pytest.raises(ValueError, match="a list of one"):
        read_setting("all of them")


class Story:
    """An inventory, and what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.inventory = Inventory(lambda text, level: self.said.append(f"{level} {text}"), "me")

    def see(self, *devices: Device, holds: tuple[Hold, ...] = (), now: float = 0.0, trouble: str = "") -> None:
        self.inventory.observe(Seen(devices, trouble), holds, set(), now)

    def take(self, *holds: Hold) -> object:
        known = list(self.inventory.known.values())
        return self.inventory.allotment(known, holds, set()).take(ONE, "m.py:next")


HELD = Hold("GPU-0", "m.py:a", None)


def test_a_device_that_a_run_left_full_is_kept_out_and_named_once_until_it_is_empty() -> None:
    story = Story()
    story.see(device())
    story.see(device(used=9.0), holds=(HELD,))
    story.inventory.release("GPU-0", "m.py:a", 10.0)
    story.see(device(used=3.2), now=10.0)
    assert "GPU 0 still holds 3.2 GB after m.py:a ended" in reason(story.take())
    assert story.said == [], "its memory may be free in a moment"
    for more in range(3):
        story.see(device(used=3.2, p12=Process(3 * GB, "python", "me")), now=10.0 + SETTLING_SECONDS + more)
    told = "GPU 0 still holds 3.2 GB after m.py:a ended: process 12 (python, user me, 3.0 GB)"
    assert story.said == [f"WARNING {told}: it is not handed out before that is free"]
    assert told in reason(story.take())
    story.see(device(), now=20.0)
    assert uuids(story.take()) == ["GPU-0"]
    assert story.said[1:] == ["INFO GPU 0 no longer holds what m.py:a left"]


def test_what_comes_free_in_time_is_never_spoken_of() -> None:
    story = Story()
    story.see(device())
    story.inventory.release("GPU-0", "m.py:a", 10.0)
    story.see(device(used=3.2), now=10.0)
    assert story.inventory.is_settling
    story.see(device(), now=10.1)
    assert not story.inventory.is_settling
    assert uuids(story.take()) == ["GPU-0"]
    assert story.said == []


def test_somebody_else_who_came_meanwhile_is_no_leak() -> None:
    story = Story()
    story.see(device())
    story.inventory.release("GPU-0", "m.py:a", 10.0)
    story.see(device(used=12.4, p4711=ANNA), now=10.0 + SETTLING_SECONDS)
    assert story.said == []
    assert "is used by process 4711" in reason(story.take())


def test_a_device_may_go_and_come_back() -> None:
    story = Story()
    story.see(device("0"), device("1"))
    story.see(device("1"), holds=(HELD,))
    story.see(device("1"), holds=(HELD,))
    assert story.said == [
        "WARNING GPU 0 (fake) is gone while m.py:a trains on it: that goes on, and nothing else gets it"
    ]
    assert uuids(story.take(HELD)) == ["GPU-1"]
    story.see(device("1"))
    story.see(device("0"), device("1"))
    assert story.said[1:] == ["INFO GPU 0 is back"]
    assert uuids(story.take()) == ["GPU-0"]


def test_no_driver_is_nothing_odd_and_other_trouble_is_said_once() -> None:
    story = Story()
    story.see(trouble=NO_DRIVER)
    story.see(trouble="no GPU can be seen: X")
    story.see(trouble="no GPU can be seen: X")
    assert story.said == ["WARNING no GPU can be seen: X"]
