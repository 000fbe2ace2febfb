"""The states of one presentation session on the verifier's side, and how they follow each other.

Requested --fetch--> Fetched --answer--> Answered. Values and transitions only: the store's
compare-and-set makes a transition happen once. Times are unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError
from wallet.protocols.dcql import DcqlQuery


class SessionAlreadyFetched(ConflictError):
    """The request object of this session was handed out before; a link works once."""

    code = "request_already_fetched"


class SessionNotFetched(ConflictError):
    """Nobody has fetched the request object yet, so there is nothing to answer."""

    code = "request_not_fetched"


class SessionExpired(ConflictError):
    """The time to fetch the request, or to answer it, is over."""

    code = "session_expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class Requested:
    """An agency asked; nobody has followed the link.

    `query_name` and `purpose` are the agency's words. `result_token_digest` is SHA-256 of the
    token that the result is collected with.
    """

    query_name: str | None
    query: DcqlQuery
    purpose: str
    one_holder: bool
    result_token_digest: bytes
    created_at: int
    fetch_until: int

    def fetch(self, *, nonce: str, state: str, now: int, answer_ttl_s: int) -> Fetched:
        """Return the state after the request object was handed out. Raises `SessionExpired`."""
        if now >= self.fetch_until:
            raise SessionExpired("the link is no longer good")
        return Fetched(
            requested=self,
            nonce=nonce,
            state=state,
            fetched_at=now,
            answer_until=now + answer_ttl_s,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A wallet has the request object; nonce and state exist from here on."""

    requested: Requested
    nonce: str
    state: str
    fetched_at: int
    answer_until: int

    def answer(self, result: JsonObject, disclosed: JsonObject | None, *, now: int) -> Answered:
        """Return the state after the answer was decided. Raises `SessionExpired`."""
        if now >= self.answer_until:
            raise SessionExpired("the time to answer is over")
        return Answered(
            requested=self.requested, result=result, disclosed=disclosed, answered_at=now
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The answer was decided.

    `result` has the reports and nothing personal. `disclosed` are the claims that the agency asked
    for, only if it was accepted and only until they are collected.
    """

    requested: Requested
    result: JsonObject
    disclosed: JsonObject | None
    answered_at: int

    def collect(self) -> Answered:
        """Return the state after the agency took the disclosed claims: they are forgotten."""
        return replace(self, disclosed=None)


Session = Requested | Fetched | Answered
