"""What pages show, and what is not let through."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest

from mlpipeline import requests
from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from tests.unit.sample_runs import sample_run

from .conftest import Ask

RUN, FAILED, LIVE = (f"20261121-040406-{letter * 6}" for letter in "abc")


def test_every_page_shows_names_as_text(ask: Ask) -> None:
    for path in ("/", "/models", "/compare", f"/compare?run={RUN}&run={FAILED}", f"/runs/{FAILED}"):
        found = ask("GET", path)
        assert found.status_code == 200, found.text
        assert "<script>alert" not in found.text
        assert "\x1b" not in found.text
        assert "&lt;script&gt;alert(1)" in found.text


def test_the_queue_says_that_no_scheduler_runs_and_what_was_running(ask: Ask) -> None:
    page = ask("GET", "/").text
    assert "The scheduler is not running on here" in page
    assert '<span class="pill lost">LOST</span>' in page  # its processes are gone: the ledger says that it runs
    assert "1 lost: the processes are gone; the next scheduler tries again." in page
    assert "digits.py:<wbr>deep" in page


def test_a_run_is_shown_with_what_is_recorded(ask: Ask) -> None:
    page = ask("GET", f"/runs/{RUN}").text
    for told in ("digits.py:wide", "0.9722", "hidden", "output.log", "succeeded"):
        assert told in page
    found = ask("GET", f"/runs/{RUN}/curves").json()["loss"]
    assert (found["x"], found["points"], found["odd"]) == ([1, 2, 3, 4, 5], 5, 0)


def test_values_that_are_no_number_are_counted_and_not_drawn(ask: Ask, project: Project) -> None:
    path = project.runs_dir / RUN / "1" / "metrics.jsonl"
    path.write_text('{"step": 1, "values": {"loss": "nan"}}\n{"step": 2, "values": {"loss": 0.5}}\n{"step": 3, "val')
    found = ask("GET", f"/runs/{RUN}/curves").json()["loss"]
    assert (found["x"], found["y"], found["odd"]) == ([2], [0.5], 1)


@pytest.mark.parametrize("name", ["20261121", "20261121-040406-zzzzzz", "x", "%2e%2e", "digits.py", f"{RUN}.7"])
def test_a_run_has_one_address(ask: Ask, name: str) -> None:
    assert ask("GET", f"/runs/{name}").status_code == 404
    assert ask("GET", f"/live/runs/{name}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../../../../mlp.config",
            "..%2f..%2f..%2f..%2f..%2fmlp.config",
            "%2e%2e/1/output.log",
            "/etc/passwd",
            "%2fetc%2fpasswd",
        ),
        *("link", "directory", "directory/inside", "absent", "", "output.log%00"),
    ],
)
def test_only_plain_files_of_the_attempt_are_given_out(ask: Ask, project: Project, name: str) -> None:
    directory = project.runs_dir / RUN / "1"
    (directory / "link").symlink_to(project.config_path)
    (directory / "directory").mkdir()
    (directory / "directory" / "inside").write_text("secret")
    found = ask("GET", f"/runs/{RUN}/files/{name}")
    assert found.status_code == 404
    assert "host = here" not in found.text


def test_a_file_is_given_out_to_be_kept(ask: Ask, project: Project) -> None:
    (project.runs_dir / RUN / "1" / "page.html").write_text("<script>alert(1)</script>")
    found = ask("GET", f"/runs/{RUN}/files/page.html")
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"].startswith("attachment")


def test_a_deleted_outputs_directory_is_said(ask: Ask, project: Project) -> None:
    import shutil

    shutil.rmtree(project.runs_dir)
    page = ask("GET", f"/runs/{RUN}").text
    assert "The files of this run are gone." in page
    assert ask("GET", "/").status_code == 200
    assert ask("GET", f"/runs/{RUN}/curves").json() == {}


def test_a_ledger_of_a_newer_release_is_said(ask: Ask, project: Project) -> None:
    with closing(Ledger.open(project.ledger_path)) as ledger:
        ledger.connection.execute("PRAGMA user_version = 999")
    found = ask("GET", "/", headers={"accept": "text/html"})
    assert found.status_code == 503
    assert "newer" in found.text


def test_looking_changes_no_byte_but_of_sqlites_own_companions(ask: Ask, project: Project) -> None:
    def content() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in project.root.rglob("*")
            if path.is_file() and "ledger" not in path.name
        }

    before = content()
    for path in ("/", "/models", "/machine", "/compare", f"/runs/{RUN}", f"/runs/{RUN}/details", "/metrics"):
        assert ask("GET", path).status_code == 200
    assert content() == before


def test_what_is_asked_is_a_request_like_any_other(ask: Ask, project: Project) -> None:
    wishes = [
        *(("cancel", {"target": LIVE}), ("retry", {"target": FAILED}), ("hold", {"target": "digits.py:wide"})),
        *(("now", {"target": "faces.py"}), ("pause", {"target": ""}), ("note", {"target": RUN, "text": " good "})),
        ("tag", {"target": RUN, "add": ["paper"]}),
    ]
    for action, content in wishes:
        found = ask("POST", f"/actions/{action}", json=content).json()
        assert (found["state"], "not running" in found["message"]) == ("accepted", True)
    asked = [(each.action, each.target) for each in requests.pending(project)]
    assert asked == [(action, content["target"]) for action, content in wishes]
    assert dict(requests.pending(project)[-2].options) == {"text": "good"}


@pytest.mark.parametrize(
    ("action", "content"),
    [
        *(
            ("stop", {}),
            ("record", {"target": "x"}),
            ("hold", {}),
            ("hold", {"target": 7}),
            ("hold", {"target": "x" * 20_000}),
        ),
        *(
            ("note", {"target": RUN, "text": " "}),
            ("tag", {"target": RUN, "add": ["two words"]}),
            ("tag", {"target": RUN, "add": 1}),
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(ask: Ask, project: Project, action: str, content: dict[str, object]) -> None:
    assert ask("POST", f"/actions/{action}", json=content).status_code in (400, 404)
    assert requests.pending(project) == []


def test_a_body_that_is_none_is_refused(ask: Ask) -> None:
    headers = {"content-type": "application/json"}
    for body, status in ((b"{", 400), (b"[]", 400), (b"[" * 100_000, 400), (b" " * (1 << 21), 413)):
        assert ask("POST", "/actions/hold", content=body, headers=headers).status_code == status


def test_the_list_is_put_into_another_order_and_back(ask: Ask, project: Project) -> None:
    from mlpipeline import selection

    before = project.models_config.read_bytes()
    digest = selection.read(project, test=False).digest
    order = {"order": ["faces.py", "digits.py"], "digest": digest}
    assert ask("POST", "/order", json=order).json()["state"] == "done"
    assert [each.model for each in selection.read(project, test=False).models] == order["order"]
    assert ask("POST", "/order", json=order).status_code == 409  # it is of the list as it was
    assert ask("POST", "/order/undo", json={}).json()["state"] == "done"
    assert project.models_config.read_bytes() == before


def test_metrics_are_for_prometheus(ask: Ask) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    found = {each.name: each for each in text_string_to_metric_families(ask("GET", "/metrics").text)}
    runs = {sample.labels["state"]: sample.value for sample in found["mlpipeline_runs"].samples}
    assert (runs["succeeded"], runs["failed"], runs["running"], runs["lost"]) == (1, 1, 1, 0)
    assert found["mlpipeline_scheduler_up"].samples[0].value == 0


def test_long_curves_are_not_read_again_at_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlpipeline.dashboard.pages import run as run_page

    clock = [100.0]
    monkeypatch.setattr(run_page.time, "monotonic", lambda: clock[0])

    def slowly(*_: object) -> dict[str, object]:
        clock[0] += 2.0  # as a million values take
        return {}

    monkeypatch.setattr(run_page.curves, "of_run", slowly)
    run, attempt = run_page.find(project, RUN)
    found = run_page.Curves(project.root)
    assert found.changed(run) == {}
    with (project.root / attempt.directory / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9, "values": {"loss": 0.1}}\n')
    assert found.changed(run) is None
    clock[0] += 41.0
    assert found.changed(run) == {}
    assert found.changed(run) is None


def test_a_run_that_is_lost_is_called_so_wherever_runs_are_listed(ask: Ask) -> None:
    for path in ("/compare", "/models", f"/runs/{LIVE}"):
        assert '<span class="pill lost">LOST</span>' in ask("GET", path).text


def test_what_a_run_recorded_last_is_shown_before_it_ends(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlpipeline.observe import activity

    monkeypatch.setattr(activity, "lock_holder", lambda path: 1 if LIVE in str(path) else None)
    for path in ("/", "/compare", "/models", f"/runs/{LIVE}"):
        page = ask("GET", path).text
        assert "loss 0.2" in page or "<dt>loss</dt><dd>0.2</dd>" in page
        assert "LOST" not in page
        assert "What is running goes on without a scheduler" in page


def tag(project: Project, run: str, *tags: str) -> None:
    with (project.runs_dir / run / "tags.jsonl").open("a") as file:
        file.write(json.dumps({"add": list(tags)}) + "\n")


def test_runs_are_compared_by_tag(ask: Ask, project: Project) -> None:
    tag(project, RUN, "paper", "old")
    tag(project, LIVE, "paper")
    listed = ask("GET", "/compare").text
    assert 'href="/compare?tag=paper&amp;by=run"' in listed
    both, one = (ask("GET", f"/compare?{tags}&by=run").text for tags in ("tag=paper", "tag=paper&tag=old"))
    assert (both.count('<th scope="row">'), one.count('<th scope="row">')) == (2, 1)
    assert 'name="tag" value="paper"' in both
    assert "There is no such run." in ask("GET", "/compare?tag=none&by=run").text
    assert ask("GET", "/compare?tag=old").text.count('name="run"') == 1


def test_the_trials_of_a_search_are_compared_by_its_metric(ask: Ask, project: Project) -> None:
    trials = [
        replace(
            sample_run(f"trial{number}", version=f"trial-{number}", params={"rate": number}), params_digest=str(number)
        )
        for number in range(1, 4)
    ]
    trials = [
        replace(run, attempts=(replace(run.last, metrics={"search": {"cost": place}}),))
        for place, run in enumerate(trials)
    ]
    with closing(Ledger.open(project.ledger_path)) as ledger:
        ledger.import_runs(trials)
    directory = project.study_dir("digits.py")
    directory.mkdir(parents=True)
    for number in range(1, 4):
        trial = {"study": "abcdef", "drawn": {"rate": number}, "params": {"rate": number}, "params_digest": "x"}
        (directory / f"{number}.json").write_text(json.dumps({**trial, "metric": "cost", "direction": "minimize"}))
    listed = ask("GET", "/compare").text
    assert "Search of digits.py (3 trials)" in listed
    found = ask("GET", "/compare?study=abc&model=digits.py").text
    assert "by cost, minimize" in found
    assert found.count('<th scope="row">') == 3
    assert found.index("trial-1") < found.index("trial-2") < found.index("trial-3")
    assert ask("GET", "/compare?study=none&model=digits.py").status_code == 404


def test_a_disk_that_is_full_is_said(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(requests.wire, "write_json", full)
    found = ask("POST", "/actions/hold", json={"target": "digits.py"})
    assert (found.status_code, "No space left on device" in found.json()["message"]) == (409, True)
