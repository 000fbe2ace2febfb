"""Presentation sessions in a `SessionStore`: their bytes, and the one-time states."""

from __future__ import annotations

from typing import Any, Final

from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.ports.sessions import SessionStore
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp_session import Answered, Fetched, Requested, Session

SESSION_KIND: Final = "vp_session"
STATE_KIND: Final = "vp_state"


class PresentationSessions:
    """The sessions of this verifier. Every method raises what the store raises."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    def open(self, session_id: str, session: Requested) -> None:
        """Store a new session, alive as long as its link."""
        self._store.create(
            SESSION_KIND, session_id, _encode(session), expires_at=session.fetch_until
        )

    def load(self, session_id: str, *, now: int) -> tuple[Session, int]:
        """Return the session and its version. Raises `SessionUnknown`."""
        stored = self._store.load(SESSION_KIND, session_id, now=now)
        return _decode(stored.state), stored.version

    def advance(
        self, session_id: str, session: Session, *, expected_version: int, expires_at: int
    ) -> None:
        """Replace the session if nobody else did. Raises `SessionConflict`."""
        self._store.replace(
            SESSION_KIND,
            session_id,
            _encode(session),
            expected_version=expected_version,
            expires_at=expires_at,
        )

    def keep_state(self, session_id: str, session: Fetched) -> None:
        """Remember which session a `state` answers."""
        self._store.create(
            STATE_KIND, session.state, session_id.encode(), expires_at=session.answer_until
        )

    def take_state(self, state: str, *, now: int) -> str:
        """Return the session id of a `state`, once. Raises `SessionUnknown`."""
        return self._store.take(STATE_KIND, state, now=now).decode()

    def purge(self, *, now: int) -> int:
        """Forget what expired."""
        return self._store.purge(now=now)


def _encode(session: Session) -> bytes:
    return to_json(_to_json(session))


def _to_json(session: Session) -> JsonObject:
    if isinstance(session, Requested):
        return {
            "stage": "requested",
            "query_name": session.query_name,
            "query": session.query.to_json(),
            "purpose": session.purpose,
            "one_holder": session.one_holder,
            "result_token_digest": base64url.encode(session.result_token_digest),
            "created_at": session.created_at,
            "fetch_until": session.fetch_until,
        }
    requested = {"requested": _to_json(session.requested)}
    if isinstance(session, Fetched):
        return requested | {
            "stage": "fetched",
            "nonce": session.nonce,
            "state": session.state,
            "fetched_at": session.fetched_at,
            "answer_until": session.answer_until,
        }
    return requested | {
        "stage": "answered",
        "result": session.result,
        "disclosed": session.disclosed,
        "answered_at": session.answered_at,
    }


def _decode(data: bytes) -> Session:
    item = parse_json_object(data, max_bytes=len(data))
    if item["stage"] == "requested":
        return _requested(item)
    requested = _requested(item["requested"])
    if item["stage"] == "fetched":
        return Fetched(
            requested=requested,
            nonce=item["nonce"],
            state=item["state"],
            fetched_at=item["fetched_at"],
            answer_until=item["answer_until"],
        )
    return Answered(
        requested=requested,
        result=item["result"],
        disclosed=item["disclosed"],
        answered_at=item["answered_at"],
    )


def _requested(item: dict[str, Any]) -> Requested:
    return Requested(
        query_name=item["query_name"],
        query=parse_dcql(item["query"]),
        purpose=item["purpose"],
        one_holder=item["one_holder"],
        result_token_digest=base64url.decode(item["result_token_digest"]),
        created_at=item["created_at"],
        fetch_until=item["fetch_until"],
    )
