"""After a grant: a change of the evidence is noticed, told once, signed and retried."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.support.bulk import CARD, CARD_CLAIMS, CARD_NOW, BulkBench
from tests.support.evidence_bench import STATUS_INDEX, EvidenceBench, noon
from tests.support.programmes import boundary_data, programme
from verifier.metrics import Metrics
from verifier.recheck.delivery import LEASE_S, MAX_ATTEMPTS, RETRY_AFTER_S, WebhookDelivery
from verifier.recheck.endpoints import (
    WebhookEndpoint,
)
from verifier.recheck.records import Standing
from verifier.recheck.worker import Recheck
from verifier.storage.receipt_tables import WATCHES, WEBHOOKS
from verifier.storage.recheck import SqlRecheckRecords
from wallet.adapters.sql.engine import open_engine, read, sqlite_url
from wallet.evidence import FactSources
from wallet.ports.webhooks import WebhookUndeliverable
from wallet.protocols.standard_webhooks import verify_webhook
from wallet.status.token_status_list import INVALID, SUSPENDED, VALID

ALLOWANCE = programme("youth-allowance@2023")
CLAIMS = boundary_data()[ALLOWANCE.name]["claims"]
NOW = noon(date.fromisoformat(boundary_data()[ALLOWANCE.name]["on"]))
HOUR = 3600
SECRET = b"a synthetic secret of an agency."
COUNTED = "seoul_verifier_webhook"
ENDPOINT = WebhookEndpoint("agency", "https://hooks.example/in", (SECRET,))


@dataclass
class Receiver:
    """`ports.webhooks.WebhookSender` to an agency that answers as it is told, and keeps all."""

    status: int | None = 204
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        assert url == ENDPOINT.url
        if self.status is None:
            raise WebhookUndeliverable("no answer")
        self.got.append((body, dict(headers)))
        return self.status


class Agency:
    """A verifier that grants, its worker and its delivery."""

    def __init__(self, folder: Path, now: int = NOW) -> None:
        self.bench = EvidenceBench(now)
        self.bulk = BulkBench(folder, self.bench)
        self.clock = self.bulk.clock
        self.engine: Engine = open_engine(sqlite_url(folder / "verifier.db"))
        self.records = SqlRecheckRecords(self.engine)
        self.receiver = Receiver()
        self.metrics = Metrics()

    def grant(self) -> str:
        """Grant the allowance to a synthetic person; return the receipt's id."""
        _, told = self.bulk.answer(ALLOWANCE, CLAIMS)
        assert told["decision"]["outcome"] == "eligible", told
        found: str = told["decision_receipt"]["id"]
        return found

    def set_status(self, status: int) -> None:
        """Let the issuer publish a list as of now in which everything has this status."""
        now = self.clock.now()
        token = self.bench.status_list(now, {STATUS_INDEX: status})
        self.bench.status_lists.publish(self.bench.status_uri, token)

    def look(self, after_s: int = HOUR, *endpoints: WebhookEndpoint) -> int:
        """Let time pass and the worker look; return how much it found changed."""
        self.clock.set(self.clock.now() + after_s)
        sources = FactSources(self.bench.dids, self.bench.status_lists, self.bench.replica)
        return Recheck(
            self.records,
            sources,
            self.clock,
            endpoints=endpoints or (ENDPOINT,),
            interval_s=HOUR,
        ).run_once()

    def deliver(self, after_s: int = 0, *endpoints: WebhookEndpoint) -> int:
        """Let time pass and what is due be sent; return how much was delivered."""
        self.clock.set(self.clock.now() + after_s)
        return WebhookDelivery(
            self.records,
            self.receiver,
            self.clock,
            endpoints=endpoints or (ENDPOINT,),
            metrics=self.metrics,
        ).run_once()

    def counted(self) -> dict[str, float]:
        """Return what the metrics say of webhooks."""
        lines = self.metrics.exposition().decode().splitlines()
        # When a counter was made is told as well, and is another each time.
        counted = [line for line in lines if line.startswith(COUNTED) and "_created" not in line]
        pairs = [line.rsplit(" ", 1) for line in counted]
        return {name.removeprefix(COUNTED): float(value) for name, value in pairs}

    def events(self) -> list[tuple[str, str]]:
        """Return type and receipt of everything that was received."""
        found = [json.loads(body) for body, _ in self.receiver.got]
        assert all(set(item) == {"type", "timestamp", "data"} for item in found)
        assert all(set(item["data"]) == {"receipt"} for item in found)
        return [(item["type"], item["data"]["receipt"]) for item in found]

    def rows(self, table: Any) -> list[Any]:
        with read(self.engine) as connection:
            return list(connection.execute(select(table)))

    def close(self) -> None:
        self.engine.dispose()
        self.bulk.verifier.close()


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    found = Agency(tmp_path)
    yield found
    found.close()


