"""Revoking, suspending, reinstating; signed lists; published digests."""

from __future__ import annotations

from typing import Any

import pytest

from issuer.status import StatusTimes
from tests.support.issuing import ALICE, FAMILY, NOW, IssuerWorld, issuer_world, key_of
from wallet.credentials.jose import parse_compact_jws
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.status.token_status_list import INVALID, SUSPENDED, VALID
from wallet.trust.facts import StatusFact
from wallet.trust.identifiers import status_list_id
from wallet.verification.status import VerifiedStatusList, verify_status_list_token

JWT, CWT = "application/statuslist+jwt", "application/statuslist+cwt"
URI = "https://issuer.example/status-lists/1"


def fetch(world: IssuerWorld, form: str = JWT) -> VerifiedStatusList:
    answer = world.client.get("/status-lists/1", headers={"Accept": form})
    assert answer.status_code == 200
    assert answer.content_type == form
    assert answer.headers["Vary"] == "Accept"
    return verify_status_list_token(
        answer.data,
        uri=URI,
        issuer="did:web:issuer.example",
        issuer_keys=key_of("issuer").public_key,
    )


def issue_one(world: IssuerWorld) -> tuple[str, int]:
    """Issue a card; return its issuance id and its index in the list."""
    claims = parse_sd_jwt(world.issue()["credential"]).jws.peek_claims()
    index: int = claims["status"]["status_list"]["idx"]
    (found,) = [
        issuance
        for issuance in world.application.service.statuses.issuances_of(FAMILY)
        if issuance.status_index == index
    ]
    return found.issuance_id, index


def change(world: IssuerWorld, issuance_id: str, verb: str, reason: str = "under_review") -> Any:
    return world.operate(f"/issuances/{issuance_id}/{verb}", {"reason": reason})


def published(world: IssuerWorld) -> list[StatusFact]:
    return [
        event
        for event in world.ledger.events(0, world.ledger.height)
        if isinstance(event, StatusFact)
    ]


def test_the_list_says_when_it_was_signed_and_how_long_it_holds(world: IssuerWorld) -> None:
    issue_one(world)
    listed = fetch(world)
    assert (listed.issued_at, listed.expires_at, listed.ttl_s) == (NOW, NOW + 86400, 300)
    assert listed.entries.size == 1024
    token = world.client.get("/status-lists/1").data
    assert parse_compact_jws(token, typ="statuslist+jwt").kid == "did:web:issuer.example#key-1"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, JWT),
        ("*/*", JWT),
        ("application/*", JWT),
        ("text/html", JWT),
        ("not a type", JWT),
        (CWT, CWT),
        (f"{JWT}, {CWT};q=0.5", JWT),
        (f"{JWT};q=0.5, {CWT}", CWT),
        (f"{CWT}, */*;q=0.1", CWT),
    ],
)
def test_a_list_comes_in_the_form_that_is_asked_for(
    world: IssuerWorld, accept: str | None, form: str
) -> None:
    issue_one(world)
    headers = {} if accept is None else {"Accept": accept}
    answer = world.client.get("/status-lists/1", headers=headers)
    assert (answer.status_code, answer.content_type) == (200, form)
    assert answer.data.startswith(b"ey" if form == JWT else b"\xd2")


def test_both_forms_say_the_same_also_after_a_change(world: IssuerWorld) -> None:
    issuance_id, index = issue_one(world)
    assert fetch(world, JWT) == fetch(world, CWT)
    change(world, issuance_id, "revoke")
    assert fetch(world, JWT) == fetch(world, CWT)
    assert fetch(world, CWT).entries.status(index) == INVALID


def test_a_card_is_suspended_reinstated_and_revoked_for_good(world: IssuerWorld) -> None:
    issuance_id, index = issue_one(world)
    assert fetch(world).entries.status(index) == VALID
    for verb, status in (("suspend", SUSPENDED), ("reinstate", VALID), ("revoke", INVALID)):
        assert change(world, issuance_id, verb).status_code == 204
        assert fetch(world).entries.status(index) == status
    for verb in ("suspend", "reinstate", "revoke"):
        refused = change(world, issuance_id, verb)
        assert (refused.status_code, refused.get_json()["code"]) == (409, "status_change_refused")
    (record,) = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()["issuances"]
    assert (record["status"], record["reason"]) == ("revoked", "under_review")


def test_revoking_one_card_leaves_the_others_valid(world: IssuerWorld) -> None:
    cards = [issue_one(world) for _ in range(5)]
    change(world, cards[2][0], "revoke")
    statuses = [fetch(world).entries.status(index) for _, index in cards]
    assert statuses == [VALID, VALID, INVALID, VALID, VALID]


def test_a_valid_card_cannot_be_reinstated(world: IssuerWorld) -> None:
    issuance_id, _ = issue_one(world)
    assert change(world, issuance_id, "reinstate").status_code == 409


@pytest.mark.parametrize("body", [{}, {"reason": "because"}, {"reason": "x", "note": "김합성"}])
def test_refuses_a_change_without_a_reason_from_the_list(
    world: IssuerWorld, body: dict[str, str]
) -> None:
    issuance_id, index = issue_one(world)
    answer = world.operate(f"/issuances/{issuance_id}/revoke", body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "request_malformed")
    assert "김합성" not in answer.text
    assert fetch(world).entries.status(index) == VALID


