"""The local copy of the anchor contracts: the follower writes it, verification reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    bindparam,
    delete,
    select,
    true,
    update,
)

from wallet.adapters.sql.engine import insert, read, write
from wallet.adapters.sql.replica_events import apply_event
from wallet.adapters.sql.replica_tables import (
    ACCREDITOR_SCOPES,
    BATCHES,
    FACTS,
    ISSUER_SCOPES,
    LOG_HEADS,
    STATE,
    STATUS_DIGESTS,
    SUSPENSIONS,
)
from wallet.ports.facts import ReplicaDiverged, ReplicaEmpty
from wallet.ports.ledger import ReplicaMismatch
from wallet.trust.events import LedgerEvent
from wallet.trust.facts import (
    AccreditorScope,
    AnchorFacts,
    Assurance,
    BatchFact,
    BlockRef,
    IssuerScope,
    StatusFact,
    SuspensionFact,
)
from wallet.verification.evidence import Fact

# Older versions of one status list that are compared; a still older list shows by its date.
MAX_SUPERSEDED_VERSIONS = 1024
MAX_STATUS_LISTS_REMEMBERED = 256


class SqlReplica:
    """`ports.ledger.ReplicaStore` and `ports.facts.AnchorReplica` over the schema `replica`.

    Every method also raises `StorageUnavailable`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._superseded_by: dict[tuple[bytes, bytes], tuple[StatusFact, frozenset[bytes]]] = {}

    def bind(self, identity: str) -> None:
        with write(self._engine) as connection:
            connection.execute(
                insert(connection, STATE).on_conflict_do_nothing(),
                {"id": 1, "identity": identity},
            )
            bound = connection.execute(select(STATE.c.identity)).scalar_one()
        if bound != identity:
            raise ReplicaMismatch("the replica was made for another deployment")

    def head(self) -> BlockRef | None:
        with read(self._engine) as connection:
            return _head(connection.execute(_STATE).one_or_none())

    def assurance(self) -> Assurance | None:
        """Return how the last head was checked, or None while nothing is known of it."""
        with read(self._engine) as connection:
            return _assurance(connection.execute(_STATE).one_or_none())

    def position(self) -> tuple[BlockRef | None, Mapping[str, bytes]]:
        with read(self._engine) as connection:
            rows = connection.execute(_POSITION).all()
        if not rows:
            return None, {}
        return _head(rows[0]), {row.contract: row.head for row in rows if row.head is not None}

    def accreditor_of(self, mandate_id: int) -> str | None:
        with read(self._engine) as connection:
            found = connection.execute(_MANDATE, {"of_mandate": mandate_id})
            return found.scalars().first()

    def alarm(self) -> str | None:
        with read(self._engine) as connection:
            state = connection.execute(_STATE).one_or_none()
            return None if state is None else state.alarm

    def raise_alarm(self, reason: str) -> None:
        with write(self._engine) as connection:
            connection.execute(update(STATE).values(alarm=reason))

    def start_anew(self) -> None:
        with write(self._engine) as connection:
            for table in (*FACTS.values(), LOG_HEADS):
                connection.execute(delete(table))
            nothing = {column.name: None for column in STATE.c if column.name not in _BOUND}
            connection.execute(update(STATE).values(**nothing))
        self._superseded_by.clear()

    def apply(
        self,
        events: Sequence[LedgerEvent],
        head: BlockRef,
        observed_at: int,
        *,
        log_heads: Mapping[str, bytes] | None = None,
        assurance: Assurance | None = None,
    ) -> None:
        with write(self._engine) as connection:
            # Two followers of one database wait for each other at this row.
            state = connection.execute(_STATE.with_for_update()).one_or_none()
            if state is None:
                raise ReplicaMismatch("the replica is not bound to a deployment yet")
            if state.alarm is not None:
                raise ReplicaMismatch("the replica must be started anew by an operator")
            before = _head(state)
            if before is not None and head.number <= before.number:
                seen_at = max(observed_at, state.observed_at)
                _observe_again(connection, before, head, seen_at, assurance)
                return
            for event in events:
                apply_event(connection, event)
            for contract, log_head in (log_heads or {}).items():
                statement = insert(connection, LOG_HEADS).on_conflict_do_update(
                    index_elements=["contract"], set_={"head": log_head}
                )
                connection.execute(statement, {"contract": contract, "head": log_head})
            _set_head(connection, head, observed_at, assurance)

    def anchor_facts(
        self,
        issuer_id: bytes,
        schema_id: bytes,
        batch_root: bytes | None,
        status_list_id: bytes | None,
    ) -> Fact[AnchorFacts]:
        with read(self._engine) as connection:
            state, head = usable_state(connection)
            status = _newest_status(connection, issuer_id, status_list_id)
            of_issuer = {"of_issuer": issuer_id, "of_schema": schema_id}
            facts = AnchorFacts(
                head=head,
                issuer_scopes=tuple(
                    IssuerScope(**row._mapping)
                    for row in connection.execute(_ISSUER_SCOPES, of_issuer)
                ),
                accreditor_scopes=tuple(
                    AccreditorScope(**row._mapping)
                    for row in connection.execute(_ACCREDITOR_SCOPES, of_issuer)
                ),
                batch=_batch(connection, issuer_id, batch_root),
                status=status,
                superseded_status_digests=self._superseded(connection, status),
                assurance=_assurance(state),
                suspensions=tuple(
                    SuspensionFact(**row._mapping)
                    for row in connection.execute(_SUSPENSIONS, {"of_issuer": issuer_id})
                ),
            )
        return Fact(facts, min(head.time, state.observed_at))

    def _superseded(self, connection: Connection, newest: StatusFact | None) -> frozenset[bytes]:
        """Return the digests of older versions of a list that differ from the newest."""
        if newest is None:
            return frozenset()
        key = (newest.issuer_id, newest.list_id)
        # What came before a version never changes, and every verification asks for it.
        known = self._superseded_by.get(key)
        if known is None or known[0] != newest:
            of_list = {"of_issuer": newest.issuer_id, "of_list": newest.list_id}
            digests = connection.execute(_STATUS_DIGESTS, of_list).scalars()
            known = newest, frozenset(digests) - {newest.digest}
            if len(self._superseded_by) >= MAX_STATUS_LISTS_REMEMBERED:
                self._superseded_by.clear()
            self._superseded_by[key] = known
        return known[1]