@pytest.fixture
def granted(agency: Agency) -> str:
    return agency.grant()


def test_evidence_that_does_not_change_says_nothing(agency: Agency, granted: str) -> None:
    agency.set_status(VALID)
    assert agency.look(0) == 0
    agency.set_status(VALID)
    assert agency.look() == 0
    assert (agency.deliver(), agency.events()) == (0, [])
    assert {row.entry_id for row in agency.rows(WATCHES)} == {granted}


def test_a_revocation_after_the_grant_is_told_and_names_the_receipt_alone(
    agency: Agency, granted: str
) -> None:
    agency.clock.set(NOW + HOUR)
    agency.set_status(INVALID)
    assert agency.look(0) == len(CLAIMS)
    assert agency.deliver() == len(CLAIMS)
    assert agency.events() == [("evidence.revoked", granted)] * len(CLAIMS)
    assert {row.standing for row in agency.rows(WATCHES)} == {Standing.REVOKED.value}
    assert agency.look(10 * HOUR) == 0
    assert agency.deliver() == 0


def test_a_suspension_and_its_end_are_two_events(agency: Agency, granted: str) -> None:
    agency.clock.set(NOW + HOUR)
    agency.set_status(SUSPENDED)
    assert agency.look(0) == len(CLAIMS)
    agency.clock.set(NOW + 2 * HOUR)
    agency.set_status(VALID)
    assert agency.look(0) == len(CLAIMS)
    agency.deliver()
    assert {kind for kind, _ in agency.events()} == {"evidence.suspended", "evidence.reinstated"}


@pytest.mark.parametrize(("before_s", "expired"), [(1, 0), (0, len(CLAIMS))])
def test_evidence_expires_on_its_second(
    agency: Agency, granted: str, before_s: int, expired: int
) -> None:
    agency.clock.set(NOW + 86400 * 30 - before_s)
    agency.set_status(VALID)
    agency.bench.replica.apply([], agency.bench.replica.head(), agency.clock.now())  # type: ignore[arg-type]
    assert agency.look(0) == expired
    assert agency.deliver() == expired
    assert {kind for kind, _ in agency.events()} <= {"evidence.expired"}


def test_what_cannot_be_told_is_no_change_and_is_looked_at_again(
    agency: Agency, granted: str
) -> None:
    agency.bench.status_lists.withdraw(agency.bench.status_uri)
    assert agency.look() == 0
    old = agency.bench.status_list(NOW - 10 * 86400, {STATUS_INDEX: INVALID})
    agency.bench.status_lists.publish(agency.bench.status_uri, old)
    assert agency.look() == 0
    assert agency.deliver() == 0
    agency.set_status(INVALID)
    assert agency.look() == len(CLAIMS)


def test_only_grants_of_programmes_that_ask_for_it_are_watched(agency: Agency) -> None:
    too_old = {**CLAIMS, "resident": {**CLAIMS["resident"], "birth_date": "1950-01-01"}}
    _, told = agency.bulk.answer(ALLOWANCE, too_old)
    assert told["decision"]["outcome"] == "not_eligible"
    assert agency.rows(WATCHES) == []


def test_a_programme_that_does_not_ask_for_it_is_not_watched(tmp_path: Path) -> None:
    agency = Agency(tmp_path, CARD_NOW)
    try:
        _, told = agency.bulk.answer(CARD, CARD_CLAIMS)
        assert told["decision"]["outcome"] == "eligible"
        assert agency.rows(WATCHES) == []
    finally:
        agency.close()


@pytest.mark.parametrize(("programmes", "told"), [({"youth-allowance"}, True), ({"x"}, False)])
def test_an_endpoint_gets_the_changes_of_its_programmes(
    agency: Agency, granted: str, programmes: set[str], told: bool
) -> None:
    agency.set_status(INVALID)
    endpoint = WebhookEndpoint("agency", ENDPOINT.url, (SECRET,), frozenset(programmes))
    assert agency.look(HOUR, endpoint) == len(CLAIMS)
    assert bool(agency.deliver(0, endpoint)) is told


@pytest.fixture
def changed(agency: Agency, granted: str) -> Agency:
    """An agency with events of one grant to send."""
    agency.set_status(INVALID)
    agency.look()
    return agency


def test_a_webhook_is_signed_for_its_receiver_and_for_now(changed: Agency) -> None:
    changed.deliver()
    ids = set()
    for body, headers in changed.receiver.got:
        ids.add(verify_webhook(body, headers, [SECRET], now=changed.clock.now()))
    assert len(ids) == len(CLAIMS)


