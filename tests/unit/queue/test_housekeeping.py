"""What keeping house decides, from facts that a test makes up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mlpipeline.queue.housekeeping import Facts, Item, Keep, Kind, Piece, SetAside, decide, is_leftover, is_set_aside
from mlpipeline.run import BY_HAND, Run, State
from tests.unit.sample_runs import NOW, run_in

DAY_NS = 86_400 * 10**9
NOW_NS = int(NOW.timestamp() * 1e9)


def piece(path: str, days_old: float = 10, size: int = 1) -> Piece:
    return Piece(path=path, bytes=size, inode=1, modified_ns=NOW_NS - int(days_old * DAY_NS))


def run(letter: str, state: State = State.SUCCEEDED, **changes: object) -> Run:
    """Returns a run; those of later letters were created later."""
    made = run_in(state, letter * 6)
    return replace(made, created_at=NOW - timedelta(hours=26 - (ord(letter) - ord("a"))), **changes)  # type: ignore[arg-type]


def facts(*runs: Run, **more: object) -> Facts:
    files = {each.id: [piece(f"runs/{each.id}/1/output.log"), piece(f"runs/{each.id}/1/spec.json")] for each in runs}
    return Facts(runs=runs, files=files, **more)  # type: ignore[arg-type]


def gone(items: list[Item]) -> list[str]:
    return [item.piece.path for item in items]


def letters(items: list[Item]) -> str:
    return "".join(item.run[-1] for item in items if item.kind is Kind.RUNS)


def test_without_keys_everything_of_runs_checkpoints_and_logs_stays() -> None:
    aside = SetAside(piece=piece("model_dirs/m-v.old-ab-cd"))
    assert decide(facts(run("a"), run("b"), set_aside=[aside], rotated=[piece("log-here.1")]), Keep(), NOW) == []


def test_older_runs_lose_what_is_bulky_and_keep_what_a_rebuild_needs() -> None:
    found = decide(facts(run("b"), run("a"), run("c")), Keep(runs=2), NOW)
    assert gone(found) == [f"runs/{run('a').id}/1/output.log"]


def test_each_version_and_each_seed_has_newest_runs_of_its_own() -> None:
    runs = run("a"), run("b", version="deep"), run("c", replicate=1), run("d", model="other.py"), run("e")
    assert letters(decide(facts(*runs), Keep(runs=1), NOW)) == "a"


def test_what_lives_what_is_pinned_and_the_newest_success_stay_whole() -> None:
    failed = [run(letter, State.FAILED) for letter in "def"]
    runs = [run("a"), run("b"), run("c", State.SUCCEEDED), *failed, run("g", State.RUNNING), run("h", State.SUBMITTED)]
    found = decide(facts(*runs, pinned=frozenset({runs[0].id, failed[1].id})), Keep(runs=0), NOW)
    assert letters(found) == "bdf"


def aside(suffix: str, run_id: str = "", days_old: float = 10, of: str = "m-v", fingerprint: str = "x") -> SetAside:
    return SetAside(piece=piece(f"model_dirs/{of}.old-{suffix}", days_old), run=run_id, fingerprint=fingerprint, seed=7)


def test_set_aside_directories_go_oldest_first_for_each_model_directory() -> None:
    asides = [
        aside("ab-cd", "20261121-040406-zzzzzz", 1),
        aside("ab-cd.2", "20261120-040406-zzzzzz", 0.1),  # a copy has a young file time: the run's id says when
        aside("unknown", "", 100),
        aside("ab-ce", "20261121-040406-zzzzzz", 1, of="m-w"),
    ]
    kept_one = decide(facts(set_aside=asides), Keep(checkpoints=1), NOW)
    assert gone(kept_one) == ["model_dirs/m-v.old-ab-cd.2", "model_dirs/m-v.old-unknown"]
    assert len(decide(facts(set_aside=asides), Keep(checkpoints=0), NOW)) == 4


def test_set_aside_directories_of_one_second_go_by_their_file_times() -> None:
    asides = [aside("ab-cd", "20261121-040406-zzzzzz", 2), aside("ab-ce", "20261121-040406-aaaaaa", 1)]
    assert gone(decide(facts(set_aside=asides), Keep(checkpoints=1), NOW)) == ["model_dirs/m-v.old-ab-cd"]


def test_the_weights_of_runs_that_stay_whole_stay() -> None:
    best, pinned, other = run("a"), run("b", State.FAILED, code_digest="e" * 16), run("c", State.FAILED)
    asides = [
        aside("aa-aa", best.id),
        aside("aa-ab", pinned.id),
        aside("aa-ac", other.id),
        aside("aa-ad", "gone", fingerprint=f"{pinned.code_digest}-{pinned.params_digest}"),
        aside("aa-ae", "of-another-host"),
    ]
    known = facts(
        best, pinned, other, pinned=frozenset({pinned.id}), set_aside=asides, elsewhere=frozenset({"of-another-host"})
    )
    assert gone(decide(known, Keep(checkpoints=0), NOW)) == ["model_dirs/m-v.old-aa-ac"]


def test_a_model_directory_in_use_is_never_taken_for_one_set_aside() -> None:
    odd = aside("ab-cd")
    assert is_set_aside(odd.piece.name)
    assert decide(facts(run("a", model_dir="m-v.old-ab-cd"), set_aside=[odd]), Keep(checkpoints=0), NOW) == []
    assert not is_set_aside("a.old-b.py-v1")


def fit(letter: str, state: State = State.SUCCEEDED) -> Run:
    made = run(letter, state, model_dir=f"m-v~by-hand-0000000{letter}")
    return replace(made, attempts=(replace(made.last, executor=BY_HAND),))


def test_directories_of_fits_by_hand_go_but_for_the_newest_of_a_version() -> None:
    fits = [fit("a"), fit("b", State.FAILED), fit("c"), fit("d", State.LOST)]
    pieces = [piece(f"model_dirs/{each.model_dir}", days_old=9 - n) for n, each in enumerate(fits)]
    asides = [SetAside(piece=each, run=of.id) for each, of in zip(pieces, fits, strict=True)]
    asides.append(SetAside(piece=piece("model_dirs/m-v~by-hand-0000000e"), run="not-recorded-yet"))
    known = facts(*fits, set_aside=[*asides, aside("ab-cd")], elsewhere=frozenset({"not-recorded-yet"}))
    ids = [each.id for each in fits]
    assert [item.run for item in decide(known, Keep(checkpoints=1), NOW)] == [ids[1], ids[0]], "c succeeded last"
    assert decide(known, Keep(), NOW) == []


def test_a_fit_by_hand_takes_no_place_of_the_queues_newest_success() -> None:
    assert letters(decide(facts(run("a"), run("b"), fit("c"), fit("d")), Keep(runs=0), NOW)) == "ac"


def test_rotated_logs_go_until_the_total_is_small_enough() -> None:
    logs = [piece("log-here", 0, 600_000)]
    rotated = [piece("log-here.2", 9, 600_000), piece("log-here.1", 5, 600_000), piece("output-here.1", 7, 600_000)]
    known = facts(logs=logs, rotated=rotated)
    assert gone(decide(known, Keep(logs_mb=1.5), NOW)) == ["log-here.2", "output-here.1"]
    assert gone(decide(known, Keep(logs_mb=0), NOW)) == ["log-here.2", "output-here.1", "log-here.1"]


def test_logs_that_can_hold_what_a_live_run_said_stay() -> None:
    live = run("a", State.RUNNING)
    rotated = [piece("log-here.2", 9), piece("log-here.1", 0)]
    assert gone(decide(facts(live, rotated=rotated), Keep(logs_mb=0), NOW)) == ["log-here.2"]


def test_copied_sources_go_when_nothing_names_them_and_they_are_old() -> None:
    sources = [piece("sources/aa"), piece("sources/bb"), piece("sources/cc", 0.9)]
    assert gone(decide(facts(sources=sources, referenced=frozenset({"aa"})), Keep(), NOW)) == ["sources/bb"]


def test_unfinished_files_go_after_a_day_and_answers_when_they_are_due() -> None:
    known = facts(parts=[piece("a.json.12.part", 1.1), piece("b.json.12.part", 0.9)], answers=[piece("c.answer.json")])
    assert gone(decide(known, Keep(), NOW)) == ["a.json.12.part", "c.answer.json"]


def test_leftovers_are_known_by_names_that_only_mlpipeline_gives() -> None:
    ours = [
        "status-here.json.123.part",
        ".mlpipeline.json.7.part",
        "ledger-here.db.part-wal",
        "20261121T040506.000001Z-0a1b2c3d.part",
        "checkpoint-000010.2.part",
        ".0123456789abcdef01234567-x_1",
        ".gc-0a1b2c3d.part",
        ".artefact-0a1b2c3d.part",
    ]
    assert [name for name in ours if not is_leftover(name)] == []
    theirs = ["film.part", "notes.json.part", "checkpoint-000010.saved", ".hidden", "log-here.1"]
    assert [name for name in theirs if is_leftover(name)] == []
