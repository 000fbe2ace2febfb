"""Jobs outlive what their rounds meet, and health says what is not well."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from ballotbox.worker import FAULT, MAX_PAUSE_S, Job
from tests.support.ballot_box import Box
from tests.support.voting import OPENS
from wallet.adapters.sql.engine import open_engine, sqlite_url, write
from wallet.ports.facts import ChainUnavailable


class Rounds:
    """Rounds that raise what is put before them."""

    def __init__(self, *raises: Exception | None) -> None:
        self.left = list(raises)
        self.counted: list[tuple[str, str]] = []
        self.done = threading.Event()

    def round(self) -> None:
        if not self.left:
            self.done.set()
            return
        error = self.left.pop(0)
        if error is not None:
            raise error

    def count(self, job: str, code: str) -> None:
        self.counted.append((job, code))

    def job(self, interval_s: float = 1.0) -> Job:
        return Job("board", self.round, interval_s=interval_s, count=self.count)


def test_a_round_that_fails_is_named_and_waited_for_longer_each_time() -> None:
    rounds = Rounds(*[ChainUnavailable("away")] * 8)
    job = rounds.job()
    pauses = [job.run_once() for _ in range(9)]
    assert pauses == [2, 4, 8, 16, MAX_PAUSE_S, MAX_PAUSE_S, MAX_PAUSE_S, MAX_PAUSE_S, 1]
    assert job.failing is None
    assert rounds.counted == [("board", "chain_unavailable")] * 8


def test_a_fault_is_logged_by_its_place_and_not_by_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rounds = Rounds(RuntimeError("a resident's name"))
    job = rounds.job()
    with caplog.at_level(logging.WARNING):
        job.run_once()
        assert job.failing == FAULT
        job.run_once()
    assert job.failing is None
    assert "RuntimeError at " in caplog.text
    assert "resident" not in caplog.text


def test_the_thread_goes_on_after_a_fault_until_it_is_stopped() -> None:
    rounds = Rounds(RuntimeError("a fault"), ChainUnavailable("away"))
    job = rounds.job(interval_s=0.001)
    job.start()
    assert rounds.done.wait(10)
    job.ask_to_stop()
    job.wait()
    assert job.failing is None
    assert [code for _, code in rounds.counted] == [FAULT, "chain_unavailable"]


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    made = Box(sqlite_url(tmp_path_factory.mktemp("box") / "box.db"))
    yield made
    made.application.close()


def test_says_that_all_is_well_and_how_far_the_board_is(box: Box) -> None:
    box.open()
    client = box.application.flask_app.test_client()
    health = client.get("/healthz")
    size = box.box.board.published_size()
    assert health.get_json() == {"status": "ok", "codes": [], "size": size, "checkpoint": 1}
    assert client.get("/readyz").get_json() == {"status": "ready"}


def test_a_job_that_fails_and_a_database_that_is_away_are_named(box: Box) -> None:
    client = box.application.flask_app.test_client()
    (clock,) = box.application.jobs
    box.clock.set(OPENS + 10**6)
    clock.run_once()
    failing = client.get("/healthz")
    assert (failing.status_code, failing.get_json()["codes"]) == (503, ["ceremony_failed"])
    # A ceremony that failed keeps nobody from asking.
    assert client.get("/readyz").status_code == 200
    assert b'code="ceremony_failed",job="clock"' in client.get("/metrics").data
    engine = open_engine(box.url)
    with write(engine) as connection:
        connection.exec_driver_sql("DROP TABLE ballotbox_boards")
    engine.dispose()
    away = client.get("/healthz")
    assert (away.status_code, away.get_json()["codes"]) == (503, ["storage_unavailable"])
    assert client.get("/readyz").status_code == 503