def test_an_unknown_issuance_is_404(world: IssuerWorld) -> None:
    for issuance_id in ("unknown", "%00", "a" * 1000):
        answer = change(world, issuance_id, "revoke")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "issuance_unknown")


def test_a_list_is_signed_again_only_after_a_minute_or_a_change(world: IssuerWorld) -> None:
    issuance_id, _ = issue_one(world)
    first = world.client.get("/status-lists/1").data
    world.clock.set(NOW + 59)
    assert world.client.get("/status-lists/1").data == first
    world.clock.set(NOW + 60)
    second = world.client.get("/status-lists/1").data
    assert second != first
    change(world, issuance_id, "revoke")
    assert world.client.get("/status-lists/1").data != second


def test_another_process_sees_a_change_within_the_reuse_time(world: IssuerWorld) -> None:
    issuance_id, index = issue_one(world)
    other = issuer_world(world.folder)
    assert fetch(other).entries.status(index) == VALID
    change(world, issuance_id, "revoke")
    other.clock.set(NOW + StatusTimes().reuse_s)
    assert fetch(other).entries.status(index) == INVALID
    other.close()


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "1.0", "%F0%9F%98%80", "9" * 30, "x"])
def test_an_unknown_list_is_404(world: IssuerWorld, number: str) -> None:
    issue_one(world)
    assert world.client.get(f"/status-lists/{number}").status_code == 404


def test_indexes_are_random_and_never_given_twice(world: IssuerWorld) -> None:
    indexes = [issue_one(world)[1] for _ in range(12)]
    assert len(set(indexes)) == len(indexes)
    assert indexes != sorted(indexes)


def test_a_new_list_is_opened_when_one_is_half_full(tmp_path: Any) -> None:
    world = issuer_world(tmp_path, status_list_size=8)
    uris = []
    for _ in range(9):
        claims = parse_sd_jwt(world.issue()["credential"]).jws.peek_claims()
        uris.append(claims["status"]["status_list"]["uri"].rpartition("/")[2])
    assert uris == ["1"] * 4 + ["2"] * 4 + ["3"]
    world.close()


def test_digests_are_published_when_the_bits_change_and_not_otherwise(
    world: IssuerWorld,
) -> None:
    issuance_id, _ = issue_one(world)
    world.application.work_once()
    world.follow()
    for _ in range(3):
        world.application.work_once()
    (first,) = published(world)
    assert (first.version, first.digest) == (1, fetch(world).digest)
    change(world, issuance_id, "revoke")
    world.application.work_once()
    assert [fact.version for fact in published(world)] == [1, 2]
    assert published(world)[1].digest == fetch(world).digest != first.digest


def test_a_version_that_did_not_arrive_is_sent_again(world: IssuerWorld) -> None:
    issuance_id, _ = issue_one(world)
    world.ledger.silent = True
    world.application.work_once()
    change(world, issuance_id, "revoke")
    world.ledger.silent = False
    for _ in range(3):
        world.application.work_once()
        world.follow()
    assert [fact.version for fact in published(world)] == [1, 2]
    assert published(world)[-1].digest == fetch(world).digest


def test_a_version_that_ran_out_before_it_arrived_is_made_anew(world: IssuerWorld) -> None:
    issue_one(world)
    world.ledger.silent = True
    world.application.work_once()
    world.ledger.silent = False
    world.clock.set(NOW + StatusTimes().digest_lifetime_s)
    world.application.work_once()
    (fact,) = published(world)
    assert fact.version == 1
    assert fact.expires_at > world.clock.now()


def test_a_digest_is_published_anew_before_it_runs_out(world: IssuerWorld) -> None:
    issue_one(world)
    world.application.work_once()
    world.follow()
    world.clock.set(NOW + StatusTimes().digest_lifetime_s // 2)
    world.application.work_once()
    assert [fact.version for fact in published(world)] == [1, 2]
    assert published(world)[0].digest == published(world)[1].digest


def test_a_database_behind_the_chain_goes_on_from_the_chains_version(world: IssuerWorld) -> None:
    issuance_id, _ = issue_one(world)
    facts = published(world)
    assert facts == []
    identity = world.application.service.identity
    for version in (1, 2, 3):
        world.ledger.publish_status(
            identity.chain_id, status_list_id(URI), bytes([version]) * 32, version, NOW + 10**6
        )
    world.follow()
    change(world, issuance_id, "revoke")
    world.application.work_once()
    newest = published(world)[-1]
    assert (newest.version, newest.digest) == (4, fetch(world).digest)


def test_only_operators_change_statuses(world: IssuerWorld) -> None:
    issuance_id, index = issue_one(world)
    for token in ("", "wrong", ALICE + "x", ALICE[:-1]):
        answer = world.operate(
            f"/issuances/{issuance_id}/revoke", {"reason": "device_lost"}, token=token
        )
        assert (answer.status_code, answer.get_json()["code"]) == (401, "operator_unknown")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert fetch(world).entries.status(index) == VALID
