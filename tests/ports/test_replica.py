"""`ports.ledger.ReplicaStore` and `ports.facts.AnchorReplica` on every adapter."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

import pytest
from sqlalchemy import Engine

from wallet.adapters.sql import replica as replica_module
from wallet.adapters.sql.engine import open_engine
from wallet.adapters.sql.replica import SqlReplica
from wallet.ports.facts import AnchorReplica, ReplicaEmpty
from wallet.ports.ledger import ReplicaMismatch, ReplicaStore
from wallet.ports.storage import StorageUnavailable
from wallet.trust.events import AccreditorRevoked, BatchWithdrawn, IssuerRevoked, LedgerEvent
from wallet.trust.facts import (
    AccreditorScope,
    AnchorFacts,
    BatchFact,
    BlockRef,
    IssuerScope,
    StatusFact,
)

IDENTITY = "chain 31337, genesis 0xab, registry 0xcd"
FAR = 2**40 - 1


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


ISSUER, OTHER_ISSUER = digest(1), digest(2)
SCHEMA, OTHER_SCHEMA = digest(11), digest(12)
ROOT, OTHER_ROOT = digest(21), digest(22)
LIST, OTHER_LIST = digest(31), digest(32)
ACCREDITOR, OTHER_ACCREDITOR = "0x" + "a1" * 20, "0x" + "a2" * 20
ABOVE = AccreditorScope(ACCREDITOR, SCHEMA, 0, 100, FAR)
SCOPE = IssuerScope(ISSUER, SCHEMA, 0, ACCREDITOR, 200, FAR)
BATCH = BatchFact(ISSUER, SCHEMA, ROOT, 1024, digest(41), 300)


def status(version: int, of_digest: int) -> StatusFact:
    return StatusFact(ISSUER, LIST, version, digest(of_digest), FAR, 400 + version)


def block(number: int) -> BlockRef:
    return BlockRef(number, digest(1000 + number), 1_000 + number)


class Replica(ReplicaStore, AnchorReplica, Protocol):
    """Both sides of one replica."""


def facts(replica: AnchorReplica) -> AnchorFacts:
    return replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST).value


class ReplicaBehaviour:
    """What every replica does. A subclass provides the fixture `replica`, bound to IDENTITY."""

    def test_knows_nothing_before_the_first_block(self, replica: Replica) -> None:
        assert replica.head() is None
        with pytest.raises(ReplicaEmpty):
            replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST)

    def test_says_how_far_it_is_with_the_log_heads_there(self, replica: Replica) -> None:
        assert replica.position() == (None, {})
        replica.apply([], block(7), 2_000, log_heads={ACCREDITOR: digest(1)})
        assert replica.position() == (block(7), {ACCREDITOR: digest(1)})
        replica.apply([], block(8), 2_000, log_heads={ACCREDITOR: digest(2)})
        assert replica.position() == (block(8), {ACCREDITOR: digest(2)})

    def test_shows_what_was_applied(self, replica: Replica) -> None:
        replica.apply([ABOVE, SCOPE, BATCH, status(1, 51)], block(7), 2_000)
        assert replica.head() == block(7)
        assert facts(replica) == AnchorFacts(block(7), (SCOPE,), (ABOVE,), BATCH, status(1, 51))

    def test_shows_nothing_of_others(self, replica: Replica) -> None:
        others: list[LedgerEvent] = [
            replace(ABOVE, schema_id=OTHER_SCHEMA),
            replace(ABOVE, accreditor=OTHER_ACCREDITOR),
            replace(SCOPE, issuer_id=OTHER_ISSUER, accreditor=OTHER_ACCREDITOR),
            replace(SCOPE, schema_id=OTHER_SCHEMA),
            replace(BATCH, issuer_id=OTHER_ISSUER),
            replace(BATCH, root=OTHER_ROOT),
            replace(status(1, 51), issuer_id=OTHER_ISSUER),
            replace(status(1, 51), list_id=OTHER_LIST),
        ]
        replica.apply(others, block(7), 2_000)
        assert facts(replica) == AnchorFacts(block(7))

    def test_shows_only_what_was_asked_for(self, replica: Replica) -> None:
        replica.apply([ABOVE, SCOPE, BATCH, status(1, 51)], block(7), 2_000)
        found = replica.anchor_facts(ISSUER, SCHEMA, None, None).value
        assert found == AnchorFacts(block(7), (SCOPE,), (ABOVE,))

    def test_accepts_a_block_without_events(self, replica: Replica) -> None:
        replica.apply([], block(7), 2_000)
        assert facts(replica) == AnchorFacts(block(7))

    @pytest.mark.parametrize(("observed_at", "as_of"), [(900, 900), (5_000, 1_007)])
    def test_facts_are_as_old_as_the_earlier_of_block_and_reading(
        self, replica: Replica, observed_at: int, as_of: int
    ) -> None:
        replica.apply([], block(7), observed_at)
        assert replica.anchor_facts(ISSUER, SCHEMA, None, None).as_of == as_of

    def test_keeps_the_history_of_scopes(self, replica: Replica) -> None:
        ended = replace(SCOPE, valid_until=250)
        again = replace(SCOPE, index=1, accreditor=OTHER_ACCREDITOR, valid_from=500)
        above = [ABOVE, replace(ABOVE, index=1), replace(ABOVE, accreditor=OTHER_ACCREDITOR)]
        replica.apply([*above, ended, again], block(7), 2_000)
        found = facts(replica)
        assert found.issuer_scopes == (ended, again)
        assert set(found.accreditor_scopes) == set(above)
        assert found.accredited(240)
        assert not found.accredited(300)
        assert found.accredited(500)

    def test_a_revocation_sets_its_time_and_nothing_else(self, replica: Replica) -> None:
        later = replace(SCOPE, index=1, valid_from=900)
        replica.apply([ABOVE, SCOPE, later, BATCH], block(7), 2_000)
        revocations: list[LedgerEvent] = [
            AccreditorRevoked(ACCREDITOR, SCHEMA, 0, 600),
            IssuerRevoked(ISSUER, SCHEMA, 0, 500),
            BatchWithdrawn(ISSUER, ROOT, 700),
        ]
        replica.apply(revocations, block(8), 2_000)
        assert facts(replica) == AnchorFacts(
            block(8),
            (replace(SCOPE, revoked_at=500), later),
            (replace(ABOVE, revoked_at=600),),
            replace(BATCH, revoked_at=700),
        )

    def test_the_earliest_revocation_stands(self, replica: Replica) -> None:
        replica.apply([SCOPE, IssuerRevoked(ISSUER, SCHEMA, 0, 500)], block(7), 2_000)
        replica.apply([IssuerRevoked(ISSUER, SCHEMA, 0, 300)], block(8), 2_000)
        assert facts(replica).issuer_scopes == (replace(SCOPE, revoked_at=300),)
        replica.apply([IssuerRevoked(ISSUER, SCHEMA, 0, 500)], block(9), 2_000)
        assert facts(replica).issuer_scopes == (replace(SCOPE, revoked_at=300),)

    def test_names_the_older_digests_that_differ_from_the_newest(self, replica: Replica) -> None:
        replica.apply([status(1, 51), status(2, 52)], block(7), 2_000)
        found = facts(replica)
        assert found.status == status(2, 52)
        assert found.superseded_status_digests == {digest(51)}
        replica.apply([status(3, 51)], block(8), 2_000)
        found = facts(replica)
        assert found.status == status(3, 51)
        assert found.superseded_status_digests == {digest(52)}

    def test_orders_versions_as_numbers(self, replica: Replica) -> None:
        replica.apply([status(n, 50 + n) for n in range(1, 12)], block(7), 2_000)
        found = facts(replica)
        assert found.status == status(11, 61)
        assert found.superseded_status_digests == {digest(50 + n) for n in range(1, 11)}

    @pytest.mark.parametrize("size", [1, 2**63 - 1, 2**63, 2**64 - 1])
    def test_holds_any_size_that_a_contract_can(self, replica: Replica, size: int) -> None:
        replica.apply([replace(BATCH, size=size)], block(7), 2_000)
        found = facts(replica).batch
        assert found is not None
        assert found.size == size

    def test_holds_the_latest_time_that_a_contract_can(self, replica: Replica) -> None:
        latest = replace(SCOPE, index=2**32 - 1, valid_from=FAR - 1)
        replica.apply([latest], block(7), 2_000)
        assert facts(replica).issuer_scopes == (latest,)

    def test_applying_the_same_head_again_changes_only_the_time(self, replica: Replica) -> None:
        replica.apply([SCOPE, BATCH], block(7), 900)
        before = facts(replica)
        replica.apply([SCOPE, BATCH, BatchWithdrawn(ISSUER, ROOT, 700)], block(7), 950)
        again = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST)
        assert (again.value, again.as_of) == (before, 950)
        replica.apply([], block(7), 940)
        assert replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST).as_of == 950

    def test_an_older_head_changes_nothing(self, replica: Replica) -> None:
        replica.apply([SCOPE, BATCH], block(7), 900)
        replica.apply([BatchWithdrawn(ISSUER, ROOT, 700)], block(6), 950)
        again = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST)
        assert (again.value, again.as_of) == (AnchorFacts(block(7), (SCOPE,), (), BATCH), 900)

    def test_blocks_that_overlap_are_applied_once_in_effect(self, replica: Replica) -> None:
        first: list[LedgerEvent] = [ABOVE, SCOPE, BATCH, status(1, 51)]
        second: list[LedgerEvent] = [IssuerRevoked(ISSUER, SCHEMA, 0, 500), status(2, 52)]
        replica.apply(first, block(7), 2_000)
        replica.apply([*first, *second], block(8), 2_000)
        replica.apply([*first, *second], block(9), 2_000)
        assert facts(replica) == AnchorFacts(
            block(9),
            (replace(SCOPE, revoked_at=500),),
            (ABOVE,),
            BATCH,
            status(2, 52),
            frozenset({digest(51)}),
        )

    def test_refuses_another_block_where_it_has_a_final_one(self, replica: Replica) -> None:
        replica.apply([SCOPE], block(7), 2_000)
        with pytest.raises(ReplicaMismatch):
            replica.apply([BATCH], replace(block(7), hash=digest(99)), 2_000)
        assert facts(replica).batch is None

    @pytest.mark.parametrize(
        "revocation",
        [
            AccreditorRevoked(ACCREDITOR, SCHEMA, 1, 600),
            IssuerRevoked(ISSUER, SCHEMA, 1, 600),
            BatchWithdrawn(ISSUER, OTHER_ROOT, 600),
        ],
    )
    def test_refuses_a_revocation_of_what_it_never_saw_and_the_whole_block_with_it(
        self, replica: Replica, revocation: LedgerEvent
    ) -> None:
        replica.apply([ABOVE, SCOPE, BATCH], block(7), 900)
        before = replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST)
        with pytest.raises(ReplicaMismatch):
            replica.apply([status(1, 51), revocation], block(8), 950)
        assert replica.anchor_facts(ISSUER, SCHEMA, ROOT, LIST) == before

    def test_binding_again_to_the_same_deployment_keeps_the_facts(self, replica: Replica) -> None:
        replica.apply([SCOPE], block(7), 2_000)
        replica.bind(IDENTITY)
        assert facts(replica) == AnchorFacts(block(7), (SCOPE,))

    def test_refuses_another_deployment(self, replica: Replica) -> None:
        replica.apply([SCOPE], block(7), 2_000)
        with pytest.raises(ReplicaMismatch):
            replica.bind(IDENTITY + " ")
        assert facts(replica) == AnchorFacts(block(7), (SCOPE,))

    def test_followers_that_race_leave_the_newest_head(self, replica: Replica) -> None:
        def follow(number: int) -> None:
            scopes = [replace(SCOPE, index=i) for i in range(number + 1)]
            replica.apply(scopes, block(number), 2_000)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(follow, range(24)))
        assert facts(replica) == AnchorFacts(
            block(23), tuple(replace(SCOPE, index=i) for i in range(24))
        )

    def test_readers_never_see_half_a_block(self, replica: Replica) -> None:
        def events(number: int) -> Sequence[LedgerEvent]:
            return [replace(SCOPE, index=number), status(number + 1, 100 + number)]

        replica.apply(events(0), block(0), 2_000)

        def look(_: int) -> None:
            found = facts(replica)
            height = found.head.number
            assert len(found.issuer_scopes) == height + 1
            assert found.status == status(height + 1, 100 + height)
            assert found.superseded_status_digests == {digest(100 + n) for n in range(height)}

        def follow(_: int) -> None:
            for number in range(1, 40):
                replica.apply(events(number), block(number), 2_000)

        with ThreadPoolExecutor(4) as pool:
            following = pool.submit(follow, 0)
            list(pool.map(look, range(120)))
            following.result()
        assert replica.head() == block(39)


class TestSqlReplica(ReplicaBehaviour):
    """The replica over SQL, on both databases."""

    @pytest.fixture
    def replica(self, engine: Engine) -> SqlReplica:
        replica = SqlReplica(engine)
        replica.bind(IDENTITY)
        return replica

    def test_takes_no_block_before_it_is_bound(self, engine: Engine) -> None:
        replica = SqlReplica(engine)
        with pytest.raises(ReplicaMismatch):
            replica.apply([SCOPE], block(7), 2_000)
        with pytest.raises(ReplicaEmpty):
            facts(replica)

    def test_survives_a_restart(self, database_url: str, replica: SqlReplica) -> None:
        replica.apply([ABOVE, SCOPE, BATCH, status(1, 51), status(2, 52)], block(7), 2_000)
        again = open_engine(database_url)
        assert facts(SqlReplica(again)) == facts(replica)
        with pytest.raises(ReplicaMismatch):
            SqlReplica(again).bind("another chain")
        again.dispose()

    def test_sees_what_another_process_applied(
        self, database_url: str, replica: SqlReplica
    ) -> None:
        replica.apply([status(1, 51), status(2, 52)], block(7), 2_000)
        assert facts(replica).superseded_status_digests == {digest(51)}
        other = open_engine(database_url)
        SqlReplica(other).apply([status(3, 53)], block(8), 2_000)
        other.dispose()
        assert facts(replica).superseded_status_digests == {digest(51), digest(52)}

    def test_compares_a_bounded_number_of_versions(self, replica: SqlReplica) -> None:
        limit = replica_module.MAX_SUPERSEDED_VERSIONS
        replica.apply([status(n, 100 + n) for n in range(1, limit + 3)], block(7), 2_000)
        newest = {digest(100 + n) for n in range(2, limit + 2)}
        assert facts(replica).superseded_status_digests == newest

    def test_remembers_a_bounded_number_of_lists(self, replica: SqlReplica) -> None:
        lists = replica_module.MAX_STATUS_LISTS_REMEMBERED + 1
        replica.apply(
            [
                replace(status(version, 10 * n + version), list_id=digest(n))
                for n in range(lists)
                for version in (1, 2)
            ],
            block(7),
            2_000,
        )
        for n in (*range(lists), 0):
            found = replica.anchor_facts(ISSUER, SCHEMA, None, digest(n)).value
            assert found.superseded_status_digests == {digest(10 * n + 1)}
        assert len(replica._superseded_by) < lists

    def test_reports_a_database_without_its_tables(self, empty_engine: Engine) -> None:
        replica = SqlReplica(empty_engine)
        with pytest.raises(StorageUnavailable):
            facts(replica)
        with pytest.raises(StorageUnavailable):
            replica.bind(IDENTITY)
