"""Verifiers over one database: whoever handed a request out still knows it, the database decides.

Each desk is composed by itself, as a process is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.desk import Desk
from tests.support.verifier_twin import open_again, save_keys
from verifier.sessions import PresentationSessions
from wallet.adapters.sql.engine import open_engine
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.ports.sessions import SessionUnknown
from wallet.protocols.oid4vp_session import Requested, SessionNotFetched


@pytest.fixture
def other(desk: Desk) -> Iterator[Desk]:
    save_keys(desk)
    opened = open_again(desk.folder, "other")
    yield opened
    opened.verifier.close()


@pytest.fixture
def store(desk: Desk) -> Iterator[SqlSessionStore]:
    engine = open_engine(desk.config.database_url)
    yield SqlSessionStore(engine)
    engine.dispose()


def test_a_request_handed_out_by_one_is_answered_at_the_other(desk: Desk, other: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    told = other.decide(opened, request, {"card": [desk.card(request)]})
    assert told["outcome"] == "accepted"


def test_an_answer_that_the_other_took_is_refused_where_the_request_was_handed_out(
    desk: Desk, other: Desk
) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    card = desk.card(request)
    assert other.post(request, {"card": [card]}).status_code == 200
    for _ in range(2):
        again = desk.post(request, {"card": [card]})
        assert (again.status_code, again.get_json()["code"]) == (400, "invalid_request")
    assert desk.result(opened).get_json()["state"] == "answered"
    assert desk.result(opened).get_json()["credentials"] is None


def test_whoever_handed_it_out_asks_the_database_how_it_stands(desk: Desk, other: Desk) -> None:
    opened = desk.ask()
    request = desk.fetch(opened)
    assert desk.result(opened).get_json()["state"] == "fetched"
    other.post(request, {"card": [desk.card(request)]})
    assert desk.result(opened).get_json()["credentials"] is not None


class TestWhatIsRemembered:
    """A session that waits for its answer is known without asking the database, for its time."""

    def test_no_longer_than_the_answer_is_waited_for(self, desk: Desk) -> None:
        opened = desk.ask()
        request = desk.fetch(opened)
        card = desk.card(request)
        desk.clock.set(desk.clock.now() + desk.config.answer_ttl_s)
        late = desk.post(request, {"card": [card]})
        assert (late.status_code, late.get_json()["code"]) == (400, "invalid_request")
        assert desk.result(opened).status_code == 404

    def test_no_more_than_so_many_and_the_database_knows_the_others(
        self, desk: Desk, store: SqlSessionStore
    ) -> None:
        known, now = PresentationSessions(store, max_waiting=1), desk.clock.now()
        fetched = {}
        for opened in (desk.ask(), desk.ask()):
            session, version = known.load(opened["request_id"], now=now)
            assert isinstance(session, Requested)
            fetched[opened["request_id"]] = session.fetch(
                nonce="nonce", state=opened["request_id"], now=now, answer_ttl_s=60
            )
            known.advance(
                opened["request_id"],
                fetched[opened["request_id"]],
                expected_version=version,
                expires_at=now + 60,
            )
        loaded = {name: known.load_waiting(name, now=now) for name in fetched}
        assert loaded == {name: (session, 2) for name, session in fetched.items()}

    def test_of_a_session_that_waits_for_nothing_nothing(
        self, desk: Desk, store: SqlSessionStore
    ) -> None:
        known, now = PresentationSessions(store), desk.clock.now()
        opened = desk.ask()
        with pytest.raises(SessionNotFetched):
            known.load_waiting(opened["request_id"], now=now)
        with pytest.raises(SessionUnknown):
            known.load_waiting("never-opened", now=now)
