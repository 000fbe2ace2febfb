"""Protocol sessions and one-time values in a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    delete,
    select,
    update,
)

from wallet.adapters.sql.engine import insert_or_ignore, read_once, write
from wallet.crypto.hashing import sha256
from wallet.ports.sessions import SessionConflict, SessionUnknown, StoredSession

METADATA = MetaData()
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("kind", String(64), primary_key=True),
    Column("id_digest", LargeBinary(32), primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)


class SqlSessionStore:
    """`ports.sessions.SessionStore` over the schema `sessions`.

    Ids are stored as their SHA-256 digest, so that a copy of the database gives nobody a code or
    a nonce. A session is alive while `now < expires_at`; an expired one keeps its id taken until
    it is purged. Every method also raises `StorageUnavailable`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, kind: str, session_id: str, state: bytes, *, expires_at: int) -> None:
        self.create_many(kind, {session_id: state}, expires_at=expires_at)

    def create_many(self, kind: str, states: Mapping[str, bytes], *, expires_at: int) -> None:
        with write(self._engine) as connection:
            for session_id, state in states.items():
                created = connection.execute(
                    insert_or_ignore(connection, SESSIONS),
                    {
                        "kind": kind,
                        "id_digest": _digest(session_id),
                        "state": state,
                        "version": 1,
                        "expires_at": expires_at,
                    },
                )
                if created.rowcount != 1:
                    raise SessionConflict("the session exists already")

    def load(self, kind: str, session_id: str, *, now: int) -> StoredSession:
        with read_once(self._engine) as connection:
            row = connection.execute(_LOAD, _alive_key(kind, session_id, now)).one_or_none()
        if row is None:
            raise SessionUnknown("there is no such session")
        return StoredSession(row.state, row.version, row.expires_at)

    def replace(
        self,
        kind: str,
        session_id: str,
        state: bytes,
        *,
        expected_version: int,
        expires_at: int,
        beside: Callable[[Any], None] | None = None,
    ) -> None:
        with write(self._engine) as connection:
            replaced = connection.execute(
                _REPLACE,
                {
                    "of_kind": kind,
                    "of_id": _digest(session_id),
                    "expected": expected_version,
                    "state": state,
                    "expires_at": expires_at,
                },
            )
            if replaced.rowcount != 1:
                raise SessionConflict("the session was changed or used in the meantime")
            if beside is not None:
                beside(connection)

    def take(self, kind: str, session_id: str, *, now: int) -> bytes:
        # The row is gone when the statement returns it: whoever waited for the lock finds none.
        with write(self._engine) as connection:
            row = connection.execute(_TAKE, _alive_key(kind, session_id, now)).one_or_none()
        if row is None:
            raise SessionUnknown("there is no such session, or it was used")
        state: bytes = row.state
        return state

    def purge(self, *, now: int) -> int:
        with write(self._engine) as connection:
            return connection.execute(_PURGE, {"now": now}).rowcount


def _digest(session_id: str) -> bytes:
    # Ids come from the wire, where JSON can spell a lone surrogate.
    return sha256(session_id.encode("utf-8", "surrogatepass"))


def _alive_key(kind: str, session_id: str, now: int) -> dict[str, object]:
    return {"of_kind": kind, "of_id": _digest(session_id), "now": now}


def _is_the_one() -> ColumnElement[bool]:
    return and_(
        SESSIONS.c.kind == bindparam("of_kind"), SESSIONS.c.id_digest == bindparam("of_id")
    )


_LOAD = select(SESSIONS.c.state, SESSIONS.c.version, SESSIONS.c.expires_at).where(
    _is_the_one(), SESSIONS.c.expires_at > bindparam("now")
)
_REPLACE = (
    update(SESSIONS)
    .where(_is_the_one(), SESSIONS.c.version == bindparam("expected"))
    .values(
        state=bindparam("state"),
        version=SESSIONS.c.version + 1,
        expires_at=bindparam("expires_at"),
    )
)
_TAKE = (
    delete(SESSIONS)
    .where(_is_the_one(), SESSIONS.c.expires_at > bindparam("now"))
    .returning(SESSIONS.c.state)
)
_PURGE = delete(SESSIONS).where(SESSIONS.c.expires_at <= bindparam("now"))
