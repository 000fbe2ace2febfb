"""`verifier.exclusions.records.ExclusionRecords` on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from verifier.exclusions.records import ExclusionClaim, ExclusionClaimIdUsed
from verifier.storage.exclusion_tables import EXCLUSIONS, migrate_exclusions
from verifier.storage.exclusions import SqlExclusionRecords
from wallet.adapters.sql.engine import open_engine
from wallet.ports.storage import StorageUnavailable

NOW = 1_800_000_000
FREE_AT = NOW + 10_000
PARALLEL = 16
PERSON, NEIGHBOUR = b"\x01" * 48, b"\x02" * 48


@pytest.fixture
def records(empty_engine: Engine) -> SqlExclusionRecords:
    migrate_exclusions(empty_engine)
    return SqlExclusionRecords(empty_engine)


def claim(
    claim_id: str = "one",
    *,
    agency: str = "did:web:a.example",
    person: bytes = PERSON,
    context: bytes = b"group/2026",
    free_at: int | None = FREE_AT,
) -> ExclusionClaim:
    return ExclusionClaim(
        agency=agency, claim_id=claim_id, context=context, pseudonym=person, free_at=free_at
    )


def test_a_person_has_one_claim_in_a_period_whichever_agency_asks(
    records: SqlExclusionRecords,
) -> None:
    assert records.claim(claim(), now=NOW)
    assert not records.claim(claim("two"), now=NOW)
    assert not records.claim(claim("one", agency="did:web:b.example"), now=NOW)
    assert records.claim(claim("three", person=NEIGHBOUR), now=NOW)
    assert records.claim(claim("four", context=b"group/2027"), now=NOW)


def test_the_same_claim_again_gets_the_same_answer(records: SqlExclusionRecords) -> None:
    records.claim(claim(), now=NOW)
    for _ in range(2):
        assert records.claim(claim(), now=NOW)
        assert not records.claim(claim("two"), now=NOW)


def test_an_id_is_not_used_for_two_people(records: SqlExclusionRecords) -> None:
    records.claim(claim(), now=NOW)
    with pytest.raises(ExclusionClaimIdUsed):
        records.claim(claim(person=NEIGHBOUR), now=NOW)


def test_a_released_claim_lets_the_person_in_again_and_never_comes_back(
    records: SqlExclusionRecords,
) -> None:
    records.claim(claim(), now=NOW)
    for _ in range(2):
        records.release("did:web:a.example", "one", remember_until=FREE_AT)
    with pytest.raises(ExclusionClaimIdUsed):
        records.claim(claim(), now=NOW)
    assert records.claim(claim("two"), now=NOW)


def test_a_claim_that_comes_after_its_release_is_refused(records: SqlExclusionRecords) -> None:
    records.release("did:web:a.example", "one", remember_until=FREE_AT)
    with pytest.raises(ExclusionClaimIdUsed):
        records.claim(claim(), now=NOW)
    assert records.purge(now=FREE_AT - 1) == 0
    assert records.purge(now=FREE_AT) == 1


def test_an_agency_releases_no_other_agencys_claim(records: SqlExclusionRecords) -> None:
    records.claim(claim(), now=NOW)
    records.release("did:web:b.example", "one", remember_until=FREE_AT)
    assert not records.claim(claim("two"), now=NOW)


def test_a_claim_stands_until_its_period_is_over_or_for_ever(records: SqlExclusionRecords) -> None:
    records.claim(claim("year"), now=NOW)
    records.claim(claim("life", context=b"group/lifetime", free_at=None), now=NOW)
    assert not records.claim(claim("again"), now=FREE_AT - 1)
    assert records.claim(claim("again"), now=FREE_AT)
    assert not records.claim(claim("never", context=b"group/lifetime"), now=FREE_AT * 2)
    assert records.purge(now=FREE_AT * 2) == 1


def test_says_whether_claims_can_be_looked_up(
    records: SqlExclusionRecords, empty_engine: Engine
) -> None:
    records.check()
    with empty_engine.begin() as connection:
        EXCLUSIONS.drop(connection)
    with pytest.raises(StorageUnavailable):
        records.check()


def test_of_sixteen_parallel_claims_one_is_free_and_none_after_a_restart(
    records: SqlExclusionRecords, empty_database_url: str
) -> None:
    barrier = Barrier(PARALLEL)

    def ask(number: int) -> bool:
        barrier.wait()
        return records.claim(claim(f"claim-{number}"), now=NOW)

    with ThreadPoolExecutor(PARALLEL) as pool:
        assert sum(pool.map(ask, range(PARALLEL))) == 1
    restarted = open_engine(empty_database_url)
    try:
        assert not SqlExclusionRecords(restarted).claim(claim("afterwards"), now=NOW)
    finally:
        restarted.dispose()
