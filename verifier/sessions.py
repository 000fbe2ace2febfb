"""Presentation sessions in a `SessionStore`: their bytes, and who finds them by what."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.ports.sessions import SessionStore, SessionUnknown
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp import ResponseMode
from wallet.protocols.oid4vp_session import (
    Answered,
    Asked,
    Fetched,
    Flow,
    Requested,
    RequestOptions,
    Session,
    SessionNotFetched,
)
from wallet.recent import RecentlyUsed

SESSION_KIND: Final = "vp_session"
BROWSER_KIND: Final = "vp_browser"
MAX_WAITING: Final = 2048


class _Waiting(NamedTuple):
    session: Fetched
    version: int
    expires_at: int


class PresentationSessions:
    """The sessions of this verifier. Every method raises what the store raises.

    Up to `max_waiting` sessions that wait for an answer are remembered, each for its time, with
    the secret of its answer's key.
    """

    def __init__(self, store: SessionStore, *, max_waiting: int = MAX_WAITING) -> None:
        self._store = store
        self._waiting: RecentlyUsed[str, _Waiting] = RecentlyUsed(max_waiting)

    def open(self, session_id: str, session: Requested | Fetched) -> None:
        """Store a new session, alive as long as its link, or as its answer is waited for."""
        alive_until = (
            session.fetch_until if isinstance(session, Requested) else session.answer_until
        )
        self._store.create(SESSION_KIND, session_id, _encode(session), expires_at=alive_until)
        if isinstance(session, Fetched):
            self._waiting.put(session_id, _Waiting(session, 1, alive_until))

    def load(self, session_id: str, *, now: int) -> tuple[Session, int]:
        """Return the session and its version. Raises `SessionUnknown`."""
        stored = self._store.load(SESSION_KIND, session_id, now=now)
        return _decode(stored.state), stored.version

    def load_waiting(self, session_id: str, *, now: int) -> tuple[Fetched, int]:
        """Return a session that waits for an answer, and its version.

        Who handed the request out here knows the session still. If another process concluded it
        meanwhile, `advance` finds that out: whoever comes second is told nothing else. Raises
        `SessionUnknown`, `SessionNotFetched`.
        """
        waiting = self._waiting.get(session_id)
        if waiting is not None and now < waiting.expires_at:
            return waiting.session, waiting.version
        session, version = self.load(session_id, now=now)
        if not isinstance(session, Fetched):
            raise SessionNotFetched("the session does not wait for an answer")
        return session, version

    def load_for(self, session_id: str, token: str, *, now: int) -> tuple[Session, int]:
        """Return the session if `token` is its result token. Raises `SessionUnknown` alike."""
        session, version = self.load(session_id, now=now)
        digest = sha256(token.encode("utf-8", "surrogatepass"))
        if not hmac.compare_digest(digest, session.asked.result_token_digest):
            raise SessionUnknown("there is no such session")
        return session, version

    def advance(
        self,
        session_id: str,
        session: Session,
        *,
        expected_version: int,
        expires_at: int,
        beside: Callable[[Any], None] | None = None,
    ) -> None:
        """Replace the session if nobody else did. `beside` as in `SessionStore.replace`.

        Raises `SessionConflict`, and what `beside` raises.
        """
        self._waiting.drop(session_id)
        self._store.replace(
            SESSION_KIND,
            session_id,
            _encode(session),
            expected_version=expected_version,
            expires_at=expires_at,
            beside=beside,
        )
        if isinstance(session, Fetched):
            self._waiting.put(session_id, _Waiting(session, expected_version + 1, expires_at))

    def waits_for(self, nonce: str, state: str, *, now: int) -> bool:
        """Tell whether the session of this state waits for an answer with this nonce."""
        try:
            session, _ = self.load(state.partition(".")[0], now=now)
        except SessionUnknown:
            return False
        return isinstance(session, Fetched) and hmac.compare_digest(
            f"{session.nonce}\n{session.state}".encode(), f"{nonce}\n{state}".encode()
        )

    def keep_browser(self, cookie: str, opened: Mapping[str, str], *, expires_at: int) -> None:
        """Remember what a browser (by its secret cookie) opened."""
        self._store.create(BROWSER_KIND, cookie, to_json(dict(opened)), expires_at=expires_at)

    def of_browser(self, cookie: str, *, now: int) -> dict[str, str]:
        """Return what a browser opened. Raises `SessionUnknown`."""
        return parse_json_object(self._store.load(BROWSER_KIND, cookie, now=now).state)

    def purge(self, *, now: int) -> int:
        """Forget what expired."""
        self._waiting.drop_where(lambda waiting: now >= waiting.expires_at)
        return self._store.purge(now=now)


def _encode(session: Session) -> bytes:
    return to_json(_to_json(session))


def _optional(data: bytes | None) -> str | None:
    return None if data is None else base64url.encode(data)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64url.decode(text)


def _to_json(session: Session) -> JsonObject:
    if isinstance(session, Requested):
        return {
            "stage": "requested",
            "query_name": session.query_name,
            "query": session.query.to_json(),
            "purpose": session.purpose,
            "one_holder": session.one_holder,
            "options": _options_json(session.options),
            "result_token_digest": base64url.encode(session.result_token_digest),
            "created_at": session.created_at,
            "fetch_until": session.fetch_until,
        }
    if isinstance(session, Fetched):
        return {
            "stage": "fetched",
            "requested": _to_json(session.requested),
            "nonce": session.nonce,
            "state": session.state,
            "key_secret": _optional(session.key_secret),
            "fetched_at": session.fetched_at,
            "answer_until": session.answer_until,
        }
    asked = session.asked
    return {
        "stage": "answered",
        "query_name": asked.query_name,
        "purpose": asked.purpose,
        "flow": asked.flow.value,
        "result_token_digest": base64url.encode(asked.result_token_digest),
        "result": session.result,
        "disclosed": session.disclosed,
        "answered_at": session.answered_at,
        "response_code_digest": _optional(session.response_code_digest),
    }


def _options_json(options: RequestOptions) -> JsonObject:
    return {
        "prefix": options.prefix,
        "response_mode": options.response_mode.value,
        "flow": options.flow.value,
        "post": options.post,
        "transactions": list(options.transactions),
        "return_uri": options.return_uri,
        "origins": list(options.origins),
    }


def _decode(data: bytes) -> Session:
    item = parse_json_object(data, max_bytes=len(data))
    if item["stage"] == "requested":
        return _requested(item)
    if item["stage"] == "fetched":
        return Fetched(
            requested=_requested(item["requested"]),
            nonce=item["nonce"],
            state=item["state"],
            key_secret=_bytes(item["key_secret"]),
            fetched_at=item["fetched_at"],
            answer_until=item["answer_until"],
        )
    return Answered(
        asked=Asked(
            query_name=item["query_name"],
            purpose=item["purpose"],
            flow=Flow(item["flow"]),
            result_token_digest=base64url.decode(item["result_token_digest"]),
        ),
        result=item["result"],
        disclosed=item["disclosed"],
        answered_at=item["answered_at"],
        response_code_digest=_bytes(item["response_code_digest"]),
    )


def _requested(item: dict[str, Any]) -> Requested:
    options = item["options"]
    return Requested(
        query_name=item["query_name"],
        query=parse_dcql(item["query"]),
        purpose=item["purpose"],
        one_holder=item["one_holder"],
        options=RequestOptions(
            prefix=options["prefix"],
            response_mode=ResponseMode(options["response_mode"]),
            flow=Flow(options["flow"]),
            post=options["post"],
            transactions=tuple(options["transactions"]),
            return_uri=options["return_uri"],
            origins=tuple(options["origins"]),
        ),
        result_token_digest=base64url.decode(item["result_token_digest"]),
        created_at=item["created_at"],
        fetch_until=item["fetch_until"],
    )
