"""A newer model takes the place of the one that answers, and no request notices; a damaged one does not."""

from __future__ import annotations

import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx

from mlpipeline.ledger import Ledger
from mlpipeline.project import Project
from mlpipeline.run import Cause, State
from tests.integration.serving.conftest import GENEROUS_SECONDS, ROW, Server, save, until
from tests.unit.sample_runs import sample_attempt, sample_run

Start = Callable[..., Server]


def test_no_request_fails_while_models_are_exchanged(start: Start, tmp_path: Path) -> None:
    place = save(tmp_path / "a", "yes")
    server = start("votes=a")
    seen: Counter[tuple[int, str]] = Counter()
    is_over = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=server.url, timeout=GENEROUS_SECONDS) as client:
            while not is_over.is_set():
                found = client.post("/votes/predict", json=[ROW])
                told = found.json()
                # The run that is named is the one that has answered.
                seen[found.status_code, f"{told.get('run')} {told.get('predictions')}"] += 1

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for answer in ("no", "perhaps", "yes", "no"):
                save(place, answer)
                until(lambda answer=answer: server.predict() == answer, f"an answer of {answer}")
        finally:
            is_over.set()
        for each in asking:
            each.result()
    assert set(seen) == {(200, f"{answer} ['{answer}']") for answer in ("yes", "no", "perhaps")}


def test_a_damaged_model_is_said_and_not_taken(start: Start, tmp_path: Path) -> None:
    place = save(tmp_path / "a", "yes")
    server = start("votes=a", "--poll", "3600")
    newer = save(tmp_path / "newer", "no")
    (newer / "estimator.json").write_text("{}")
    shutil.rmtree(place)
    newer.rename(place)
    server.signal(signal.SIGHUP)
    until(lambda: "is refused, the one before goes on answering" in server.log.read_text(), "a word of refusal")
    assert "estimator.json" in server.log.read_text()
    assert server.predict() == "yes"
    metrics = server.client.get("/metrics").text
    assert 'mlpipeline_swaps_total{model="votes",outcome="refused"} 1.0' in metrics
    save(place, "no")
    server.signal(signal.SIGHUP)
    until(lambda: server.predict() == "no", "the mended model")


def test_a_model_that_is_gone_goes_on_answering(start: Start, tmp_path: Path) -> None:
    place = save(tmp_path / "a", "yes")
    server = start("votes=a")
    shutil.rmtree(place)
    until(lambda: "cannot be looked for" in server.log.read_text(), "a word that it is gone")
    assert server.predict() == "yes"
    save(place, "no")
    until(lambda: server.predict() == "no", "the model that came back")


def test_the_next_best_of_a_project_answers_where_the_best_is_damaged(start: Start, tmp_path: Path) -> None:
    project = Project.load(tmp_path)
    places = {}
    project.runs_dir.mkdir(parents=True)
    with closing(Ledger.open(project.ledger_path)) as ledger:
        for suffix, answer in (("aaaaaa", "yes"), ("bbbbbb", "no")):
            attempt = sample_attempt(f"20261121-040406-{suffix}", 1, State.SUCCEEDED, Cause.NONE)
            run = sample_run(suffix, attempt, model="votes.py")
            ledger.import_run(run)
            places[answer] = save(project.runs_dir / run.id / "1" / "artefact", answer)
    (places["no"] / "estimator.json").write_text("{}")
    server = start("votes")
    assert server.predict() == "yes"
    assert f"({places['no']}) is refused, {places['yes']} answers instead" in server.log.read_text()
