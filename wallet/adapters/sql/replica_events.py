"""What each ledger event does to the tables of a replica."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, Table, and_, case, update

from wallet.adapters.sql.engine import insert
from wallet.adapters.sql.replica_tables import (
    ACCREDITOR_SCOPES,
    BATCHES,
    BOARDS,
    DIRECTORY,
    FACTS,
    ISSUER_SCOPES,
    SUSPENSIONS,
    VERIFIER_SCOPES,
)
from wallet.ports.ledger import ReplicaMismatch
from wallet.trust.boards import OperatorChanged
from wallet.trust.directory import DirectoryDeprecated
from wallet.trust.events import (
    AccreditorRevoked,
    BatchWithdrawn,
    IssuerRevoked,
    LedgerEvent,
    SuspensionLifted,
)
from wallet.trust.verifiers import VerifierRevoked


def apply_event(connection: Connection, event: LedgerEvent) -> None:
    """Apply one event; a fact that is there already stays. Raises `ReplicaMismatch`."""
    match event:
        case AccreditorRevoked():
            scope = _row(
                ACCREDITOR_SCOPES,
                accreditor=event.accreditor,
                schema_id=event.schema_id,
                index=event.index,
            )
            _end(connection, ACCREDITOR_SCOPES, scope, "revoked_at", event.effective_at)
        case IssuerRevoked():
            scope = _row(
                ISSUER_SCOPES,
                issuer_id=event.issuer_id,
                schema_id=event.schema_id,
                index=event.index,
            )
            _end(connection, ISSUER_SCOPES, scope, "revoked_at", event.effective_at)
        case VerifierRevoked():
            scope = _row(
                VERIFIER_SCOPES,
                verifier_id=event.verifier_id,
                service_id=event.service_id,
                index=event.index,
            )
            _end(connection, VERIFIER_SCOPES, scope, "revoked_at", event.effective_at)
        case SuspensionLifted():
            suspension = _row(SUSPENSIONS, issuer_id=event.issuer_id, index=event.index)
            _end(connection, SUSPENSIONS, suspension, "until", event.until)
        case BatchWithdrawn():
            batch = _row(BATCHES, issuer_id=event.issuer_id, root=event.root)
            _end(connection, BATCHES, batch, "revoked_at", event.at)
        case DirectoryDeprecated():
            entry = _row(DIRECTORY, name=event.name, version=event.version)
            _end(connection, DIRECTORY, entry, "deprecated_at", event.at)
        case OperatorChanged():
            board = _row(BOARDS, board_id=event.board_id)
            _change(connection, BOARDS, board, operator=event.operator)
        case _:
            statement = insert(connection, FACTS[type(event)]).on_conflict_do_nothing()
            connection.execute(statement, asdict(event))


def _row(table: Table, **key: object) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))


def _end(
    connection: Connection, table: Table, which: ColumnElement[bool], column: str, at: int
) -> None:
    # The contracts only ever move an end to an earlier time.
    known = table.c[column]
    _change(connection, table, which, **{column: case((known < at, known), else_=at)})


def _change(
    connection: Connection, table: Table, which: ColumnElement[bool], **values: object
) -> None:
    changed = connection.execute(update(table).where(which).values(**values))
    if changed.rowcount != 1:
        raise ReplicaMismatch("an event changes what the replica does not hold")
