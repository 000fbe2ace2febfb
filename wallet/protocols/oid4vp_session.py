"""The states of one presentation session on the verifier's side, and how they follow each other.

Requested --fetch--> Fetched --answer--> Answered --redeem--> --collect-->. Values and transitions
only: the store's compare-and-set makes a transition happen once. Times are unix seconds.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum

from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError
from wallet.protocols.dcql import DcqlQuery
from wallet.protocols.oid4vp import ResponseMode, Way


class SessionAlreadyFetched(ConflictError):
    """The request object of this session was handed out before; a link works once."""

    code = "request_already_fetched"


class SessionNotFetched(ConflictError):
    """Nobody has fetched the request object yet, so there is nothing to answer."""

    code = "request_not_fetched"


class SessionExpired(ConflictError):
    """The time to fetch the request, or to answer it, is over."""

    code = "session_expired"


class ResponseCodeUnknown(ConflictError):
    """This response code does not open the result of this session, or did so before."""

    code = "response_code_unknown"


class Flow(StrEnum):
    """How the holder comes to the request, and the result back to who asked."""

    CROSS_DEVICE = "cross_device"
    SAME_DEVICE = "same_device"
    DC_API = "dc_api"
    FRAMES = "frames"

    @property
    def way(self) -> Way:
        """The way that requests of this flow take."""
        if self is Flow.FRAMES:
            return Way.FRAMES
        return Way.PAGE if self is Flow.DC_API else Way.LINK


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestOptions:
    """How a request is made.

    `prefix` is the client identifier's, without its colon. `transactions` are encoded transaction
    data. `return_uri` is where the holder's browser goes on after a same-device answer; `origins`
    are the pages that may ask through the Digital Credentials API.
    """

    prefix: str
    response_mode: ResponseMode = ResponseMode.DIRECT_POST
    flow: Flow = Flow.CROSS_DEVICE
    post: bool = False
    transactions: tuple[str, ...] = ()
    return_uri: str | None = None
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What is left of a request once it was answered: who may collect, and what they called it."""

    query_name: str | None
    purpose: str
    flow: Flow
    result_token_digest: bytes


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
    options: RequestOptions
    result_token_digest: bytes
    created_at: int
    fetch_until: int

    @property
    def asked(self) -> Asked:
        """What outlives the answer."""
        return Asked(
            query_name=self.query_name,
            purpose=self.purpose,
            flow=self.options.flow,
            result_token_digest=self.result_token_digest,
        )

    def fetch(
        self,
        *,
        nonce: str,
        state: str,
        now: int,
        answer_ttl_s: int,
        key_secret: bytes | None = None,
    ) -> Fetched:
        """Return the state after the request object was handed out. Raises `SessionExpired`."""
        if now >= self.fetch_until:
            raise SessionExpired("the link is no longer good")
        return Fetched(
            requested=self,
            nonce=nonce,
            state=state,
            key_secret=key_secret,
            fetched_at=now,
            answer_until=now + answer_ttl_s,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A wallet has the request; nonce, state and the key of its answer exist from here on.

    `key_secret` is the 32-byte scalar of the key that the answer is encrypted for, made for this
    request alone and forgotten with this state.
    """

    requested: Requested
    nonce: str
    state: str
    key_secret: bytes | None
    fetched_at: int
    answer_until: int

    @property
    def asked(self) -> Asked:
        """What outlives the answer."""
        return self.requested.asked

    def answer(
        self,
        result: JsonObject,
        disclosed: JsonObject | None,
        *,
        now: int,
        response_code_digest: bytes | None = None,
    ) -> Answered:
        """Return the state after the answer was decided. Raises `SessionExpired`.

        With `response_code_digest` nothing is told before the code itself comes back.
        """
        if now >= self.answer_until:
            raise SessionExpired("the time to answer is over")
        return Answered(
            asked=self.asked,
            result=result,
            disclosed=disclosed,
            answered_at=now,
            response_code_digest=response_code_digest,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The answer was decided.

    `result` has the reports and nothing personal. `disclosed` are the claims that the agency asked
    for, only if it was accepted and only until they are collected. While there is a
    `response_code_digest` (SHA-256), the browser of the session has not come back with the code.
    """

    asked: Asked
    result: JsonObject
    disclosed: JsonObject | None
    answered_at: int
    response_code_digest: bytes | None = None

    @property
    def is_locked(self) -> bool:
        """Whether the response code has yet to come back."""
        return self.response_code_digest is not None

    def redeem(self, response_code: str) -> Answered:
        """Return the state after the response code came back. Raises `ResponseCodeUnknown`."""
        digest = sha256(response_code.encode("utf-8", "surrogatepass"))
        if self.response_code_digest is None or not hmac.compare_digest(
            digest, self.response_code_digest
        ):
            raise ResponseCodeUnknown("this response code opens nothing here")
        return replace(self, response_code_digest=None)

    def collect(self) -> Answered:
        """Return the state after the agency took the disclosed claims: they are forgotten."""
        return replace(self, disclosed=None)


Session = Requested | Fetched | Answered


def told_stage(session: Session) -> str:
    """Return the stage by the name that whoever asked is told: a locked answer looks like none."""
    if isinstance(session, Requested):
        return "requested"
    return "answered" if isinstance(session, Answered) and not session.is_locked else "fetched"
