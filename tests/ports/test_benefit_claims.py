"""`verifier.claims.records.BenefitClaims` on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from verifier.claims.records import (
    BenefitClaim,
    BenefitClaimPending,
    BenefitClaimUnknown,
    BenefitDrawn,
    GroupClaim,
)
from verifier.storage.claims import SqlBenefitClaims
from verifier.storage.claims_tables import migrate_claims
from wallet.adapters.sql.engine import migrate, open_engine, write
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.errors import ConflictError
from wallet.ports.sessions import SessionConflict

NOW = 1_800_000_000
HELD_UNTIL, FREE_AT = NOW + 120, NOW + 10_000
PARALLEL = 16
PERSON, NEIGHBOUR = b"\x01" * 48, b"\x02" * 48


@pytest.fixture
def claims(empty_engine: Engine) -> SqlBenefitClaims:
    migrate_claims(empty_engine)
    migrate(empty_engine, "sessions")
    return SqlBenefitClaims(empty_engine)


def claim(
    claim_id: str = "one",
    *,
    person: bytes = PERSON,
    context: bytes = b"programme/2026",
    group: str | None = None,
    free_at: int | None = FREE_AT,
) -> BenefitClaim:
    return BenefitClaim(
        claim_id=claim_id,
        programme="youth-fare",
        context=context,
        pseudonym=person,
        group=group,
        held_until=HELD_UNTIL,
        free_at=free_at,
    )


def grant(engine: Engine, claims: SqlBenefitClaims, claim_id: str, now: int = NOW) -> None:
    with write(engine) as connection:
        claims.granting(claim_id, now=now)(connection)


def test_a_granted_benefit_is_drawn(claims: SqlBenefitClaims, empty_engine: Engine) -> None:
    claims.hold(claim(), now=NOW)
    grant(empty_engine, claims, "one")
    with pytest.raises(BenefitDrawn):
        claims.hold(claim("two"), now=NOW)
    claims.hold(claim("two", person=NEIGHBOUR), now=NOW)
    claims.hold(claim("three", context=b"programme/2027"), now=NOW)


def test_the_same_application_may_ask_again_before_and_after_its_grant(
    claims: SqlBenefitClaims, empty_engine: Engine
) -> None:
    for _ in range(2):
        claims.hold(claim(), now=NOW)
    for _ in range(2):
        grant(empty_engine, claims, "one")
        claims.hold(claim(), now=NOW)
    # Granted once, and nobody else's.
    with pytest.raises(BenefitDrawn):
        claims.hold(claim("two"), now=NOW)


def test_while_one_application_holds_it_another_is_told_to_wait(claims: SqlBenefitClaims) -> None:
    claims.hold(claim(), now=NOW)
    with pytest.raises(BenefitClaimPending):
        claims.hold(claim("two"), now=NOW)


def test_one_application_does_not_hold_for_two_people(claims: SqlBenefitClaims) -> None:
    claims.hold(claim(), now=NOW)
    with pytest.raises(BenefitClaimPending):
        claims.hold(claim(person=NEIGHBOUR), now=NOW)


def test_a_hold_that_ran_out_is_not_granted_and_lets_the_person_in_again(
    claims: SqlBenefitClaims, empty_engine: Engine
) -> None:
    claims.hold(claim(), now=NOW)
    with pytest.raises(BenefitClaimUnknown):
        grant(empty_engine, claims, "one", HELD_UNTIL)
    assert claims.unsettled(now=HELD_UNTIL - 1, limit=9) == ()
    assert claims.unsettled(now=HELD_UNTIL, limit=9) == (GroupClaim("one", None),)
    with pytest.raises(BenefitClaimUnknown):
        grant(empty_engine, claims, "one")
    with pytest.raises(BenefitClaimPending):
        claims.hold(claim("two"), now=HELD_UNTIL)
    claims.forget("one")
    claims.hold(claim("two"), now=HELD_UNTIL)


def test_a_grant_is_never_unsettled_and_not_forgotten(
    claims: SqlBenefitClaims, empty_engine: Engine
) -> None:
    claims.hold(claim(), now=NOW)
    grant(empty_engine, claims, "one")
    assert claims.unsettled(now=FREE_AT, limit=9) == ()
    claims.forget("one")
    with pytest.raises(BenefitDrawn):
        claims.hold(claim("two"), now=NOW)


def test_a_released_grant_is_free_at_once_and_with_a_group_once_the_register_knows(
    claims: SqlBenefitClaims, empty_engine: Engine
) -> None:
    for name, group in (("alone", None), ("grouped", "youth-benefits")):
        claims.hold(claim(name, context=name.encode(), group=group), now=NOW)
        grant(empty_engine, claims, name)
        claims.release(name)
    claims.hold(claim("later", context=b"alone"), now=NOW)
    with pytest.raises(BenefitClaimPending):
        claims.hold(claim("later-too", context=b"grouped"), now=NOW)
    assert claims.unsettled(now=NOW, limit=9) == (GroupClaim("grouped", "youth-benefits"),)
    claims.forget("grouped")
    claims.hold(claim("later-too", context=b"grouped"), now=NOW)
    with pytest.raises(BenefitClaimUnknown):
        claims.release("grouped")


def test_a_grant_stands_until_its_period_is_over_or_for_ever(
    claims: SqlBenefitClaims, empty_engine: Engine
) -> None:
    for name, free_at in (("a-year", FREE_AT), ("a-life", None)):
        claims.hold(claim(name, context=name.encode(), free_at=free_at), now=NOW)
        grant(empty_engine, claims, name)
    assert claims.purge(now=FREE_AT - 1) == 0
    with pytest.raises(BenefitDrawn):
        claims.hold(claim("again", context=b"a-year"), now=FREE_AT - 1)
    claims.hold(claim("again", context=b"a-year"), now=FREE_AT)
    assert claims.purge(now=FREE_AT * 2) == 0
    with pytest.raises(BenefitDrawn):
        claims.hold(claim("again-too", context=b"a-life"), now=FREE_AT * 2)


def test_grants_that_are_over_are_purged(claims: SqlBenefitClaims, empty_engine: Engine) -> None:
    claims.hold(claim(), now=NOW)
    grant(empty_engine, claims, "one")
    assert claims.purge(now=FREE_AT) == 1
    with pytest.raises(BenefitClaimUnknown):
        claims.release("one")


def test_of_sixteen_parallel_applications_one_draws_and_none_after_a_restart(
    claims: SqlBenefitClaims, empty_engine: Engine, empty_database_url: str
) -> None:
    barrier = Barrier(PARALLEL)

    def apply(number: int) -> str | None:
        barrier.wait()
        try:
            claims.hold(claim(f"application-{number}"), now=NOW)
        except ConflictError:
            return None
        grant(empty_engine, claims, f"application-{number}")
        return f"application-{number}"

    with ThreadPoolExecutor(PARALLEL) as pool:
        drawn = [name for name in pool.map(apply, range(PARALLEL)) if name is not None]
    assert len(drawn) == 1
    restarted = open_engine(empty_database_url)
    try:
        with pytest.raises(BenefitDrawn):
            SqlBenefitClaims(restarted).hold(claim("afterwards"), now=NOW)
    finally:
        restarted.dispose()


def test_the_grant_and_the_end_of_the_session_are_one_change(
    claims: SqlBenefitClaims, empty_engine: Engine
) -> None:
    sessions = SqlSessionStore(empty_engine)
    sessions.create("vp", "id", b"asked", expires_at=FREE_AT)
    claims.hold(claim(), now=NOW)
    with pytest.raises(SessionConflict):
        sessions.replace(
            "vp", "id", b"told", expected_version=7, expires_at=FREE_AT,
            beside=claims.granting("one", now=NOW),
        )  # fmt: skip
    with pytest.raises(BenefitClaimPending):
        claims.hold(claim("two"), now=NOW)
    with pytest.raises(BenefitClaimUnknown):
        sessions.replace(
            "vp", "id", b"told", expected_version=1, expires_at=FREE_AT,
            beside=claims.granting("none", now=NOW),
        )  # fmt: skip
    assert sessions.load("vp", "id", now=NOW).state == b"asked"
    sessions.replace(
        "vp", "id", b"told", expected_version=1, expires_at=FREE_AT,
        beside=claims.granting("one", now=NOW),
    )  # fmt: skip
    assert sessions.load("vp", "id", now=NOW).state == b"told"
    with pytest.raises(BenefitDrawn):
        claims.hold(claim("two"), now=NOW)