def usable_state(connection: Connection) -> tuple[Row[Any], BlockRef]:
    """Return the state and the head of a replica. Raises `ReplicaEmpty`, `ReplicaDiverged`."""
    state = connection.execute(_STATE).one_or_none()
    head = _head(state)
    if state is None or head is None:
        raise ReplicaEmpty("the replica has not followed the chain yet")
    if state.alarm is not None:
        raise ReplicaDiverged(state.alarm)
    return state, head


def _head(state: Row[Any] | None) -> BlockRef | None:
    if state is None or state.head_number is None:
        return None
    return BlockRef(state.head_number, state.head_hash, state.head_time)


def _assurance(state: Row[Any] | None) -> Assurance | None:
    if state is None or state.endpoints is None:
        return None
    return Assurance(state.endpoints, state.proven)


def _observe_again(
    connection: Connection,
    before: BlockRef,
    head: BlockRef,
    observed_at: int,
    assurance: Assurance | None,
) -> None:
    """The events of this head are applied: only the moment of the same head can be newer."""
    if head.number < before.number:
        return
    if head != before:
        raise ReplicaMismatch("the chain shows another block where the replica has a final one")
    _set_head(connection, head, observed_at, assurance)


def _set_head(
    connection: Connection, head: BlockRef, observed_at: int, assurance: Assurance | None
) -> None:
    connection.execute(
        update(STATE),
        {
            "head_number": head.number,
            "head_hash": head.hash,
            "head_time": head.time,
            "observed_at": observed_at,
            "endpoints": None if assurance is None else assurance.endpoints,
            "proven": None if assurance is None else assurance.proven,
        },
    )


def _batch(connection: Connection, issuer_id: bytes, root: bytes | None) -> BatchFact | None:
    if root is None:
        return None
    row = connection.execute(_BATCH, {"of_issuer": issuer_id, "of_root": root}).one_or_none()
    return None if row is None else BatchFact(**row._mapping)


def _newest_status(
    connection: Connection, issuer_id: bytes, list_id: bytes | None
) -> StatusFact | None:
    if list_id is None:
        return None
    of_list = {"of_issuer": issuer_id, "of_list": list_id}
    row = connection.execute(_NEWEST_STATUS, of_list).one_or_none()
    return None if row is None else StatusFact(**row._mapping)


# What a replica is a copy of stays when its facts go.
_BOUND = frozenset(("id", "identity"))
_STATE = select(STATE)
# One statement, so that both are of one moment on every database.
_POSITION = select(STATE, LOG_HEADS).select_from(STATE.outerjoin(LOG_HEADS, true()))
_MANDATE = select(ACCREDITOR_SCOPES.c.accreditor).where(
    ACCREDITOR_SCOPES.c.mandate_id == bindparam("of_mandate")
)
_ISSUER_SCOPES = (
    select(ISSUER_SCOPES)
    .where(
        ISSUER_SCOPES.c.issuer_id == bindparam("of_issuer"),
        ISSUER_SCOPES.c.schema_id == bindparam("of_schema"),
    )
    .order_by(ISSUER_SCOPES.c["index"])
)
_ACCREDITOR_SCOPES = (
    select(ACCREDITOR_SCOPES)
    .where(
        ACCREDITOR_SCOPES.c.schema_id == bindparam("of_schema"),
        ACCREDITOR_SCOPES.c.accreditor.in_(
            select(ISSUER_SCOPES.c.accreditor).where(
                ISSUER_SCOPES.c.issuer_id == bindparam("of_issuer"),
                ISSUER_SCOPES.c.schema_id == bindparam("of_schema"),
            )
        ),
    )
    .order_by(ACCREDITOR_SCOPES.c.accreditor, ACCREDITOR_SCOPES.c["index"])
)
_SUSPENSIONS = (
    select(SUSPENSIONS)
    .where(SUSPENSIONS.c.issuer_id == bindparam("of_issuer"))
    .order_by(SUSPENSIONS.c["index"])
)
_BATCH = select(BATCHES).where(
    BATCHES.c.issuer_id == bindparam("of_issuer"), BATCHES.c.root == bindparam("of_root")
)
_OF_LIST = and_(
    STATUS_DIGESTS.c.issuer_id == bindparam("of_issuer"),
    STATUS_DIGESTS.c.list_id == bindparam("of_list"),
)
_NEWEST_STATUS = (
    select(STATUS_DIGESTS).where(_OF_LIST).order_by(STATUS_DIGESTS.c.version.desc()).limit(1)
)
_STATUS_DIGESTS = (
    select(STATUS_DIGESTS.c.digest)
    .where(_OF_LIST)
    .order_by(STATUS_DIGESTS.c.version.desc())
    .limit(MAX_SUPERSEDED_VERSIONS + 1)
)