@pytest.mark.parametrize("status", [None, 500, 429, 404, 302])
def test_what_is_not_taken_is_sent_again_under_the_same_id_at_growing_intervals(
    changed: Agency, status: int | None
) -> None:
    changed.receiver.status = status
    assert changed.deliver() == 0
    assert changed.deliver(RETRY_AFTER_S[0] - 1) == 0
    tried = len(changed.receiver.got)
    assert tried == (0 if status is None else len(CLAIMS))
    changed.receiver.status = 200
    assert changed.deliver(1) == len(CLAIMS)
    ids = [headers["webhook-id"] for _, headers in changed.receiver.got]
    assert len(set(ids)) == len(CLAIMS)
    times = {headers["webhook-timestamp"] for _, headers in changed.receiver.got[tried:]}
    assert times == {str(changed.clock.now())}


def test_after_the_last_attempt_a_webhook_is_given_up(changed: Agency) -> None:
    changed.receiver.status = 500
    for pause in (0, *RETRY_AFTER_S):
        changed.deliver(pause)
    assert len(changed.receiver.got) == MAX_ATTEMPTS * len(CLAIMS)
    assert {row.state for row in changed.rows(WEBHOOKS)} == {"failed"}
    changed.receiver.status = 200
    assert changed.deliver(10**6) == 0


def test_a_receiver_that_is_gone_and_one_that_was_taken_away_get_nothing_more(
    changed: Agency,
) -> None:
    changed.receiver.status = 410
    changed.deliver()
    assert {row.state for row in changed.rows(WEBHOOKS)} == {"failed"}
    assert len(changed.receiver.got) == len(CLAIMS)


def test_an_endpoint_that_was_taken_away_is_given_up(changed: Agency) -> None:
    other = WebhookEndpoint("other", ENDPOINT.url, (SECRET,))
    assert changed.deliver(0, other) == 0
    assert changed.receiver.got == []
    assert {row.state for row in changed.rows(WEBHOOKS)} == {"failed"}


def test_metrics_tell_what_was_delivered_is_tried_again_waits_and_was_given_up(
    changed: Agency,
) -> None:
    waiting = len(CLAIMS)
    assert changed.counted()['_attempts_total{outcome="delivered"}'] == 0
    changed.receiver.status = 503
    changed.deliver()
    assert changed.counted() == counts(retried=waiting, pending=waiting)
    changed.receiver.status = 200
    changed.deliver(HOUR)
    assert changed.counted() == counts(retried=waiting, delivered=waiting)


def test_metrics_tell_what_was_given_up(changed: Agency) -> None:
    changed.receiver.status = 410
    changed.deliver()
    assert changed.counted() == counts(failed=len(CLAIMS))


def counts(
    *, delivered: int = 0, failed: int = 0, retried: int = 0, pending: int = 0
) -> dict[str, float]:
    outcomes = {"delivered": delivered, "failed": failed, "retried": retried}
    found = {f'_attempts_total{{outcome="{name}"}}': float(at) for name, at in outcomes.items()}
    return found | {"s_pending": float(pending)}


def test_a_process_that_ends_while_it_sends_loses_nothing(changed: Agency) -> None:
    due = changed.records.due_webhooks(now=changed.clock.now(), limit=100, lease_s=LEASE_S)
    assert len(due) == len(CLAIMS)
    # It was sent, and nobody noted it: another process sends the same ids once the lease is over.
    assert changed.deliver(LEASE_S - 1) == 0
    assert changed.deliver(1) == len(CLAIMS)
    sent = {headers["webhook-id"] for _, headers in changed.receiver.got}
    assert sent == {item.event_id for item in due}


def test_workers_at_once_tell_of_a_change_once(agency: Agency, granted: str) -> None:
    agency.set_status(INVALID)
    agency.clock.set(agency.clock.now() + HOUR)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: agency.look(0), range(4)))
    assert sum(counts) == len(CLAIMS)
    assert len(agency.rows(WEBHOOKS)) == len(CLAIMS)


def test_nothing_personal_is_in_webhooks_watches_or_logs(
    changed: Agency, caplog: pytest.LogCaptureFixture
) -> None:
    changed.receiver.status = 500
    changed.deliver()
    kept = json.dumps([list(map(str, row)) for row in changed.rows(WEBHOOKS)])
    kept += json.dumps([list(map(str, row)) for row in changed.rows(WATCHES)])
    sent = b"".join(body for body, _ in changed.receiver.got).decode()
    for text in (kept, sent, caplog.text):
        for said in ("2000-", "person-1", CLAIMS["resident"]["birth_date"]):
            assert said not in text
    assert "urn:seoul-wallet:residence" not in sent
    assert SECRET.decode() not in repr(ENDPOINT)
