"""A replica as a whole: read out for a bundle, and replaced by a newer one."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Engine, delete, insert, select, update

from wallet.adapters.sql.engine import read, write
from wallet.adapters.sql.replica_tables import FACTS, LOG_HEADS, STATE
from wallet.ports.facts import ReplicaDiverged, ReplicaEmpty
from wallet.ports.ledger import ReplicaMismatch
from wallet.trust.facts import Assurance, BlockRef
from wallet.trust.replica_bundle import KINDS, BundleOlder, ReplicaSnapshot, VerifiedBundle


def export_snapshot(engine: Engine) -> ReplicaSnapshot:
    """Return everything that the replica in a database holds.

    Raises `ReplicaEmpty`, `ReplicaDiverged`, `StorageUnavailable`.
    """
    with read(engine) as connection:
        state = connection.execute(select(STATE)).one_or_none()
        if state is None or state.head_number is None or state.endpoints is None:
            raise ReplicaEmpty("the replica has not followed the chain yet")
        if state.alarm is not None:
            raise ReplicaDiverged(state.alarm)
        return ReplicaSnapshot(
            state.identity,
            BlockRef(state.head_number, state.head_hash, state.head_time),
            state.observed_at,
            {row.contract: row.head for row in connection.execute(select(LOG_HEADS))},
            Assurance(state.endpoints, state.proven),
            {
                name: [kind(**row._mapping) for row in connection.execute(select(FACTS[kind]))]
                for name, kind in KINDS.items()
            },
        )


def import_bundle(engine: Engine, bundle: VerifiedBundle) -> BlockRef:
    """Replace what the replica holds by the facts of a bundle and return their block.

    The replica must be bound to the bundle's deployment. The same bundle again changes nothing.
    Raises `BundleOlder`; `ReplicaMismatch` for another deployment, or another block of the same
    number; `ReplicaDiverged`; `StorageUnavailable`.
    """
    snapshot = bundle.snapshot
    with write(engine) as connection:
        state = connection.execute(select(STATE).with_for_update()).one_or_none()
        if state is None or state.identity != snapshot.identity:
            raise ReplicaMismatch("the bundle is of another deployment than the replica")
        if state.alarm is not None:
            raise ReplicaDiverged(state.alarm)
        if state.head_number is not None:
            held = (state.head_number, state.observed_at)
            if (snapshot.head.number, snapshot.observed_at) < held:
                raise BundleOlder("the replica holds newer facts than the bundle")
            same = snapshot.head.number == state.head_number
            if same and snapshot.head.hash != state.head_hash:
                raise ReplicaMismatch("the bundle has another block where the replica has one")
        for table in (*FACTS.values(), LOG_HEADS):
            connection.execute(delete(table))
        for name, kind in KINDS.items():
            rows = [asdict(fact) for fact in snapshot.facts[name]]
            if rows:
                connection.execute(insert(FACTS[kind]), rows)
        heads = [{"contract": at, "head": head} for at, head in snapshot.log_heads.items()]
        if heads:
            connection.execute(insert(LOG_HEADS), heads)
        connection.execute(
            update(STATE).values(
                head_number=snapshot.head.number,
                head_hash=snapshot.head.hash,
                head_time=snapshot.head.time,
                observed_at=snapshot.observed_at,
                endpoints=snapshot.assurance.endpoints,
                proven=snapshot.assurance.proven,
            )
        )
    return snapshot.head
